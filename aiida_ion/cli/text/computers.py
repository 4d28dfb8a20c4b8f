"""Computers with their limits, and the jobs there."""

from __future__ import annotations

from typing import Any

import pandas as pd

from aiida_ion.cli.text.tables import number, text_table
from aiida_ion.queries.cells import known, records


def computer_text(table: pd.DataFrame) -> str:
    """Return the computers, one a line."""
    return text_table(
        [
            {
                "computer": str(row["computer"]),
                "scheduler": str(row["scheduler"]),
                "cores": _of(row["cores_in_use"], row["cores"]),
                "memory (GiB)": _of(row["memory_in_use_GiB"], row["memory_GiB"]),
                "jobs": _of(row["n_running"], row["jobs"]),
                "waiting": number(row["n_waiting"]),
                "limits": "set" if row["limits_set"] else "default",
                "poll interval (s)": number(row["poll_interval_s"]),
            }
            for row in records(table)
        ]
    )


def place_text(table: pd.DataFrame) -> str:
    """Return the jobs of a computer, one a line; nothing where there are none."""
    if table.empty:
        return ""
    rows = [
        {
            "job": str(row["pk"]),
            "state": "runs" if row["runs"] else "waits",
            "cores": number(row["cores"]),
            "memory (GiB)": number(row["memory_GiB"]),
            "since": f"{row['since'].to_pydatetime().astimezone():%Y-%m-%d %H:%M:%S}",
        }
        for row in records(table)
    ]
    return "\n" + text_table(rows)


def _of(used: Any, limit: Any) -> str:
    """Return what is in use, and of how much where there is a limit."""
    return f"{number(used)} of {number(limit)}" if known(limit) else f"{number(used)}, no limit"
