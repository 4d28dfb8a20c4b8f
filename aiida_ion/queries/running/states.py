"""State of a process, or why it failed, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from aiida import orm

from aiida_ion.exit_codes import is_usable
from aiida_ion.places.turnstile import WAITS
from aiida_ion.queries.running.queued import other_options, queue_words
from aiida_ion.units import duration

#: Maximum number of characters of a reason.
LONGEST_REASON = 240
#: A scheduler's refusal ends with its error stream.
_REFUSED = "stderr="
STEPS = {"withscheduler": "runs", "uploading": "is uploaded", "retrieving": "is retrieved", "parsing": "is parsed"}


def state_text(row: Mapping[str, Any]) -> str:
    """Return the state of a row of `process_table` in words: what it is waiting for, or why it failed."""
    state = row["process_state"]
    if state == "finished" and row["exit_status"] == 0:
        return f"finished in {duration((row['mtime'] - row['ctime']).total_seconds())}"
    if state in ("finished", "excepted", "killed"):
        return f"{failure_kind(row)} {failure_reason(row)}"
    if _known(row["paused"]) and row["paused"]:
        return _paused_text(row)
    if waiting := waits_for_place(row) or queue_words(row):
        return waiting
    return STEPS.get(str(row["state"]), "runs" if state == "running" else "waits")


def _paused_text(row: Mapping[str, Any]) -> str:
    """Return why AiiDA paused a process and how it goes on; the queue may refuse the same job for ever."""
    error = _last_error(int(row["pk"]))
    words = _error_words(error)
    why = f"{_text(row['process_status'])}{f' ({words})' if words else ''}"
    otherwise = f"; if it cannot be, {other_options(row)}" if _REFUSED in error else ""
    return f"paused: {why}; when that is fixed, 'verdi process play {row['pk']}' resumes it{otherwise}"


def waits_for_place(row: Mapping[str, Any]) -> str | None:
    """Return for what place a job of `process_table` waits, nothing where it does not."""
    status = _text(row["process_status"])
    ended = row["process_state"] in ("finished", "excepted", "killed")
    return f"waits for{status.removeprefix('Waiting for')}" if status.startswith(WAITS) and not ended else None


def pause_reason(pk: int) -> str | None:
    """Return the last error (of the scheduler or the transport) before AiiDA paused a process.

    AiiDA keeps it only in the log of the process, as a traceback.
    """
    return _error_words(_last_error(pk))


def _last_error(pk: int) -> str:
    """Return the newest error in the log of a process."""
    query = orm.QueryBuilder()
    query.append(orm.Node, filters={"id": pk}, tag="node")
    query.append(orm.Log, with_node="node", filters={"levelname": "ERROR"}, project=["message"], tag="log")
    return str(query.order_by({"log": {"time": "desc"}}).limit(1).first(flat=True) or "")


def _error_words(error: str) -> str | None:
    """Return the line of an error that names its cause."""
    lines = [line.strip() for line in error.rpartition(_REFUSED)[2].splitlines() if line.strip()]
    if not lines:
        return None
    text = next((line for line in lines if "error" in line.lower()), lines[-1]) if _REFUSED in error else lines[-1]
    return text[:LONGEST_REASON]


def failure_kind(row: Mapping[str, Any]) -> str:
    """Return how a process ended that did not simply finish: by an exit code or an exception, or killed."""
    state = row["process_state"]
    if state != "finished":
        return str(state).upper()
    if not _known(row["exit_status"]):
        return "FAILED"
    return f"{'WARNING' if is_usable(int(row['exit_status'])) else 'FAILED'} [{row['exit_status']:.0f}]"


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
