"""Comparisons of levels of theory as text: both values with their intervals, and their difference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

from aiida_ion.cli.text.tables import (
    Rows,
    duration,
    entries,
    number,
    number_or_interval,
    sentences,
    text,
    value_or_bound,
    with_interval,
)
from aiida_ion.queries.cells import known
from aiida_ion.units import MEV_PER_EV

Records = Sequence[Mapping[str, Any]]


def comparison_tables(records: Records) -> dict[str, Rows]:
    """Return the tables that have rows, by their headings.

    :param records: comparisons, each with the attributes of its node and `pk`; nothing is ``None``.
    """
    tables = {
        "Diffusion at each temperature": diffusivity_rows(records),
        "Ionic conductivity, extrapolated": conductivity_rows(records),
        "Forces and energies on frames of the reference": force_rows(records),
        "Structure and vibrations (0: equal, 1: nothing in common)": structure_rows(records),
        "Cost of a step (this level / reference)": cost_rows(records),
    }
    return {heading: rows for heading, rows in tables.items() if rows}


def diffusivity_rows(records: Records) -> Rows:
    """Return one line for each temperature of each comparison."""
    return [
        _names(record)
        | {
            "T (K)": number(at.get("temperature_K"), 6),
            "D* (cm2/s)": value_or_bound(at, "tracer_diffusivity", "cm2_s"),
            "of the reference": value_or_bound(at, "reference_tracer_diffusivity", "cm2_s"),
            "ratio": ratio_text(at, "tracer_diffusivity"),
            "grades": f"{text(at.get('grade'))} / {text(at.get('reference_grade'))}",
        }
        for record in records
        for at in entries(record.get("temperatures"))
    ]


def conductivity_rows(records: Records) -> Rows:
    """Return one line for each comparison with a conductivity or an activation energy on either side."""
    return [
        _names(record)
        | {
            "T (K)": number(record.get("target_temperature_K"), 6),
            "sigma (mS/cm)": value_or_bound(record, "ionic_conductivity", "mS_cm"),
            "sigma of the reference": value_or_bound(record, "reference_ionic_conductivity", "mS_cm"),
            "ratio": ratio_text(record, "ionic_conductivity"),
            "Ea (eV)": _energy(record, ""),
            "Ea of the reference": _energy(record, "reference_"),
            "difference": with_interval(
                record.get("activation_energy_difference_eV"), record.get("activation_energy_difference_ci95_eV")
            ),
        }
        for record in records
        if known(record.get("target_temperature_K"))
    ]


def force_rows(records: Records) -> Rows:
    """Return one line for each comparison with forces."""
    return [
        _names(record)
        | {
            "frames": number(record.get("force_n_frames"), 9),
            "force MAE (eV/A)": with_interval(record["force_mae_eV_A"], record.get("force_mae_ci95_eV_A")),
            "RMSE (eV/A)": with_interval(record.get("force_rmse_eV_A"), record.get("force_rmse_ci95_eV_A")),
            "RMSE/rms": relative_error(record),
            "cosine": number(record.get("force_cosine_similarity"), 4),
            "slope": number(record.get("force_slope")),
            "MAE by element": each(record.get("force_mae_by_element_eV_A")),
            "energy MAE (meV/atom)": _milli(record.get("energy_mae_eV_atom")),
            "RMSE (meV/atom)": _milli(record.get("energy_rmse_eV_atom")),
        }
        for record in records
        if known(record.get("force_mae_eV_A"))
    ]


def structure_rows(records: Records) -> Rows:
    """Return one line for each comparison with trajectories."""
    return [
        _names(record)
        | {
            "g(r)": number(record.get("rdf_distance")),
            "halves of the reference": number(record.get("rdf_distance_of_reference_halves")),
            "by pair": each(record.get("rdf_distance_by_pair")),
            "vibrations": number(record.get("vdos_distance")),
        }
        for record in records
        if known(record.get("rdf_distance")) or known(record.get("vdos_distance"))
    ]


def cost_rows(records: Records) -> Rows:
    """Return one line for each comparison with a ledger on either side."""
    return [
        _names(record)
        | {
            "wall (s)": _both(record, "wall_s_per_step"),
            "times faster": number(record.get("wall_speed_ratio")),
            "core-seconds": _both(record, "core_s_per_step"),
            "times fewer": number(record.get("core_speed_ratio")),
            "GPU-seconds": _both(record, "gpu_s_per_step"),
            "all steps": " / ".join(duration(record.get(name)) for name in ("wall_time_s", "reference_wall_time_s")),
            "memory (MiB)": _both(record, "peak_memory_MiB"),
        }
        for record in records
        if known(record.get("wall_time_s")) or known(record.get("reference_wall_time_s"))
    ]


def missing_lines(records: Records) -> list[str]:
    """Return what could not be compared, and why, one line each."""
    return [f"{title(record)}: {line}" for record in records for line in sentences(record.get("missing"))]


def comparison_lines(attributes: Mapping[str, Any]) -> list[str]:
    """Return one comparison in lines.

    :param attributes: attributes of its node.
    """
    lines = [text(attributes.get("summary"))]
    for row in diffusivity_rows([attributes]):
        sides = f"{row['D* (cm2/s)']}, reference {row['of the reference']}, ratio {row['ratio']}"
        lines.append(f"D* at {row['T (K)']} K, cm2/s: {sides}")
    for row in conductivity_rows([attributes]):
        sides = f"{row['sigma (mS/cm)']}, reference {row['sigma of the reference']}, ratio {row['ratio']}"
        lines.append(f"ionic conductivity at {row['T (K)']} K, mS/cm: {sides}")
        sides = f"{row['Ea (eV)']}, reference {row['Ea of the reference']}, difference {row['difference']}"
        lines.append(f"activation energy, eV: {sides}")
    for row in force_rows([attributes]):
        lines.append(f"force MAE, eV/angstrom: {row['force MAE (eV/A)']}, by element {row['MAE by element']}")
        lines.append(f"force RMSE over the size of the forces: {row['RMSE/rms']}; slope {row['slope']}")
        lines.append(f"energy MAE, meV/atom: {row['energy MAE (meV/atom)']}")
    for row in structure_rows([attributes]):
        lines.append(f"g(r) distance: {row['g(r)']}, of the halves of the reference {row['halves of the reference']}")
        lines.append(f"vibrational distance: {row['vibrations']}")
    for row in cost_rows([attributes]):
        lines.append(f"wall time of a step, s: {row['wall (s)']} of the reference; {row['times faster']} times faster")
    return lines + [f"missing: {line}" for line in sentences(attributes.get("missing"))]


def title(record: Mapping[str, Any]) -> str:
    """Return which comparison it is."""
    return f"{text(record.get('formula'))}, {text(record.get('level_of_theory'))}"


def ratio_text(row: Mapping[str, Any], name: str) -> str:
    """Return a ratio with its interval, or its bound."""
    if known(row.get(f"{name}_ratio")):
        return number_or_interval(row[f"{name}_ratio"], row.get(f"{name}_ratio_ci95"))
    for bound, sign in (("upper", "<"), ("lower", ">")):
        if known(row.get(f"{name}_ratio_{bound}_bound")):
            return f"{sign} {number(row[f'{name}_ratio_{bound}_bound'])}"
    return "-"


def relative_error(record: Mapping[str, Any]) -> str:
    """Return the error of the forces relative to their size."""
    rms = record.get("reference_force_rms_eV_A")
    rmse = record.get("force_rmse_eV_A")
    return f"{rmse / rms:.1%}" if isinstance(rms, Real) and rms and isinstance(rmse, Real) else "-"


def each(values: Any) -> str:
    """Return named numbers in one line."""
    items = values.items() if isinstance(values, Mapping) else ()
    return ", ".join(f"{name} {number(value)}" for name, value in items) or "-"


def _names(record: Mapping[str, Any]) -> dict[str, str]:
    columns = {"material": "formula", "level of theory": "level_of_theory", "against": "reference_level_of_theory"}
    return {heading: text(record.get(name)) for heading, name in columns.items()}


def _energy(record: Mapping[str, Any], prefix: str) -> str:
    return with_interval(record.get(f"{prefix}activation_energy_eV"), record.get(f"{prefix}activation_energy_ci95_eV"))


def _milli(value: Any) -> str:
    return number(MEV_PER_EV * value) if isinstance(value, Real) and known(value) else "-"


def _both(record: Mapping[str, Any], name: str) -> str:
    return f"{number(record.get(name))} / {number(record.get(f'reference_{name}'))}"
