"""From a crystal or a run, and an engine, to labelled frames: the checked builder of ``ion.labels``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiida import orm
from aiida.common.log import override_log_level
from aiida.plugins import WorkflowFactory

from aiida_ion.aiida_private.builders import validate_builder
from aiida_ion.batch_runs import inputs_of_run
from aiida_ion.calculations.training.generated import generate_frames, pick_frames
from aiida_ion.calculations.training.sources import trajectory_key
from aiida_ion.campaigns.training.stored import gather_trajectories
from aiida_ion.engine_kinds import kind_of
from aiida_ion.engines.engine import load_engine
from aiida_ion.engines.jobs import check_jobs, engine_choices, job_options
from aiida_ion.engines.requests import JobRequest
from aiida_ion.messages import one_line
from aiida_ion.training.generated import GenerateSettings
from aiida_ion.training.picking import PickSettings
from aiida_ion.workchains.md.requests import EngineRequest, changed_fields

#: Name of the frames among the inputs and outputs of ``ion.labels``.
FRAMES = "frames"


@dataclass(frozen=True)
class LabelRequest:
    """What is asked of the engine that labels.

    :param engine: its name.
    :param protocol: of electrons; that of :class:`~aiida_ion.workchains.md.facts` where not given.
    :param changes: what the labels change about the engine.
    :param jobs: cores, wall time and scheduler of each job.
    :param max_concurrent: single points at a time, of a DFT engine.
    """

    engine: str
    protocol: str | None = None
    changes: EngineRequest = field(default_factory=EngineRequest)
    jobs: JobRequest = field(default_factory=JobRequest)
    max_concurrent: int = 1


def label_engine(structure: orm.StructureData, request: LabelRequest) -> dict[str, Any]:
    """Return engine and job options as inputs of ``ion.labels``; nothing is stored.

    :param structure: the cell of the frames.
    :raises ValueError: if the engine cannot label frames of this crystal, or its jobs cannot run.
    """
    engine = load_engine(request.engine)
    if engine.md.forces_class is None and engine.md.single_points is None:
        raise ValueError(f"{request.engine} evaluates no stored frames")
    foreign = [name for name in changed_fields(request.changes) if name not in engine.md.run_options]
    if foreign:
        raise ValueError(f"--{foreign[0]} is not an option of {request.engine}, which is {kind_of(engine.entry_point)}")
    check_jobs(engine.job, engine.code.computer, engine.jobs, request.jobs)
    choices = engine.md.with_run_options(engine_choices(engine), request.changes)
    inputs = engine.md.engine_inputs(structure, request.protocol, **choices)
    return {
        "entry_point": orm.Str(engine.entry_point),
        "engine": {name: value for name, value in inputs.items() if name != "metadata"},
        "options": job_options(engine.jobs, request.jobs),
        "max_concurrent": request.max_concurrent,
    }


def displaced_frames(structure: orm.StructureData, settings: Mapping[str, Any]) -> orm.TrajectoryData:
    """Return stored frames of ``ion.generate_frames``.

    :param settings: of :class:`~aiida_ion.training.generated.GenerateSettings`.
    """
    with override_log_level():
        parameters = orm.Dict(GenerateSettings.from_dict(settings).to_dict())
        frames: orm.TrajectoryData = generate_frames(structure, parameters)
    return frames


def picked_frames(trajectories: Sequence[orm.TrajectoryData], settings: Mapping[str, Any]) -> orm.TrajectoryData:
    """Return stored frames of ``ion.pick_frames``.

    :param trajectories: of the same atoms.
    :param settings: of :class:`~aiida_ion.training.picking.PickSettings`; they count for each trajectory.
    """
    nodes = {trajectory_key(number): one for number, one in enumerate(trajectories)}
    with override_log_level():
        frames: orm.TrajectoryData = pick_frames(orm.Dict(PickSettings.from_dict(settings).to_dict()), **nodes)
    return frames


def runs_of(node: orm.Node) -> tuple[list[orm.TrajectoryData], orm.StructureData]:
    """Return the trajectories behind a node, and the crystal that they are runs of.

    :raises ValueError: if there are none, or they have no such crystal.
    """
    trajectories = [one for one in gather_trajectories(node) if one.get_shape("positions")[0]]
    if not trajectories:
        raise ValueError(f"node {node.pk} has no trajectory; name a crystal, a conductivity, a run or a trajectory")
    crystal = inputs_of_run(trajectories[0]).get("structure")
    if crystal is None:
        raise ValueError(f"trajectory {trajectories[0].pk} is of no run: its crystal is not known")
    return trajectories, crystal


def labels_builder(
    structure: orm.StructureData, frames: orm.TrajectoryData, engine: Mapping[str, Any], label: str
) -> Any:
    """Return the checked builder of ``ion.labels``.

    :param structure: the cell of the frames.
    :param engine: see :func:`label_engine`.
    :param label: of the work chain.
    :raises ValueError: if it cannot be submitted; the message says why.
    """
    chain: Any = WorkflowFactory("ion.labels")
    builder = chain.get_builder()
    builder.structure = structure
    builder.trajectories = {FRAMES: frames}
    for name, value in engine.items():
        setattr(builder, name, value)
    builder.metadata.label = label
    problem = validate_builder(builder)
    if problem is not None:
        raise ValueError(one_line(problem))
    return builder
