"""The replicas of ``ion.replicas`` as plain data: what each has, and whether it goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict

from aiida import orm

from aiida_ion.calculations.mlip.batch_results import UNFINISHED

#: Outputs by replica -> those of a job of a single run.
PORTS = {"trajectories": "trajectory", "thermo": "thermo", "states": "state", "costs": "cost"}
#: Status of replicas of a work chain that did not get on.
GAVE_UP = "gave_up"


class Progress(TypedDict):
    """One replica."""

    #: Pk of each job that it got on in, and its key there; ``None`` for a job of a single run.
    segments: list[list[Any]]
    status: str
    message: str
    #: What its `statuses` say beside.
    first_step: NotRequired[int]
    last_step: NotRequired[int]


def begin(keys: Sequence[str], found: Mapping[str, list[list[Any]]]) -> dict[str, Progress]:
    """Return all replicas before the first batch.

    :param found: the segments of those that were run before.
    """
    return {
        key: Progress(segments=found[key], status="finished", message="It was run before.")
        if key in found
        else Progress(segments=[], status="waiting", message="")
        for key in keys
    }


def unfinished(replicas: Mapping[str, Progress]) -> list[str]:
    """Return the keys of replicas that go on, in their order."""
    return [key for key, one in replicas.items() if one["status"] in UNFINISHED]


def record(
    replicas: Mapping[str, Progress], statuses: Mapping[str, Mapping[str, Any]], pk: int
) -> tuple[dict[str, Progress], bool]:
    """Return the replicas after a batch, and whether any got on, or ended.

    A segment counts if it left a later state, or ended its run.

    :param statuses: of the batch.
    :param pk: of its job.
    """
    after, progressed = dict(replicas), False
    for key, ended in statuses.items():
        one = replicas[key].copy()
        one["status"], one["message"] = str(ended["status"]), str(ended["message"])
        one["last_step"] = max(int(ended["last_step"]), one.get("last_step", 0))
        got_on = int(ended["last_step"]) > int(ended["first_step"])
        if got_on or one["status"] not in UNFINISHED:
            one["segments"] = [*one["segments"], [pk, key]]
            progressed = True
        after[key] = one
    return after, progressed


def give_up(replicas: Mapping[str, Progress], reason: str) -> dict[str, Progress]:
    """Return the replicas of a work chain that ends before they have."""
    left = set(unfinished(replicas))
    return {
        key: Progress(**{**one, "status": GAVE_UP, "message": reason}) if key in left else one
        for key, one in replicas.items()
    }


def outputs_of(segment: Sequence[Any]) -> dict[str, Any]:
    """Return what a segment has, by the names of :data:`PORTS`."""
    pk, key = segment
    outputs: Any = orm.load_node(pk).outputs
    if key is None:
        return {port: outputs[name] for port, name in PORTS.items() if name in outputs}
    return {port: outputs[port][key] for port in PORTS if port in outputs and key in outputs[port]}
