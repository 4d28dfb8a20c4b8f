"""What a process does or why it failed, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from aiida_ion.units import duration

STEPS = {"withscheduler": "runs", "uploading": "is uploaded", "retrieving": "is retrieved", "parsing": "is parsed"}


def state_text(row: Mapping[str, Any]) -> str:
    """Return the state of a row of `process_table` in words: what it waits for, or why it failed."""
    state = row["process_state"]
    if state == "finished" and row["exit_status"] == 0:
        return f"finished in {duration((row['mtime'] - row['ctime']).total_seconds())}"
    if state in ("finished", "excepted", "killed"):
        return f"{failure_kind(row)} {failure_reason(row)}"
    if _known(row["paused"]) and row["paused"]:
        return f"paused: {_text(row['process_status'])} ('verdi process play {row['pk']}' goes on)"
    return STEPS.get(str(row["state"]), "runs" if state == "running" else "waits")


def failure_kind(row: Mapping[str, Any]) -> str:
    """Return how a process that failed ended: with an exit code, by an exception, or killed."""
    state = row["process_state"]
    if state != "finished":
        return str(state).upper()
    return f"FAILED [{row['exit_status']:.0f}]" if _known(row["exit_status"]) else "FAILED"


def failure_reason(row: Mapping[str, Any]) -> str:
    """Return why a process failed: its exit message, or the last line of its exception, which names it."""
    if row["process_state"] == "finished":
        return _text(row["exit_message"])
    lines = str(row["exception"]).strip().splitlines() if _known(row["exception"]) else []
    return lines[-1] if lines else _text(row["process_status"])


def _known(value: Any) -> bool:
    return value is not None and not pd.isna(value)


def _text(value: Any) -> str:
    return str(value) if _known(value) else "-"
