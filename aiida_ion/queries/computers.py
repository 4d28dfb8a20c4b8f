"""The computers, their limits, and the jobs that run or wait there."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd
from aiida import orm

from aiida_ion.places.ledger import Ledger
from aiida_ion.places.limits import limits_of, own_limits
from aiida_ion.places.turnstile import ended_jobs, ledger_path

COMPUTER_COLUMNS = [
    *("pk", "computer", "scheduler", "cores", "memory_GiB", "jobs", "limits_set"),
    *("n_running", "cores_in_use", "memory_in_use_GiB", "n_waiting", "poll_interval_s"),
]
PLACE_COLUMNS = ["pk", "computer", "cores", "memory_GiB", "runs", "since"]


def place_table() -> pd.DataFrame:
    """Return one row for each of our jobs that is on a computer or waits for a place there, the first to come first.

    ``runs`` says which; ``since`` is when it came.
    """
    ledger = Ledger(ledger_path())
    entries = ledger.entries() if ledger.path.exists() and not ledger.is_new() else []
    gone = ended_jobs(entry.demand.uuid for entry in entries)
    labels = dict(orm.QueryBuilder().append(orm.Computer, project=["uuid", "label"]).all())
    rows = [
        {
            "pk": entry.demand.pk,
            "computer": labels.get(entry.demand.computer),
            "cores": entry.demand.cores,
            "memory_GiB": entry.demand.memory_GiB,
            "runs": entry.holds,
            "since": datetime.fromtimestamp(entry.since, UTC),
        }
        for entry in entries
        if entry.demand.uuid not in gone
    ]
    return pd.DataFrame(rows, columns=PLACE_COLUMNS)


def computer_table() -> pd.DataFrame:
    """Return one row for each computer: its limits, None where there is none, and what is in use of them."""
    places, rows = place_table(), []
    for computer in orm.QueryBuilder().append(orm.Computer).all(flat=True):
        limits, here = limits_of(computer), places[places["computer"] == computer.label]
        running = here[here["runs"].astype(bool)]
        rows.append(
            {
                "pk": computer.pk,
                "computer": computer.label,
                "scheduler": computer.scheduler_type,
                "cores": limits.cores,
                "memory_GiB": limits.memory_GiB,
                "jobs": limits.jobs,
                "limits_set": sorted(own_limits(computer)),
                "n_running": len(running),
                "cores_in_use": int(running["cores"].sum()),
                "memory_in_use_GiB": float(running["memory_GiB"].astype(float).sum()),
                "n_waiting": len(here) - len(running),
                "poll_interval_s": float(computer.get_minimum_job_poll_interval()),
            }
        )
    table = pd.DataFrame(rows, columns=COMPUTER_COLUMNS)
    return table.sort_values("computer", ignore_index=True).astype({"cores": object, "jobs": object})
