"""What runs and how far it is: the table of processes, and the progress files of jobs that run."""

from __future__ import annotations

import json
import re
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import pandas as pd
from aiida import orm
from aiida.common.exceptions import AiidaException

from aiida_ion.calculations.md import start_step
from aiida_ion.cli.tables import duration, known, text
from aiida_ion.lammps.logs import read_progress
from aiida_ion.queries import last_decisions, process_table

REFRESH_S = 2.0
#: Where the output is kept instead of redrawn.
REFRESH_LOG_S = 20.0
#: Without --all, what ended longer ago than this is left out.
RECENT = timedelta(days=1)


#: Job -> the file in its folder that says how far it is.
PROGRESS_FILES = {
    "ion.mlip_md": "progress.json",
    "ion.forces": "progress.json",
    "ion.lammps_md": "log.lammps",
    "ion.quantumespresso_md": "md.out",
    "ion.vasp_md": "vasprun.xml",
}


@dataclass(frozen=True)
class Progress:
    """How far a running job is.

    :param step: last step.
    :param n_steps: steps of the whole run.
    :param steps_per_s: speed.
    :param seconds_left: time that is still needed at that speed, s.
    """

    step: int
    n_steps: int
    steps_per_s: float | None = None
    seconds_left: float | None = None

    def __str__(self) -> str:
        share = f"{100 * self.step / self.n_steps:.0f} %" if self.n_steps else ""
        words = [f"step {self.step} of {self.n_steps} ({share})"]
        if self.steps_per_s:
            words.append(f"{self.steps_per_s:.3g} steps/s")
        if self.seconds_left is not None:
            words.append(f"{duration(self.seconds_left)} left")
        return ", ".join(words)


def watch(pks: Sequence[int], everything: bool = False) -> None:
    """Show the processes again and again until all have ended; on a terminal in place, else now and then.

    :param pks: only these and what they called; empty for all.
    :param everything: also what ended long ago.
    """
    on_terminal = click.get_text_stream("stdout").isatty()
    while True:
        table = current(pks, everything)
        if on_terminal:
            click.clear()
        click.echo(render(table) + ("" if on_terminal else "\n"))
        if not table["active"].any():
            return
        time.sleep(REFRESH_S if on_terminal else REFRESH_LOG_S)


def current(pks: Sequence[int] = (), everything: bool = False) -> pd.DataFrame:
    """Return the processes to show."""
    since = None if everything or pks else datetime.now(UTC) - RECENT
    return process_table(since=since, pks=pks or None)


def render(table: pd.DataFrame) -> str:
    """Return the processes as a tree, each with its state and, where it runs, its progress."""
    if table.empty:
        return "Nothing runs and nothing ended today. Start with 'aiida-ion run'; older ones: 'aiida-ion status --all'."
    rows = {int(row["pk"]): row for row in table.to_dict("records")}
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
    lines: list[str] = []
    for root in roots:
        _branch(root, rows, children, progress, 0, lines)
    active = int(table["active"].sum())
    lines.append(f"{active} active, {len(table) - active} ended.")
    return "\n".join(lines)


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


def state_text(row: Any) -> str:
    """Return the state of a process in words: what it waits for, or why it failed."""
    state = row["process_state"]
    if state == "finished" and row["exit_status"] == 0:
        return f"finished in {duration((row['mtime'] - row['ctime']).total_seconds())}"
    if state == "finished":
        return f"FAILED [{row['exit_status']:.0f}] {text(row['exit_message'])}"
    if state in ("excepted", "killed"):
        return f"{state.upper()} {_last_line(row['exception']) or text(row['process_status'])}"
    if known(row["paused"]) and row["paused"]:
        return f"paused: {text(row['process_status'])} ('verdi process play {row['pk']}' goes on)"
    steps = {"withscheduler": "runs", "uploading": "is uploaded", "retrieving": "is retrieved", "parsing": "is parsed"}
    return steps.get(str(row["state"]), "runs" if state == "running" else "waits")


def _last_line(exception: Any) -> str:
    """Return the last line of a traceback, where the error says what it is."""
    return str(exception).strip().splitlines()[-1] if known(exception) and str(exception).strip() else ""


def read_job_progress(row: Any) -> Progress | None:
    """Return how far a running MD job is, read from its folder on its computer; nothing where it does not say."""
    kind = str(row["process_type"]).rpartition(":")[2]
    source = PROGRESS_FILES.get(kind)
    if source is None or not known(row["remote_workdir"]):
        return None
    node = orm.load_node(int(row["pk"]))
    try:
        with tempfile.TemporaryDirectory() as folder, node.get_authinfo().get_transport() as transport:
            local = Path(folder) / source
            transport.getfile(str(Path(row["remote_workdir"]) / source), str(local))
            return _parse(kind, local.read_text(errors="replace"), node)
    except (OSError, ValueError, KeyError, AiidaException):
        return None  # not begun yet, or its computer does not answer


def _parse(kind: str, content: str, node: Any) -> Progress | None:
    if PROGRESS_FILES[kind] == "progress.json":
        said = json.loads(content)
        return Progress(said["step"], said["n_steps"], said.get("steps_per_s"), said.get("seconds_left"))
    n_steps = int(node.inputs.parameters.get_dict()["n_steps"])
    start = start_step(node.inputs)
    step = read_progress(content, n_steps)[0] if kind == "ion.lammps_md" else start + _dft_steps(kind, content)
    elapsed = (datetime.now(UTC) - node.ctime).total_seconds()
    rate = (step - start) / elapsed if step > start and elapsed > 0 else None
    return Progress(step, n_steps, rate, (n_steps - step) / rate if rate else None)


def _dft_steps(kind: str, content: str) -> int:
    """Return how many steps a DFT program has done from where its job started."""
    if kind == "ion.vasp_md":
        return max(0, content.count("</calculation>") - 1)  # the first evaluates where it starts
    found = re.findall(r"Entering Dynamics:\s+iteration =\s+(\d+)", content)
    return max(0, int(found[-1]) - 1) if found else 0
