"""Engines of potentials that were trained here: their code, their trust, and where they come from."""

from __future__ import annotations

from typing import Any

from aiida import orm

from aiida_ion.calculations.training.bounds import run_watch
from aiida_ion.calculations.training.trained import JOB, device_of, potential_settings
from aiida_ion.engine_kinds import entry_point_of
from aiida_ion.engines.codes import check_free, code_of, new_code, retire, runs
from aiida_ion.engines.engine import Engine
from aiida_ion.engines.environments import PYTHON_KIND

CHAIN = "aiida.workflows:ion.training"
FIRST = "member_1"


def members_of(training: orm.ProcessNode) -> dict[str, Any]:
    """Return the job of each member of a training that left a potential, by its name.

    :param training: an ``ion.training`` or ``ion.train``.
    :raises ValueError: if it is neither, has not ended, or left no potential.
    """
    if not training.is_terminated:
        raise ValueError(f"the training {training.pk} has not ended: wait for it")
    if training.process_type == JOB:
        jobs: dict[str, Any] = {FIRST: training}
    elif training.process_type == CHAIN:
        links = training.base.links.get_outgoing(node_class=orm.CalcJobNode).all()
        jobs = {link.link_label: link.node for link in links}
    else:
        raise ValueError(f"{training.pk} is not a training: give an ion.training or an ion.train")
    trained = {name: job for name, job in jobs.items() if "potential" in job.outputs}
    if not trained:
        raise ValueError(f"the training {training.pk} left no potential that a Python runs: {training.exit_message}")
    return dict(sorted(trained.items(), key=lambda item: int(item[0].rpartition("_")[2])))


def register_trained(training: orm.ProcessNode, name: str, replaces: bool = False) -> list[Engine]:
    """Register an engine for each potential of a training: ``name``, ``name-2``, ``name-3`` ...

    It runs by the Python that trained it, on the same computer.

    :param training: an ``ion.training`` or ``ion.train`` that has ended.
    :param name: of the first engine.
    :param replaces: hide codes of these names that run another program.
    :raises ValueError: if a name is taken, or a potential cannot be used.
    """
    jobs = members_of(training)
    engines = []
    for position, (member, job) in enumerate(jobs.items(), start=1):
        label = name if position == 1 else f"{name}-{position}"
        engines.append(_engine(label, job, member, training, replaces))
    for engine in engines:
        engine.save()
    return engines


def _engine(name: str, job: orm.CalcJobNode, member: str, training: orm.ProcessNode, replaces: bool) -> Engine:
    entry_point = entry_point_of(PYTHON_KIND)
    trainer = job.inputs.code
    old = code_of(name, trainer.computer.label)
    program, plugin = str(trainer.filepath_executable), "ion.mlip_md"
    node = job.outputs.potential
    settings = potential_settings(node, trainer.computer) | device_of(job)
    if old is not None and not (runs(old, program, plugin) and replaces):
        check_free(old, replaces)
        retire(old)
        old = None
    code = old or new_code(name, program, plugin, trainer.computer.label, trainer.prepend_text)
    choices = watch_choices(run_watch(job.inputs.dataset))
    return Engine(code, entry_point, settings, node, choices=choices, trained=origin(job, member, training))


def watch_choices(watch: dict[str, Any] | None) -> dict[str, Any]:
    """Return the choices of an engine whose runs are watched; none for a dataset without distances."""
    return {"watch": watch} if watch is not None else {}


def origin(job: orm.CalcJobNode, member: str, training: orm.ProcessNode) -> dict[str, Any]:
    """Return what an engine says of the training of its potential."""
    report = job.outputs.report
    errors = report.base.attributes.get("errors", None) or {}
    split = next((each for each in ("test", "validation") if each in errors), None)
    parent = report.base.attributes.get("parent", None) or {}
    return {
        "training": training.uuid,
        "member": member,
        "dataset": job.inputs.dataset.uuid,
        "report": report.uuid,
        "parent": parent.get("name"),
        "parent_sha256": parent.get("sha256"),
        "held_out_split": split,
        "held_out_force_mae_eV_A": errors[split]["forces"]["mae_eV_A"] if split else None,
    }
