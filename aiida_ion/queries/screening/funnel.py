"""The funnel of a screening: how many materials each stage kept, also while it is running."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pandas as pd

from aiida_ion.queries.reading.kinds import Attributes, read_attributes, read_number
from aiida_ion.queries.screening.chains import StageFacts, chains, is_active, stages_of
from aiida_ion.queries.screening.decisions import VERDICTS, stored_decisions
from aiida_ion.queries.screening.jobs import jobs_of
from aiida_ion.units import S_PER_HOUR

#: States of a stage.
ENDED, RUNNING, WAITING, NEVER = "ended", "running", "waiting", "not reached"
COUNTS = ("n_materials", *(f"n_{verdict}" for verdict in VERDICTS), "n_not_reached", "n_goes_on")
OF_JOBS = ("n_computed", "n_running", "n_jobs", "n_jobs_running")
FUNNEL_COLUMNS = (
    *("stage", "method", "state", *COUNTS, *OF_JOBS),
    *("quantity", "cut_maximum", "cut_minimum", "core_s", "seconds_left_s"),
    *("max_materials", "max_core_hours", "first_error"),
)


def funnel(pk: int, made: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return one row for each stage of a screening, in order: `FUNNEL_COLUMNS`.

    ``n_materials`` reached the stage; of these ``n_not_reached`` were left by its budget, and ``n_goes_on`` reached the
    next one. ``n_computed`` and ``n_running`` are of materials in ended and in active processes of the stage, without
    those whose result was known before. ``core_s`` was spent by this screening. ``seconds_left_s`` of a running stage
    is extrapolated from the processes that have ended; it is missing as long as none has.

    :param pk: of the screening.
    :param made: the result of :func:`~aiida_ion.queries.screening.decisions.stored_decisions` for it, if available.
    :raises LookupError: if there is no such screening.
    """
    table = chains([pk])
    if table.empty:
        raise LookupError(f"there is no screening with the pk {pk}; 'aiida-ion table screenings' lists them")
    row = table.to_dict("records")[0]
    stages, active = stages_of(row), is_active(row)
    rows = stored_decisions([pk]) if made is None else made
    jobs = jobs_of(pk, [stage.name for stage in stages])
    summary = {str(entry.get("stage")): read_attributes(entry) for entry in row["summary"]}
    alive, lines, open_stage = len(row["materials"]), [], True
    for stage in stages:
        mine = rows[rows["stage"] == stage.name]
        state = _state(len(mine) > 0 or stage.name in summary, active and alive > 0, open_stage)
        open_stage = open_stage and state == ENDED
        line = _line(stage, state, alive, mine, jobs[jobs["stage"] == stage.name], summary.get(stage.name))
        alive = line["n_goes_on"] if state == ENDED else 0 if state == NEVER else alive
        lines.append(line)
    return _typed(pd.DataFrame(lines, columns=list(FUNNEL_COLUMNS)))


def _state(has_ended: bool, is_running: bool, is_next: bool) -> str:
    if has_ended:
        return ENDED
    if not is_running:
        return NEVER
    return RUNNING if is_next else WAITING


def _line(
    stage: StageFacts, state: str, alive: int, mine: pd.DataFrame, jobs: pd.DataFrame, summary: Attributes | None
) -> dict[str, Any]:
    counts = {f"n_{verdict}": int((mine["verdict"] == verdict).sum()) for verdict in VERDICTS}
    goes_on = int(mine["goes_on"].sum())
    failed = mine.loc[mine["verdict"] == "error", "reason"].dropna()
    entered = alive if state in (ENDED, RUNNING) else None
    return {
        "stage": stage.name,
        "method": stage.method,
        "state": state,
        "n_materials": entered,
        **(counts if state == ENDED else {}),
        "n_not_reached": max(alive - len(mine), 0) if state == ENDED else None,
        "n_goes_on": goes_on if state == ENDED else None,
        "n_computed": int(jobs.loc[~jobs["active"], "n_materials"].sum()),
        "n_running": int(jobs.loc[jobs["active"], "n_materials"].sum()),
        "n_jobs": len(jobs),
        "n_jobs_running": int(jobs["active"].sum()),
        **{f"cut_{name}": read_number(stage.of_cut(name)) for name in ("maximum", "minimum")},
        "quantity": stage.of_cut("quantity") if isinstance(stage.of_cut("quantity"), str) else None,
        "core_s": _spent(jobs, summary),
        "seconds_left_s": _seconds_left(jobs, _within_budget(stage, alive)) if state == RUNNING else None,
        **{name: read_number(stage.of_budget(name)) for name in ("max_materials", "max_core_hours")},
        "first_error": failed.iloc[0] if len(failed) else None,
    }


def _spent(jobs: pd.DataFrame, summary: Attributes | None) -> float | None:
    """Return the core seconds of a stage: from its summary, else from the ledgers of its processes."""
    hours = read_number(summary["core_hours"]) if summary is not None else None
    if hours is not None:
        return float(hours) * S_PER_HOUR
    known = jobs["core_s"].dropna()
    return float(known.sum()) if len(known) else None


def _seconds_left(jobs: pd.DataFrame, n_materials: int) -> float | None:
    """Return the time left of a stage if the rest is as quick as what has ended, s.

    Materials whose result was known before are counted with the rest until the stage has ended, so that it is an upper
    estimate.
    """
    done = jobs[~jobs["active"]]
    n_done = int(done["n_materials"].sum())
    if not n_done:
        return None
    elapsed_s = (datetime.now(UTC) - pd.to_datetime(jobs["time"], utc=True).min()).total_seconds()
    return max(elapsed_s, 0.0) / n_done * max(n_materials - n_done, 0)


def _within_budget(stage: StageFacts, n_materials: int) -> int:
    most = read_number(stage.of_budget("max_materials"))
    return n_materials if most is None else min(n_materials, int(most))


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    numbers = [name for name in FUNNEL_COLUMNS if name.startswith(("n_", "cut_", "max_")) or name.endswith("_s")]
    table = table.assign(**{name: pd.to_numeric(table[name], errors="coerce").astype(float) for name in numbers})
    return table.astype(dict.fromkeys([*COUNTS, *OF_JOBS], "Int64"))
