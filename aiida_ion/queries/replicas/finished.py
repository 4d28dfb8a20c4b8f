"""Runs that are in the database already, alone or in batches, with the very inputs of a replica."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from aiida import orm

from aiida_ion import __version__
from aiida_ion.aiida_private.caching import HASH
from aiida_ion.batch_runs import BATCH_JOB, REPLICAS, STRUCTURE, inputs_of_run, replica_of

SINGLE_JOB = "aiida.calculations:ion.mlip_md"
#: Inputs whose content decides a run, beside structure and MD settings. The code stands for the program's versions.
SAME = ("code", "potential", "checkpoint", "watch")
#: MD settings that do not change a run.
BESIDE = ("restart_every_seconds",)


class Segment(NamedTuple):
    """A job, and the key of the replica there; ``None`` for a job of one run."""

    pk: int
    replica: str | None


def finished_replicas(
    inputs: Mapping[str, Any], settings: Mapping[str, Mapping[str, Any]]
) -> dict[str, list[list[Any]]]:
    """Return the segments of each replica that was run before from its first to its last step, in the order of time.

    Each segment is the pk of a job and the key there, ``None`` for a job of one run.
    Only runs of this version of the package count, as for conductivities.

    :param inputs: of a batch, all stored.
    :param settings: key -> all MD settings of the replica, defaults included.
    """
    found: dict[str, list[list[Any]]] = {}
    own = {name: _content(inputs.get(name)) for name in SAME}
    listed = inputs[REPLICAS].get_dict()
    for name, structure in inputs["structures"].items():
        keys = [key for key, entry in listed.items() if entry[STRUCTURE] == name]
        charges = (inputs.get("charges") or {}).get(name)
        for trajectory in _trajectories(structure):
            run = inputs_of_run(trajectory)
            if not keys or {port: _content(run.get(port)) for port in SAME} != own or "initial_velocities" in run:
                continue
            if _plain(run.get("charges")) != _plain(charges):
                continue
            same = [key for key in keys if key not in found and _is_same(run["parameters"].get_dict(), settings[key])]
            segments = _segments(trajectory, settings[same[0]]) if same else None
            if segments:
                found[same[0]] = [list(segment) for segment in segments]
    return found


def _trajectories(structure: orm.StructureData) -> Iterator[orm.TrajectoryData]:
    """Yield the trajectories of runs of a crystal with this content that ended as they should, newest first."""
    digest: Any = structure.base.caching.get_hash()
    query = orm.QueryBuilder().append(orm.StructureData, filters={HASH: digest}, tag="crystal")
    jobs = {"process_type": {"in": [SINGLE_JOB, BATCH_JOB]}, "attributes.version.plugin": __version__}
    query.append(orm.CalcJobNode, with_incoming="crystal", filters=jobs, edge_project=["label"], tag="job")
    query.append(orm.TrajectoryData, with_incoming="job", project=["*"], tag="trajectory")
    query.order_by({"trajectory": {"id": "desc"}})
    for trajectory, label in query.iterall():
        job, key = replica_of(trajectory)
        if job is None or (key is None and job.exit_status != 0):
            continue
        if key is not None and not _is_finished(job, key, str(label).partition("__")[2]):
            continue
        yield trajectory


def _is_finished(job: Any, key: str, structure: str) -> bool:
    """Whether a replica of a batch is of this structure, and reached its last step."""
    entry = job.inputs[REPLICAS].get_dict().get(key) or {}
    statuses = job.outputs.statuses.get_dict() if "statuses" in job.outputs else {}
    return entry.get(STRUCTURE) == structure and (statuses.get(key) or {}).get("status") == "finished"


def _is_same(run: Mapping[str, Any], settings: Mapping[str, Any]) -> bool:
    """Whether settings are those of a run; what a run leaves out has its default, as ``settings`` say."""
    known = {**settings, **run}
    return all(_value(known[name]) == _value(settings.get(name)) for name in known if name not in BESIDE)


def _segments(trajectory: orm.TrajectoryData, settings: Mapping[str, Any]) -> list[Segment] | None:
    """Return the segments of a run that ends with a trajectory; ``None`` where it did not begin at its first step."""
    segments: list[Segment] = []
    node: Any = trajectory
    while True:
        job, key = replica_of(node)
        run = inputs_of_run(node)
        if job is None or "initial_velocities" in run:
            return None
        if not _is_same(run["parameters"].get_dict() | {"n_steps": settings["n_steps"]}, settings):
            return None
        segments.insert(0, Segment(int(job.pk or 0), key))
        node = run.get("restart_from")
        if node is None:
            return segments


def _content(node: Any) -> Any:
    """Return what two nodes have in common where they mean the same."""
    if node is None:
        return None
    if isinstance(node, orm.Dict):
        return node.get_dict()
    return node.uuid if isinstance(node, orm.AbstractCode) else node.base.caching.compute_hash()


def _plain(node: orm.Dict | None) -> dict[str, Any]:
    return node.get_dict() if node is not None else {}


def _value(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
