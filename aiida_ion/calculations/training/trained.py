"""The potential of a finished training as the inputs of jobs that run it, and whether its file may be loaded."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from aiida import orm
from aiida.common.exceptions import NotExistent

from aiida_ion.calculations.mlip.job import validate_checkpoint

JOB = "aiida.calculations:ion.train"


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


def device_of(job: orm.CalcJobNode) -> dict[str, str]:
    """Return the setting ``device`` of a training, where it is not the processor."""
    device = job.inputs.parameters.get_dict().get("device", "cpu")
    return {} if device == "cpu" else {"device": device}
