"""Rows of the cards of potentials: what computed forces, what is known of it, its errors and its cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from aiida_ion.dashboards import accuracy, tables
from aiida_ion.dashboards.comparing import all_pairs, default_reference, level_names, measurements
from aiida_ion.dashboards.numbers import short
from aiida_ion.dashboards.pairs import EXPERIMENT, scores
from aiida_ion.dashboards.quantities import QUANTITIES
from aiida_ion.queries.potentials import potential_origins

#: Cards that are shown, those with most runs; machines that a card names.
MOST, MOST_MACHINES = 24, 3


def catalogue() -> list[dict[str, Any]]:
    """Return a row of `aiida_ion.queries.potentials` for each potential, the most used first.

    Each has ``has_file`` and ``citation`` of `aiida_ion.queries.potentials.potential_origins`, too.
    """
    table = tables.derived("described potentials", _described)
    return [{str(key): value for key, value in record.items()} for record in table.to_dict("records")]


def _described() -> pd.DataFrame:
    table = tables.table("potentials").sort_values("n_runs", ascending=False, kind="stable").head(MOST)
    origins = potential_origins([str(uuid) for uuid in table["job_uuid"]])
    facts = [origins[str(uuid)] for uuid in table["job_uuid"]]
    return table.assign(**{name: [fact[name] for fact in facts] for name in ("has_file", "citation")}).astype(object)


def n_left_out() -> int:
    """Return the number of potentials without a card."""
    return max(len(tables.table("potentials")) - MOST, 0)


def levels_of(record: Mapping[str, Any]) -> list[str]:
    """Return the levels of theory that runs of a potential carry."""
    stated = str(record["levels_of_theory"] or "")
    return [level for level in level_names() if level == stated or level in stated.split(", ")]


def training_of(record: Mapping[str, Any]) -> pd.Series[Any] | None:
    """Return the training whose weights these are, by their hash; ``None`` for what was not trained here."""
    sha256, table = record["checkpoint_sha256"], tables.table("trainings")
    if not isinstance(sha256, str) or table.empty:
        return None
    rows = table[table["sha256"] == sha256]
    return None if rows.empty else rows.iloc[0]


def error_lines(levels: list[str]) -> list[str]:
    """Return one sentence for each error that is known: conductivities and forces, against what, of how many."""
    reference = default_reference()
    against = [name for name in (reference, EXPERIMENT if len(measurements()) else None) if name]
    several = len(levels) > 1
    lines = []
    for level in levels:
        start = f"{level}: " if several else ""
        for name in dict.fromkeys(against):
            if name != level:
                lines += [f"{start}{line}" for line in _conductivity_errors(level, name)]
        lines += [f"{start}{line}" for line in _force_errors(level, reference)]
    return lines


def _conductivity_errors(level: str, reference: str) -> list[str]:
    table = all_pairs(QUANTITIES["conductivity"], reference)
    table = scores(table[table["y_level_of_theory"] == level], QUANTITIES["conductivity"])
    return [
        f"σ against {reference}: MAE {score['mae']:.2f} decades, bias {round(score['bias'], 2) + 0.0:+.2f}, "
        f"{score['n_pairs']} pairs"
        for score in table.to_dict("records")
        if score["n_pairs"]
    ]


def _force_errors(level: str, reference: str | None) -> list[str]:
    table = tables.table("comparison")
    rows = table[(table["level_of_theory"] == level) & (table["reference_level_of_theory"] == reference)]
    errors = pd.to_numeric(rows["force_mae_eV_A"], errors="coerce").dropna()
    if errors.empty:
        return []
    return [f"forces against {reference}: MAE {short(float(errors.median()))} eV/Å, the median of {len(errors)}"]


def cost_lines(levels: list[str]) -> list[str]:
    """Return one sentence for each kind of machine: the time of a step and an atom, the fastest first."""
    table = accuracy.cost_summary(tables.table("cost"))
    table = table[table["level_of_theory"].isin(levels)].dropna(subset=["wall_us_per_step_atom"])
    rows = table.sort_values("wall_us_per_step_atom").head(MOST_MACHINES).to_dict("records")
    several = len(levels) > 1
    return [
        f"{row['level_of_theory'] + ': ' if several else ''}{short(row['wall_us_per_step_atom'])} µs per step and atom"
        f" on {_machine(row)}, the median of {row['n_jobs']} jobs"
        for row in rows
    ]


def _machine(row: Mapping[Any, Any]) -> str:
    parts = [str(row[name]) for name in ("hardware", "device", "computer") if row[name] not in ("-", None, "")]
    return ", ".join(dict.fromkeys(parts)) or "an unknown machine"
