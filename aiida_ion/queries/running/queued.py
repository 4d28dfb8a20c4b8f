"""Jobs that wait in the queue of a scheduler: why, and what to do about those that will never start."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

#: Beginning of one of Slurm's reasons (JOB REASON CODES of squeue's manual) -> why such a job does not start by itself.
#: Reasons that time alone resolves, such as Priority and Resources, are not among them.
_STUCK = {
    "PartitionTimeLimit": "it asks for more wall time than its partition allows",
    "PartitionNodeLimit": "it asks for more nodes than its partition allows",
    "PartitionDown": "its partition is closed",
    "PartitionInactive": "its partition is closed",
    "BadConstraints": "no node has what it asks for",
    "InvalidAccount": "its account is not valid",
    "InvalidQOS": "its quality of service is not valid",
    "AccountNotAllowed": "its account may not use this partition",
    "QOSNotAllowed": "its quality of service may not use this partition",
    "AssocMaxWallDurationPerJobLimit": "it asks for more wall time than its account allows",
    "QOSMaxWallDurationPerJobLimit": "it asks for more wall time than its quality of service allows",
    "AssocGrpCPUMinutesLimit": "the computing time of its account is used up",
    "AssocGrpBillingMinutes": "the computing time of its account is used up",
    "QOSGrpCPUMinutesLimit": "the computing time of its quality of service is used up",
}
#: The same -> what helps without another run.
_RELEASED = {
    "JobHeldUser": "it is held: 'scontrol release' with its number in the queue lets it start",
    "JobHeldAdmin": "the operators of the cluster hold it: ask them",
    "launch_failed_requeued_held": "its node failed: 'scontrol release' with its number in the queue lets it start",
    "launch failed requeued held": "its node failed: 'scontrol release' with its number in the queue lets it start",
    "ReqNodeNotAvail": "its nodes are down or reserved, for maintenance for example",
}


def queue_words(row: Mapping[str, Any]) -> str | None:
    """Return why a job of `process_table` waits in the queue of its scheduler, nothing where it does not.

    The reason is that of AiiDA's last look at the queue, as old as the computer's poll interval.
    """
    if row["state"] != "withscheduler" or not str(row["scheduler_state"]).startswith("queued"):
        return None
    reason = "" if pd.isna(row["annotation"]) else str(row["annotation"]).strip()
    if not reason or reason == "None":
        return "waits in the queue"
    words = f"waits in the queue ({reason})"
    if advice := _of(_RELEASED, reason):
        return f"{words}: {advice}"
    if stuck := _of(_STUCK, reason):
        return f"{words}: {stuck}; {other_options(row)}"
    return words


def other_options(row: Mapping[str, Any]) -> str:
    """Return how a run whose job options do not suit the queue is ended and repeated."""
    return f"'verdi process kill {row['root_pk']}' ends the run: repeat it with other --job-options"


def _of(table: Mapping[str, str], reason: str) -> str | None:
    return next((words for beginning, words in table.items() if reason.startswith(beginning)), None)
