"""Engines of potentials that were trained here: their code, their trust, and where they come from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from aiida import orm
from aiida.common.exceptions import NotExistent

from aiida_ion.calculations.mlip.job import validate_checkpoint
from aiida_ion.engine_kinds import entry_point_of
from aiida_ion.engines.codes import check_free, code_of, new_code, retire, runs
from aiida_ion.engines.engine import Engine
from aiida_ion.engines.environments import PYTHON_KIND

JOB = "aiida.calculations:ion.train"
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


def made_here(node: orm.SinglefileData, computer: orm.Computer) -> bool:
    """Return whether a job of this profile wrote a file on this computer, and the file is unchanged.

    A file that came with an archive has a job, too, but one of a computer that is not set up here.
    """
    creator = node.creator
    if not isinstance(creator, orm.CalcJobNode) or creator.process_type != JOB or creator.computer is None:
        return False
    try:
        creator.get_authinfo()
    except NotExistent:
        return False
    content = hashlib.sha256(node.get_content(mode="rb")).hexdigest()
    return bool(creator.computer.uuid == computer.uuid and content == node.base.attributes.get("sha256", None))


def potential_settings(node: orm.SinglefileData, computer: orm.Computer) -> dict[str, Any]:
    """Return the input ``potential`` of jobs with a trained potential, or the package of one.

    :param node: the file of weights, an output of ``ion.train``.
    :param computer: where it will be loaded.
    :raises ValueError: for a file that runs code when it is loaded, and was not made on that computer.
    """
    about: Mapping[str, Any] = node.base.attributes.all
    settings: dict[str, Any] = {"name": about.get("potential", "nequip"), "checkpoint_sha256": about["sha256"]}
    needs_trust = validate_checkpoint({"checkpoint": node, "potential": orm.Dict(settings)}) is not None
    if not (needs_trust or about.get("is_compiled")):
        return settings
    if not made_here(node, computer):
        raise ValueError(
            f"{node.filename} runs code when it is loaded, and was not made by a job of this profile on "
            f"{computer.label}: train it there, or add it by hand with 'aiida-ion engine add --trust-checkpoint'"
        )
    return settings | {"trusted_sha256": [about["sha256"]]}


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
    settings = potential_settings(node, trainer.computer) | _device(job)
    if old is not None and not (runs(old, program, plugin) and replaces):
        check_free(old, replaces)
        retire(old)
        old = None
    code = old or new_code(name, program, plugin, trainer.computer.label, trainer.prepend_text)
    return Engine(code, entry_point, settings, node, trained=origin(job, member, training))


def _device(job: orm.CalcJobNode) -> dict[str, str]:
    device = job.inputs.parameters.get_dict().get("device", "cpu")
    return {} if device == "cpu" else {"device": device}


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
