"""The nodes of a dataset's sources -> labelled runs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiida import orm

from aiida_ion.batch_runs import inputs_of_run, replica_of
from aiida_ion.calculations.training.levels import Level, level_of

#: Names of the inputs: the trajectory of a source, and what holds its labels.
NAME = re.compile(r"(trajectory|thermo|labels)_(\d+)")


@dataclass(frozen=True)
class Source:
    """One trajectory with its labels.

    :param key: name of its trajectory among the inputs.
    :param trajectory: its frames.
    :param thermo: energies at every step; ``None`` where the labels have them.
    :param labels: energies and forces of some of its frames by another level of theory; ``None`` where those of the
        run itself count.
    :param level: what made the labels.
    :param run: number of the run that it is a segment of.
    """

    key: str
    trajectory: orm.TrajectoryData
    thermo: orm.ArrayData | None
    labels: orm.ArrayData | None
    level: Level
    run: int

    @property
    def name(self) -> str:
        """How messages call it."""
        label = f" {self.trajectory.label}" if self.trajectory.label else ""
        return f"trajectory {self.trajectory.pk}{label}"

    @property
    def temperature_K(self) -> float | None:  # noqa: N802
        """Target temperature of the run."""
        value = self.trajectory.base.attributes.get("target_temperature_K", None)
        return None if value is None else float(value)


def trajectory_key(index: int) -> str:
    """Return the name of a trajectory among the inputs."""
    return f"trajectory_{index:03d}"


def sources_of(nodes: Mapping[str, Any], runs: Mapping[str, int] | None = None) -> list[Source]:
    """Return the sources among the inputs, in the order of their numbers.

    :param runs: number of the run of each source, by the name of its trajectory; where not given, segments that
        continue each other, as their jobs say, are one run.
    :raises ValueError: for an unknown name, or thermo or labels without a trajectory.
    """
    groups: dict[int, dict[str, Any]] = {}
    for name, node in nodes.items():
        match = NAME.fullmatch(name)
        if match is None:
            raise ValueError(f"{name} is not an input of a dataset; names are like {trajectory_key(0)} and thermo_000")
        if (match[1], int(match[2])) in {(kind, number) for number, one in groups.items() for kind in one}:
            raise ValueError(f"{name} has the number of another input")
        groups.setdefault(int(match[2]), {})[match[1]] = node
    if not groups:
        raise ValueError(f"a dataset needs at least one trajectory; name it {trajectory_key(0)}")
    lone = [number for number, group in groups.items() if "trajectory" not in group]
    if lone:
        raise ValueError(f"thermo or labels number {lone[0]} have no trajectory with that number")
    ordered = [groups[number] for number in sorted(groups)]
    keys = [trajectory_key(number) for number in sorted(groups)]
    numbers = run_numbers([group["trajectory"] for group in ordered])
    return [
        Source(
            key,
            group["trajectory"],
            group.get("thermo"),
            group.get("labels"),
            level_of(group.get("labels") or group["trajectory"]),
            (runs or {}).get(key, number),
        )
        for key, group, number in zip(keys, ordered, numbers, strict=True)
    ]


def run_numbers(trajectories: Sequence[orm.TrajectoryData]) -> list[int]:
    """Return the number of the run of each trajectory: jobs that continue another one's state are of its run."""
    roots = [_first_job(node) for node in trajectories]
    order: dict[str, int] = {}
    return [order.setdefault(root, len(order)) for root in roots]


def _first_job(trajectory: orm.TrajectoryData) -> str:
    """Return what tells apart the beginnings of runs: the job, and the replica there; the trajectory without a job."""
    node: orm.Data = trajectory
    while (state := inputs_of_run(node).get("restart_from")) is not None and isinstance(state.creator, orm.CalcJobNode):
        node = state
    job, key = replica_of(node)
    return f"{job.uuid} {key or ''}".strip() if isinstance(job, orm.CalcJobNode) else str(trajectory.uuid)
