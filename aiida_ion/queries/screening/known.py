"""Materials of screenings whose ionic conductivity was measured."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd

from aiida_ion.analysis.comparison.ranking import Measured
from aiida_ion.queries.experiments import experiments
from aiida_ion.queries.reading.kinds import read_number
from aiida_ion.queries.screening.crystals import crystal_facts

#: Temperatures of measurements that count as room temperature, K.
ROOM_K = (283.0, 313.0)
#: How a material is known to be the measured one, the surest first.
BY_CRYSTAL, BY_HASH, BY_FORMULA = "crystal", "same crystal in another cell", "composition"
KNOWN_COLUMNS = ("structure_uuid", "formula", "matched_by", "key", "log10_mS_cm", "is_bound", "n_measurements")


def known_materials(structure_uuids: Collection[str]) -> pd.DataFrame:
    """Return the crystals whose conductivity was measured at room temperature, each once: `KNOWN_COLUMNS`.

    A measurement belongs to a crystal if it is linked to it, or to one of the same hash, or, if there is neither, to
    one of the same reduced formula: of a composition with several polymorphs that says nothing about which of them was
    measured, so all of these have one ``key`` and count as one material. Several measurements count as their median; a
    bound only if there is no value, and then the lowest.

    :param structure_uuids: of the crystals.
    """
    measured = _measurements()
    if measured.empty:
        return pd.DataFrame(columns=list(KNOWN_COLUMNS))
    facts = crystal_facts(structure_uuids)
    of_measured = crystal_facts([uuid for uuid in measured["structure_uuid"] if isinstance(uuid, str)])
    hashes = [of_measured[uuid].structure_hash if uuid in of_measured else None for uuid in measured["structure_uuid"]]
    groups = {
        BY_CRYSTAL: _grouped(measured, list(measured["structure_uuid"])),
        BY_HASH: _grouped(measured, hashes),
        BY_FORMULA: _grouped(measured, list(measured["formula"])),
    }
    lines: list[dict[str, Any]] = []
    for uuid, crystal in facts.items():
        keys = {BY_CRYSTAL: uuid, BY_HASH: crystal.structure_hash, BY_FORMULA: crystal.formula}
        matched = next((how for how, key in keys.items() if key is not None and key in groups[how]), None)
        if matched is None:
            continue
        key = crystal.formula if matched == BY_FORMULA else crystal.structure_hash or uuid
        one, n_measurements = groups[matched][str(keys[matched])]
        about = {"structure_uuid": uuid, "formula": crystal.formula, "matched_by": matched, "key": f"{matched} {key}"}
        numbers = {"log10_mS_cm": one.log10_mS_cm, "is_bound": one.is_bound, "n_measurements": n_measurements}
        lines.append(about | numbers)
    return pd.DataFrame(lines, columns=list(KNOWN_COLUMNS))


def _measurements() -> pd.DataFrame:
    """Return the measurements at room temperature: crystal, formula, and logarithm of value or bound (mS/cm)."""
    table = experiments()
    table = table[table["temperature_K"].astype(float).between(*ROOM_K)]
    value = table["bulk_ionic_conductivity_mS_cm"].combine_first(table["ionic_conductivity_mS_cm"])
    bound = table["ionic_conductivity_upper_bound_mS_cm"]
    made = pd.DataFrame(
        {
            "structure_uuid": table["structure_uuid"],
            "formula": table["formula"],
            "value": [_logarithm(number) for number in value],
            "bound": [_logarithm(number) for number in bound],
        }
    )
    return made[made[["value", "bound"]].notna().any(axis=1)]


def _logarithm(number: Any) -> float:
    known = read_number(None if pd.isna(number) else float(number))
    return math.log10(known) if known is not None and known > 0 else math.nan


def _grouped(measured: pd.DataFrame, keys: list[Any]) -> dict[str, tuple[Measured, int]]:
    """Return the measured conductivity of each key, and from how many measurements."""
    rows: dict[str, list[tuple[float, float]]] = {}
    for key, value, bound in zip(keys, measured["value"], measured["bound"], strict=True):
        if isinstance(key, str) and key:
            rows.setdefault(key, []).append((value, bound))
    return {key: (_together(pairs), len(pairs)) for key, pairs in rows.items()}


def _together(pairs: list[tuple[float, float]]) -> Measured:
    values = [value for value, _ in pairs if np.isfinite(value)]
    if values:
        return Measured(float(np.median(values)))
    return Measured(float(min(bound for _, bound in pairs if np.isfinite(bound))), is_bound=True)
