"""Rows of tables as `aiida_ion.queries` returns them, for figures that know no database."""

from __future__ import annotations

from typing import Any

import pandas as pd

TIME = pd.Timestamp("2026-01-01", tz="UTC")


def conductivity_row(formula: str, level: str, value: float | None, **said: Any) -> dict[str, Any]:
    """Return a conductivity with an interval of a factor of two, or without a value."""
    uuid = f"{formula}-{level}"
    row = {
        "formula": formula,
        "level_of_theory": level,
        "target_temperature_K": 300.0,
        "ionic_conductivity_mS_cm": value,
        "ionic_conductivity_ci95_low_mS_cm": value and value / 2,
        "ionic_conductivity_ci95_high_mS_cm": value and value * 2,
        "ionic_conductivity_upper_bound_mS_cm": None,
        "activation_energy_eV": 0.3,
        "activation_energy_ci95_low_eV": 0.28,
        "activation_energy_ci95_high_eV": 0.34,
        "n_temperatures_moved": 4,
        "grade": "A",
        "structure_uuid": f"structure-{formula}",
        "uuid": uuid,
        "time": TIME,
    }
    return row | said


def bound_row(formula: str, level: str, bound: float, **said: Any) -> dict[str, Any]:
    """Return an upper bound."""
    return conductivity_row(formula, level, None, ionic_conductivity_upper_bound_mS_cm=bound, **said)


def experiment_row(formula: str, value: float | None, **said: Any) -> dict[str, Any]:
    """Return a measurement at room temperature."""
    row = {
        "formula": formula,
        "dataset": "obelix",
        "entry_id": "abc",
        "ionic_conductivity_mS_cm": value,
        "ionic_conductivity_upper_bound_mS_cm": None,
        "temperature_K": 298.0,
        "conductivity_kind": "total",
        "structure_uuid": f"structure-{formula}",
        "uuid": f"{formula}-measured",
        "time": TIME,
    }
    return row | said


def table(*rows: dict[str, Any]) -> pd.DataFrame:
    """Return rows as a table."""
    return pd.DataFrame(list(rows))
