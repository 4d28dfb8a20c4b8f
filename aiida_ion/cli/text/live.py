"""Processes and their progress, as a tree."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import click
import pandas as pd

from aiida_ion.cli.services.daemon import ask
from aiida_ion.cli.text.tables import printable
from aiida_ion.queries import last_decisions, process_table
from aiida_ion.queries.cells import known
from aiida_ion.queries.reading.shared import ENSEMBLE_PROCESS
from aiida_ion.queries.running.ensembles import member_progress
from aiida_ion.queries.running.progress import read_job_progress
from aiida_ion.queries.running.states import state_text, waits_for_place
from aiida_ion.queries.screening.decisions import SCREENING
from aiida_ion.queries.screening.report import progress_words
from aiida_ion.units import duration

REFRESH_S = 2.0
#: Where the output is kept instead of redrawn.
REFRESH_LOG_S = 20.0
#: Without --all, processes that ended longer ago than this are left out.
RECENT = timedelta(days=1)
#: A daemon that answers asks about its jobs far more often than this, s.
LONG_SILENCE_S = 3600.0


def watch(pks: Sequence[int], everything: bool = False, profile: Any = None) -> None:
    """Show the processes repeatedly until all have ended; a terminal is redrawn.

    :param pks: only these and what they called; empty for all.
    :param everything: also those that ended long ago.
    :param profile: whose daemon is asked whether it runs, while something is active.
    """
    on_terminal = click.get_text_stream("stdout").isatty()
    while True:
        table = current(pks, everything)
        if on_terminal:
            click.clear()
        click.echo(render(table, profile) + ("" if on_terminal else "\n"))
        if not table["active"].any():
            return
        time.sleep(REFRESH_S if on_terminal else REFRESH_LOG_S)


def current(pks: Sequence[int] = (), everything: bool = False) -> pd.DataFrame:
    """Return the processes to show."""
    since = None if everything or pks else datetime.now(UTC) - RECENT
    return process_table(since=since, pks=pks or None)


def render(table: pd.DataFrame, profile: Any = None) -> str:
    """Return the processes as a tree, each with its state and, if it runs, its progress.

    :param profile: whose daemon is asked whether it runs, while something is active.
    """
    if table.empty:
        return (
            "Nothing is running and nothing ended today. Start with 'aiida-ion run'; older: 'aiida-ion status --all'."
        )
    rows: dict[int, Any] = {int(row["pk"]): row for row in table.to_dict("records")}
    children: dict[int, list[int]] = {}
    roots = []
    for pk, row in rows.items():
        caller = None if pd.isna(row["caller_pk"]) else int(row["caller_pk"])
        if caller in rows:
            children.setdefault(int(caller or 0), []).append(pk)
        else:
            roots.append(pk)
    progress: dict[int, Any] = {
        pk: read_job_progress(row) for pk, row in rows.items() if row["state"] == "withscheduler"
    }
    progress |= last_decisions([pk for pk, row in rows.items() if row["active"]]) if table["active"].any() else {}
    progress |= _screenings(rows) | _ensembles(rows)
    lines: list[str] = []
    for root in roots:
        _branch(root, rows, children, progress, 0, lines)
    active = table[table["active"]]
    lines.append(f"{len(active)} active, {len(table) - len(active)} ended.")
    n_waiting = sum(waits_for_place(rows[int(pk)]) is not None for pk in active["pk"])
    if n_waiting:
        jobs = "1 job waits" if n_waiting == 1 else f"{n_waiting} jobs wait"
        lines.append(f"{jobs} for a place on a computer; 'aiida-ion computer' shows the limits.")
    if len(active) and profile is not None:
        lines += _daemon_lines(active, profile)
    return "\n".join(map(printable, lines))


def _screenings(rows: dict[int, Any]) -> dict[int, str]:
    """Return how far the active screenings are, by pk."""
    active = [pk for pk, row in rows.items() if row["active"] and row["process_type"] == SCREENING]
    return {pk: words for pk in active if (words := progress_words(pk))}


def _ensembles(rows: dict[int, Any]) -> dict[int, str]:
    """Return how far the members of active ensembles are, by pk."""
    return member_progress(
        [pk for pk, row in rows.items() if row["active"] and row["process_type"] == ENSEMBLE_PROCESS]
    )


def _daemon_lines(active: pd.DataFrame, profile: Any) -> list[str]:
    """Return what stops active processes: a daemon that does not run, and the time since their last sign of life."""
    if profile.process_control_backend is None:
        return []
    trouble = ask(profile).trouble(profile.name)
    heard = last_heard(active)
    now = datetime.now(UTC)
    silence_s = (now - heard).total_seconds() if heard is not None else 0.0
    since = f"{heard.astimezone():%Y-%m-%d %H:%M}, {duration(max(silence_s, 0.0))} ago" if heard is not None else "-"
    if trouble:
        return [f"Processes make no progress: {trouble}. Last heard of these processes: {since}."]
    if silence_s > LONG_SILENCE_S:
        return [f"Nothing heard of these processes since {since}, though the daemon answers: see 'verdi process list'."]
    return []


def last_heard(active: pd.DataFrame) -> datetime | None:
    """Return when AiiDA last wrote about processes, or asked a scheduler about one."""
    asked = pd.to_datetime(active["scheduler_lastchecktime"], utc=True, errors="coerce", format="ISO8601")
    newest = pd.concat([active["mtime"], asked]).dropna().max()
    return None if pd.isna(newest) else newest.to_pydatetime()


def _branch(
    pk: int,
    rows: dict[int, Any],
    children: dict[int, list[int]],
    progress: dict[int, Any],
    depth: int,
    lines: list[str],
) -> None:
    row = rows[pk]
    name = row["link_label"] if depth and known(row["link_label"]) and row["link_label"] != "CALL" else row["label"]
    kind = str(row["process_type"]).rpartition(":")[2]
    words = f"{'  ' * depth}{pk}  {kind}  {name or ''}".rstrip()
    lines.append(f"{words}: {state_text(row)}{f', {progress[pk]}' if progress.get(pk) else ''}")
    for child in children.get(pk, []):
        _branch(child, rows, children, progress, depth + 1, lines)
