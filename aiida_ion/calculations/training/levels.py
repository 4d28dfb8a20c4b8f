"""What made the labels of a source: its name, and the fingerprint of its level of theory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiida import orm
from aiida.common.links import LinkType

from aiida_ion.batch_runs import inputs_of_run, outputs_of_run
from aiida_ion.engine_kinds import installed_engines
from aiida_ion.fingerprints import FINGERPRINT, FINGERPRINT_SHA256


@dataclass(frozen=True)
class Level:
    """What made labels.

    :param name: of the level of theory; ``None`` where nothing says it.
    :param facts: what decides energies and forces, as in a job's output ``versions``; empty where unknown.
    :param sha256: of the facts; ``None`` where unknown.
    :param inputs: those of the job; empty where no job made the labels.
    """

    name: str | None
    facts: Mapping[str, Any] = field(default_factory=dict)
    sha256: str | None = None
    inputs: Mapping[str, Any] = field(default_factory=dict)


def level_of(node: orm.Data) -> Level:
    """Return what made the forces that a node holds: a trajectory of molecular dynamics, or labels of frames."""
    stated = node.base.attributes.get("level_of_theory", None)
    job = node.creator
    if not isinstance(job, orm.CalcJobNode):
        attributes = node.base.attributes.all
        return Level(stated, attributes.get(FINGERPRINT) or {}, attributes.get(FINGERPRINT_SHA256))
    inputs, versions = inputs_of_run(node), outputs_of_run(node).get("versions")
    about = versions.get_dict() if versions is not None else {}
    name = stated or _name_of(job, inputs)
    return Level(name, about.get(FINGERPRINT) or {}, about.get(FINGERPRINT_SHA256), inputs)


def job_inputs(job: orm.CalcJobNode) -> dict[str, Any]:
    """Return the inputs of a job, namespaces as mappings."""
    nested: dict[str, Any] = job.base.links.get_incoming(link_type=LinkType.INPUT_CALC).nested()
    return nested


def _name_of(job: orm.CalcJobNode, inputs: Mapping[str, Any]) -> str | None:
    """Return the name that the engine of a job has for its level of theory; ``None`` for an unknown engine."""
    entry_point = str(job.process_type).rpartition(":")[2]
    for engine in installed_engines().values():
        if entry_point in (engine.md_job(), engine.forces_job(), engine.batch_job()):
            return str(engine.level_of_theory(inputs))
    return None
