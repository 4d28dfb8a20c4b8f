"""Scans of cut-offs and k-points with a registered engine."""

from __future__ import annotations

from typing import Any

from aiida import orm
from aiida.common.log import override_log_level
from aiida.engine import run_get_node
from aiida.plugins import WorkflowFactory

from aiida_ion.engines.engine import Engine
from aiida_ion.engines.jobs import check_jobs, engine_choices, job_options
from aiida_ion.engines.requests import JobRequest

#: Its thresholds of the electrons are tight enough for differences of forces.
PROTOCOL = "stringent"


def run_scan(
    engine: Engine,
    structure: orm.StructureData,
    scan: Any,
    trajectory: str | None = None,
    jobs: JobRequest | None = None,
) -> Any:
    """Run a scan here and now; single points that the database has are taken from there.

    :param engine: the engine.
    :param structure: the cell that will be simulated.
    :param scan: what is asked for, a ``Scan`` of the work chain.
    :param trajectory: pk or uuid of a stored run, whose frames the scan names.
    :param jobs: what is asked of the single points; it wins over the engine's own.
    :returns: the node of the work chain.
    :raises ValueError: if the engine converges no electrons, or the scan cannot be made.
    """
    points = engine.md.single_points
    if points is None:
        raise ValueError(f"{engine.name} has no cut-offs to converge: it is not a DFT engine")
    requests = (engine.jobs, jobs or JobRequest())
    check_jobs(engine.job, engine.code.computer, *requests)
    inputs = engine.md.engine_inputs(structure, PROTOCOL, **engine_choices(engine))
    chain: Any = WorkflowFactory("ion.convergence")
    builder = chain.get_builder()
    builder.structure = structure
    builder.entry_point = orm.Str(engine.entry_point)
    builder.engine = {name: value for name, value in inputs.items() if name != "metadata"}
    builder.parameters = orm.Dict(chain.parameters_of(scan, points, structure, inputs))
    builder.options = job_options(*requests)
    if trajectory is not None:
        builder.trajectory = _trajectory(trajectory)
    with override_log_level():  # the caller says what went wrong, in one line
        return run_get_node(builder)[1]


def _trajectory(name: str) -> orm.TrajectoryData:
    node = orm.load_node(name)
    if not isinstance(node, orm.TrajectoryData):
        raise ValueError(f"{name} is a {node.__class__.__name__}, not a trajectory")
    return node
