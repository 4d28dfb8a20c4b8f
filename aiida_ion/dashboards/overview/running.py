"""What runs now: each work chain with its temperatures done of planned, its jobs, and its expected end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
from dash import html
from dash.development.base_component import Component

from aiida_ion.dashboards.components import badge, progress_bar, uuid_label
from aiida_ion.dashboards.figures.theme import formula_label
from aiida_ion.queries.reading.shared import CONDUCTIVITY_PROCESS, ENSEMBLE_PROCESS
from aiida_ion.queries.running import activity
from aiida_ion.queries.running.ensembles import member_progress
from aiida_ion.queries.running.progress import Progress, read_job_progress
from aiida_ion.queries.running.states import state_text
from aiida_ion.queries.running.temperatures import TemperatureProgress, temperature_progress
from aiida_ion.units import duration

#: Maximum number of running work chains shown, of jobs whose folder is read, and of lines on the progress of one.
MOST_RUNNING, MOST_READ, MOST_MEMBERS = 12, 8, 6


def running(table: pd.DataFrame, read: bool) -> list[Component]:
    """Return the running work chains with their jobs.

    :param table: of `running_now`.
    :param read: also read the jobs' progress from their folders, which takes longer.
    """
    if table.empty:
        return [html.P("Nothing is running.", className="muted")]
    records: list[dict[Any, Any]] = table.to_dict("records")
    roots = [record for record in records if record["pk"] == record["root_pk"]]
    jobs = [record for record in records if record["state"] == "withscheduler"]
    shown = {root["pk"] for root in roots[-MOST_RUNNING:]}
    progress = {
        entry["pk"]: read_job_progress(entry) for entry in jobs[:MOST_READ] if read and entry["root_pk"] in shown
    }
    names = activity.about([root["pk"] for root in roots])
    stages = _stages([record for record in records if record["root_pk"] in shown], jobs, progress)
    items = [
        html.Li(
            [
                _head(root, names),
                *stages.get(root["pk"], []),
                *[_job(job, progress.get(job["pk"])) for job in jobs if job["root_pk"] == root["pk"]],
            ]
        )
        for root in reversed(roots)
        if root["pk"] in shown
    ]
    more = len(roots) - len(items)
    rest = html.P(f"and {more} more: aiida-ion status lists them all", className="muted") if more > 0 else None
    return [html.Ul(items, className="list"), *([rest] if rest else [])]


def _stages(
    records: Sequence[Mapping[str, Any]], jobs: Sequence[Mapping[str, Any]], progress: Mapping[int, Progress | None]
) -> dict[int, list[Component]]:
    """Return how far the conductivities and ensembles below each topmost process are, by its pk."""
    now = datetime.now(UTC)
    left_s = {
        int(job["caller_pk"]): known.seconds_left
        for job in jobs
        if (known := progress.get(job["pk"])) and known.seconds_left is not None and not pd.isna(job["caller_pk"])
    }
    conductivities = [record for record in records if record["process_type"] == CONDUCTIVITY_PROCESS]
    lines: dict[int, list[Component]] = {}
    members = member_progress([row["pk"] for row in records if row["process_type"] == ENSEMBLE_PROCESS])
    for row in records:
        if row["pk"] in members:
            lines.setdefault(row["root_pk"], []).append(html.Div(members[row["pk"]], className="line job muted"))
    known_stages = temperature_progress([row["pk"] for row in conductivities])
    for row in conductivities:
        of_root = lines.setdefault(row["root_pk"], [])
        if row["pk"] in known_stages and len(of_root) < MOST_MEMBERS:
            name = "" if row["pk"] == row["root_pk"] else f"conductivity {row['pk']}"
            of_root.append(_stage(name, known_stages[row["pk"]], now, left_s))
    return lines


def _stage(name: str, known: TemperatureProgress, now: datetime, left_s: Mapping[int, float]) -> Component:
    """Return temperatures done of those planned, and when the runs of this round are expected to end."""
    words = f"{known.n_done} of {known.n_temperatures} temperatures"
    if known.n_runs > known.n_temperatures:
        words += f", {known.n_ended} of {known.n_runs} runs"
    if known.round_number > 1:
        words += f", extended, round {known.round_number}"
    left = known.seconds_left(now, left_s)
    end = "" if left is None else "its runs have ended" if known.n_ended >= known.n_runs else _expected(left)
    if left is None and known.n_ended:
        end = "longer than the runs that have ended"
    bar = progress_bar(known.n_ended / known.n_runs if known.n_runs else None, words)
    parts = [html.Span(name, className="muted")] if name else []
    return html.Div([*parts, bar, html.Span(end, className="end")], className="line job")


def _head(process: Mapping[str, Any], names: pd.DataFrame) -> Component:
    """Return the description of a process and its start time."""
    since = duration(max((datetime.now(UTC) - process["ctime"]).total_seconds(), 0))
    line = [
        badge(state_text(process).split(":")[0], "active"),
        *name_parts(process, names),
        uuid_label(process["uuid"]),
    ]
    return html.Div([*line, html.Span(f"for {since}", className="end")], className="line")


def _job(job: Mapping[str, Any], progress: Progress | None) -> Component:
    """Return the progress of a job, its speed and its expected end."""
    kind = html.Span(f"{kind_of(job)} {job['pk']}", className="muted")
    if progress is None or not progress.n_steps:
        return html.Div([kind, html.Span("on its computer", className="muted")], className="line job")
    words = f"{progress.unit} {progress.step:,} of {progress.n_steps:,}"
    if progress.steps_per_s:
        words += f", {progress.steps_per_s:.3g} {progress.unit}s/s"
    bar = progress_bar(progress.step / progress.n_steps, words)
    remaining = _expected(progress.seconds_left) if progress.seconds_left is not None else ""
    remaining = f"nothing written for {duration(progress.silent_s or 0.0)}" if progress.is_silent else remaining
    end = [html.Span(remaining, className="end")] if remaining else []
    return html.Div([kind, bar, *end], className="line job")


def _expected(seconds: float) -> str:
    """Return the expected end in local time."""
    end = datetime.now().astimezone() + timedelta(seconds=seconds)
    return f"{duration(seconds)} left, until {end:%H:%M}" + (f" on {end:%d %b}" if seconds > 43_200 else "")


def kind_of(process: Mapping[str, Any]) -> str:
    """Return the kind of a process, such as ``conductivity`` or ``mlip_md``."""
    return str(process["process_type"]).rpartition(":")[2].removeprefix("ion.")


def name_parts(process: Mapping[str, Any], names: pd.DataFrame) -> list[Component]:
    """Return crystal, engine and kind of a process."""
    about = names.loc[process["pk"]] if process["pk"] in names.index else {}
    crystal = next((text for text in (process["label"], about.get("structure")) if isinstance(text, str) and text), "")
    engine = about.get("engine")
    parts = [html.Strong(formula_label(crystal))] if crystal else []
    words = [kind_of(process), *([engine] if isinstance(engine, str) else [])]
    return [*parts, html.Span(" · ".join(words), className="muted")]
