"""Nodes and links as the real processes leave them, stored one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
from aiida import orm
from aiida.common.links import LinkType

from aiida_ion.aiida_private.caching import CACHED_FROM

FIT = {
    "formula": "Li3N",
    "level_of_theory": "PBE",
    "target_temperature_K": 800.0,
    "verdict": "moved",
    "grade": "B",
    "refused_because": None,
    "fit_consistent": True,
    "n_replicas": 1,
    "tracer_diffusivity_cm2_s": 1e-5,
    "tracer_diffusivity_ci95_cm2_s": [0.8e-5, 1.2e-5],
}
CONDUCTIVITY = {
    "formula": "Li3N",
    "level_of_theory": "PBE",
    "verdict": "measured",
    "target_temperature_K": 300.0,
    "ionic_conductivity_mS_cm": 1.5,
    "activation_energy_eV": 0.3,
    "temperatures_used_K": [801.3, 900.0],
    "temperatures_bound": [{"temperature_K": 500.0, "reason": "no diffusion detected"}],
    "temperatures_refused": [{"temperature_K": 600.0, "reason": "molten"}],
}


def job(kind: str, state: str = "finished", computer: orm.Computer | None = None, exit_status: int = 0) -> Any:
    """Return an unstored job."""
    node = orm.CalcJobNode(process_type=f"aiida.calculations:{kind}", computer=computer)
    node.set_process_state(state)
    if state == "finished":
        node.set_exit_status(exit_status)
    return node


def chain(kind: str = "ion.conductivity", state: str = "finished", exit_status: int = 0) -> Any:
    """Return an unstored work chain."""
    node = orm.WorkChainNode(process_type=f"aiida.workflows:{kind}")
    node.set_process_state(state)
    if state == "finished":
        node.set_exit_status(exit_status)
    return node


def function(name: str) -> Any:
    """Return an unstored calculation function."""
    return orm.CalcFunctionNode(process_type=f"aiida_ion.calculations.{name}")


def called(caller: Any, node: Any, label: str = "CALL") -> Any:
    """Have a stored work chain call a process that is not stored yet."""
    link = LinkType.CALL_WORK if isinstance(node, orm.WorkflowNode) else LinkType.CALL_CALC
    node.base.links.add_incoming(caller, link, label)
    return node


def given(node: Any, **inputs: Any) -> Any:
    """Give a process that is not stored yet its inputs, which are stored."""
    link = LinkType.INPUT_WORK if isinstance(node, orm.WorkflowNode) else LinkType.INPUT_CALC
    for label, value in inputs.items():
        node.base.links.add_incoming(value.store(), link, label)
    return node


def output(process: Any, node: Any, label: str, attributes: dict[str, Any] | None = None) -> Any:
    """Store a node as the output of a stored process."""
    node.base.attributes.set_many(attributes or {})
    link = LinkType.RETURN if isinstance(process, orm.WorkflowNode) else LinkType.CREATE
    if link == LinkType.RETURN:
        node.store()
    node.base.links.add_incoming(process, link, label)
    return node.store()


def trajectory() -> orm.TrajectoryData:
    """Return a frame of lithium."""
    node = orm.TrajectoryData()
    node.set_trajectory(["Li"], np.zeros((1, 1, 3)), cells=np.eye(3)[None], pbc=(True,) * 3)
    return node


def fit(
    attributes: dict[str, Any],
    md_seconds: tuple[float, ...] = (),
    twin_of: str | None = None,
    caller: Any = None,
) -> Any:
    """Store a fit, and the molecular dynamics behind each of its trajectories."""
    process = job("ion.diffusion") if caller is None else called(caller, job("ion.diffusion"), "fit_T_0800K")
    for index, seconds in enumerate(md_seconds):
        md = job("ion.mlip_md").store()
        output(md, orm.Dict(), "cost", {"wall_time_s": seconds})
        given(process, **{f"trajectories__replica_00_segment_{index:03d}": output(md, trajectory(), "trajectory")})
    process.store()
    if twin_of is not None:
        process.base.extras.set(CACHED_FROM, twin_of)
    output(process, orm.ArrayData(), "diffusion", FIT | attributes)
    return process


def conductivity_of(fits: list[Any], process: Any, attributes: dict[str, Any], cost_s: float | None = None) -> Any:
    """Store the conductivity that fits extrapolate to, returned by a stored work chain."""
    inputs = {f"T_{index:04d}K": one.outputs.diffusion for index, one in enumerate(fits)}
    made = given(called(process, function("conductivity.fit_conductivity")), **inputs).store()
    node = output(made, orm.ArrayData(), "result", CONDUCTIVITY | attributes)
    node.base.links.add_incoming(process, LinkType.RETURN, "conductivity")
    if cost_s is not None:
        output(process, orm.Dict(), "cost", {"wall_time_s": cost_s})
    return node
