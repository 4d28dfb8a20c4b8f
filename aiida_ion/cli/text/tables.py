"""Printed tables: values with their intervals, bounds where no diffusion was detected."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

import pandas as pd

from aiida_ion import units
from aiida_ion.cli.text.crystals import crystal_words
from aiida_ion.cli.text.pooled import without_members
from aiida_ion.cli.text.shown import SHOWN
from aiida_ion.queries.cells import known, records
from aiida_ion.verdicts import BOUND, MOVED, NOT_MEASURABLE, POORLY_KNOWN, is_poorly_known, useful_bound, words_of

Rows = list[dict[str, str]]


#: Longest text in a cell of a printed table; csv and json have all of it.
MAX_CELL = 100


def text_table(rows: Rows, style: str = "simple") -> str:
    """Return rows as text; ``style`` is a table format of tabulate."""
    from tabulate import tabulate  # type: ignore[import-untyped]

    shown = [{heading: _shortened(printable(cell)) for heading, cell in row.items()} for row in rows]
    return str(tabulate(shown, headers="keys", tablefmt=style, disable_numparse=True))


def printable(words: str) -> str:
    """Return text on one line, without control characters and what a terminal cannot show."""
    return "".join(letter if letter.isprintable() else " " if letter in "\t\n\r" else "?" for letter in words)


def _shortened(words: str) -> str:
    return words if len(words) <= MAX_CELL else words[: MAX_CELL - 3] + "..."


def number(value: Any, digits: int = 3) -> str:
    """Return a number with its significant digits, ``-`` for ``None``, anything else as text."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return text(value)
    return f"{value:.{digits}g}" if known(value) else "-"


def percent(value: Any) -> str:
    """Return a fraction as percent, ``-`` for ``None``."""
    return f"{value:.0%}" if isinstance(value, Real) and known(value) else "-"


def entries(value: Any) -> list[Mapping[str, Any]]:
    """Return the mappings in a list."""
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def sentences(value: Any) -> list[str]:
    """Return a list of texts; a single text is a list of one."""
    return [str(one) for one in value] if isinstance(value, list) else [value] if isinstance(value, str) else []


def with_interval(value: Any, interval: Any, digits: int = 3) -> str:
    """Return ``value [low, high]``, the 95 % interval."""
    if not known(value):
        return "-"
    if not isinstance(interval, (list, tuple)) or len(interval) != 2:
        return number(value, digits)
    return f"{number(value, digits)} [{number(interval[0], digits)}, {number(interval[1], digits)}]"


def value_or_bound(row: Mapping[str, Any], name: str, unit: str) -> str:
    """Return a quantity with its interval, or its upper bound; never a number where no diffusion was detected.

    A poorly known one has only its interval.
    """
    interval = interval_of(row, name, unit)
    if row.get("verdict") == POORLY_KNOWN and known(interval):
        return poorly_known_words(interval)
    if known(row.get(f"{name}_{unit}")) and row.get("verdict") not in (BOUND, NOT_MEASURABLE):
        return number_or_interval(row[f"{name}_{unit}"], interval, row.get("max_interval_decades"))
    bound = useful_bound(row, name, unit)
    if bound is not None:
        return f"< {number(bound)}"
    return words_of(NOT_MEASURABLE) if row.get("verdict") == NOT_MEASURABLE else "-"


def number_or_interval(value: Any, interval: Any, max_interval_decades: Any = None) -> str:
    """Return ``value [low, high]``, or ``poorly known [low, high]`` if the interval spans too many decades."""
    if known(interval) and is_poorly_known(interval[0], interval[1], max_interval_decades):
        return poorly_known_words(interval)
    return with_interval(value, interval)


def poorly_known_words(interval: Sequence[Any]) -> str:
    """Return the words for a number of which only an interval over decades is known."""
    return f"poorly known [{number(interval[0])}, {number(interval[1])}]"


def interval_of(row: Mapping[str, Any], name: str, unit: str) -> Any:
    """Return the 95 % interval of a quantity: a list, as in attributes, or two columns, as in tables."""
    whole = row.get(f"{name}_ci95_{unit}")
    edges = [row.get(f"{name}_ci95_{end}_{unit}") for end in ("low", "high")]
    return whole if known(whole) else edges if all(map(known, edges)) else None


def duration(seconds: Any) -> str:
    """Return a duration in a readable unit, ``-`` for none."""
    return units.duration(float(seconds)) if isinstance(seconds, Real) and known(seconds) else "-"


def rows_of(name: str, table: pd.DataFrame) -> Rows:
    """Return the rows of a table for display.

    :param name: function of `aiida_ion.queries` that made it.
    """
    if name not in SHOWN:
        return {"diffusion": diffusion_rows, "conductivity": conductivity_rows}[name](table)
    shown = SHOWN[name]
    if name == "materials":
        table = table.assign(crystal=crystal_words(records(table)))
    return [{heading: _cell(column, row[column], row) for column, heading in shown.items()} for row in records(table)]


def _cell(column: str, value: Any, row: Mapping[str, Any]) -> str:
    if column == "ionic_conductivity_mS_cm":
        return value_or_bound(row, "ionic_conductivity", "mS_cm")
    if column == "ionic_conductivity_ratio":
        edges = [row.get(f"{column}_ci95_{end}") for end in ("low", "high")]
        return number_or_interval(value, edges if all(map(known, edges)) else None)
    if column in ("wall_time_s", "cpu_time_s", "core_s", "cpu_s"):
        return duration(value)
    if column == "checkpoint_sha256":
        return text(value)[:8]
    return number(value, 4) if isinstance(value, float) else text(value)


def diffusion_rows(table: pd.DataFrame) -> Rows:
    """Return one line for each fit; those that a later round replaced are only in csv and json."""
    return [
        {
            "material": text(row["formula"]),
            "crystal": crystal,
            "level of theory": text(row["level_of_theory"]),
            "T (K)": number(row["target_temperature_K"], 6),
            "verdict": _diffusive(row),
            "D* (cm2/s)": value_or_bound(row, "tracer_diffusivity", "cm2_s"),
            "sigma (mS/cm)": value_or_bound(row, "ionic_conductivity", "mS_cm"),
            "hops": number(row["n_eff"]),
            "grade": text(row["grade"]),
            "wall time": duration(row["wall_time_s"]),
            "node": str(row["pk"]),
        }
        for row, crystal in _with_crystals(without_members(table))
        if not row.get("superseded")
    ]


def _diffusive(row: Mapping[str, Any]) -> str:
    if row.get("verdict") == NOT_MEASURABLE:  # such as of members of which some have no run
        return words_of(NOT_MEASURABLE)
    if not row["moved"]:
        return "no diffusion detected"
    others = [
        species for species in str(row.get("moved_species") or "").split() if species != row.get("mobile_species")
    ]
    verdict = words_of(POORLY_KNOWN if row.get("verdict") == POORLY_KNOWN else MOVED)
    return f"{verdict}; {', '.join(others)} too" if others else verdict


def conductivity_rows(table: pd.DataFrame) -> Rows:
    """Return one line for each conductivity; those of ordered cells are in the pooled one of their crystal."""
    any_pooled = "n_members" in table and bool(table["n_members"].notna().any())
    return [
        {
            "material": text(row["formula"]),
            "crystal": crystal,
            "level of theory": text(row["level_of_theory"]),
            "T (K)": number(row["target_temperature_K"], 6),
            "verdict": words_of(text(row["verdict"])),
            "sigma (mS/cm)": value_or_bound(row, "ionic_conductivity", "mS_cm"),
            **({"cells": number(row["n_members"], 4)} if any_pooled else {}),
            "Ea (eV)": with_interval(row["activation_energy_eV"], interval_of(row, "activation_energy", "eV")),
            "from (K)": row["temperatures_used_K"] or "-",
            "not used (K)": ", ".join(filter(None, (row["temperatures_bound_K"], row["temperatures_refused_K"])))
            or "-",
            "wall time": duration(row["wall_time_s"]),
            "node": str(row["pk"]),
        }
        for row, crystal in _with_crystals(without_members(table))
    ]


def _with_crystals(table: pd.DataFrame) -> list[tuple[dict[str, Any], str]]:
    """Return the rows, each with its crystal in words."""
    rows = records(table)
    return list(zip(rows, crystal_words(rows), strict=True))


def engine_rows(table: pd.DataFrame) -> Rows:
    """Return one line for each engine; columns about training where a potential was trained here."""
    any_trained = bool(table["dataset_uuid"].notna().any())
    return [
        {
            "engine": text(row["name"]),
            "computer": text(row["computer"]),
            "kind": text(row["entry_point"]),
            "potential": " ".join(text(row[key]) for key in ("potential", "model") if known(row[key]))
            or "each run's own",
            "job options": option_text(row["job_options"]),
            "most jobs": number(row["max_jobs"]),
            "versions": version_text(row["versions"]),
            "checkpoint": text(row["checkpoint_sha256"])[:8],
            "steps/s": number(row["steps_per_s"]),
            "tested": text(row["tested"])[:16].replace("T", " ") if known(row["tested"]) else "never",
            **(_training_cells(row) if any_trained else {}),
        }
        for row in records(table)
    ]


def _training_cells(row: Mapping[str, Any]) -> dict[str, str]:
    """Return what a line says of the training of a potential."""
    is_trained = known(row["dataset_uuid"])
    return {
        "parent": text(row["parent"]) if known(row["parent"]) else "scratch" if is_trained else "-",
        "dataset": text(row["dataset_uuid"])[:8] if is_trained else "-",
        "force MAE eV/A": number(row["held_out_force_mae_eV_A"]),
    }


def option_text(options: Any) -> str:
    """Return the job options of an engine in one line."""
    items = options.items() if isinstance(options, Mapping) else ()
    return ", ".join(f"{key} {value if isinstance(value, str) else json.dumps(value)}" for key, value in items) or "-"


def version_text(versions: Any, skip: Sequence[str] = ("python", "numpy", "checkpoint")) -> str:
    """Return the main versions in one line."""
    if not isinstance(versions, Mapping):
        return "-"
    items = [(key, value) for key, value in versions.items() if key not in skip and isinstance(value, str)]
    return ", ".join(f"{key} {value}" for key, value in items if not key.endswith("sha256")) or "-"


def csv_text(table: pd.DataFrame) -> str:
    """Return a table as csv, lists and mappings in its cells as JSON."""
    flat = table.astype(object).map(lambda value: json.dumps(value) if isinstance(value, (list, dict)) else value)
    return str(flat.to_csv(index=False)).rstrip("\n")


def json_text(tables: Mapping[str, pd.DataFrame]) -> str:
    """Return tables by their names as JSON; missing values are null."""
    content = {name: records(table) for name, table in tables.items()}
    return json.dumps(content, indent=2, default=str, allow_nan=False)


def text(value: Any) -> str:
    """Return a value as text, ``-`` for ``None``."""
    return str(value) if known(value) else "-"
