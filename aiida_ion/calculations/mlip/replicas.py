"""The replicas of a batch as inputs: which structure each has, and which MD settings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from aiida import orm

from aiida_ion.calculations.md import symbols_of, validate_md_inputs
from aiida_ion.calculations.mlip.job import validate_checkpoint
from aiida_ion.calculations.training.domain import validate_domain
from aiida_ion.settings.md import MdSettings
from aiida_ion.settings.values import SettingsError

#: Each has four outputs: with more, a job has too many links for the database to be quick.
MAX_REPLICAS = 500
#: Potentials that evaluate many cells at once, and those of which each replica has its own.
BATCHED = ("sevenn", "mace", "chgnet", "lj", "emt")
STRUCTURE = "structure"
#: Folder with the files of each replica in a folder of its key.
REPLICAS = "replicas"
KEY = re.compile(r"[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)*")


def settings_of(inputs: Any, key: str) -> MdSettings:
    """Return the MD settings of a replica: those that all share, with its own.

    :param inputs: of a batch, with ``parameters`` and ``replicas``.
    :raises SettingsError: for settings that cannot be used.
    """
    own = {name: value for name, value in inputs["replicas"].get_dict()[key].items() if name != STRUCTURE}
    return MdSettings.from_dict(inputs["parameters"].get_dict() | own)


def structure_of(inputs: Any, key: str) -> orm.StructureData:
    """Return the structure of a replica."""
    structure: orm.StructureData = inputs["structures"][inputs["replicas"].get_dict()[key][STRUCTURE]]
    return structure


def charges_of(inputs: Any, key: str) -> dict[str, float]:
    """Return the formal charges of the elements of a replica, e; nothing where none are given."""
    name, given = inputs["replicas"].get_dict()[key][STRUCTURE], inputs.get("charges") or {}
    return given[name].get_dict() if name in given else {}


def first_step(inputs: Any, key: str) -> int:
    """Return the step at which a replica starts: that of the state it continues, or zero."""
    given = inputs.get("restart_from") or {}
    return int(given[key].base.attributes.get("step")) if key in given else 0


def validate_replicas(inputs: Mapping[str, Any], port: Any) -> str | None:
    """Return what does not match among the inputs of a batch; ``None`` if everything does."""
    if any(inputs.get(name) is None for name in ("replicas", "parameters", "potential")):
        return None
    replicas, structures = inputs["replicas"].get_dict(), inputs.get("structures") or {}
    name = inputs["potential"].get_dict().get("name")
    if name not in BATCHED:
        return f"the potential {name} does not evaluate batches: run its replicas one by one, or use one of {BATCHED}"
    problem = _validate_names(replicas, structures) or _validate_namespaces(inputs, replicas, structures)
    if problem is not None:
        return problem
    for key in replicas:
        problem = _validate_replica(inputs, key, port)
        if problem is not None:
            return f"replica {key}: {problem}"
    cells = [symbols_of(structure) for structure in structures.values()]
    return validate_checkpoint(inputs) or validate_domain(inputs.get("checkpoint"), cells)


def _validate_namespaces(
    inputs: Mapping[str, Any], replicas: Mapping[str, Any], structures: Mapping[str, Any]
) -> str | None:
    for name in ("restart_from", "initial_velocities"):
        unknown = sorted(set(inputs.get(name) or {}) - set(replicas))
        if unknown:
            return f"{name} names {unknown[0]}, which is not among the replicas"
    unknown = sorted(set(inputs.get("charges") or {}) - set(structures))
    if unknown:
        return f"charges names {unknown[0]}, which is not among the structures"
    return None


def _validate_names(replicas: Mapping[str, Any], structures: Mapping[str, Any]) -> str | None:
    if not replicas:
        return "no replica is given"
    if len(replicas) > MAX_REPLICAS:
        return f"{len(replicas)} replicas are too many for one job: at most {MAX_REPLICAS}"
    for key, entry in replicas.items():
        if KEY.fullmatch(key) is None:
            return f"the key {key!r} must start with a letter and hold letters, digits and single underscores"
        if not isinstance(entry, Mapping) or entry.get(STRUCTURE) not in structures:
            return f"replica {key} has no structure among those that are given"
    unused = sorted(set(structures) - {entry[STRUCTURE] for entry in replicas.values()})
    return f"the structure {unused[0]} has no replica" if unused else None


def _validate_replica(inputs: Mapping[str, Any], key: str, port: Any) -> str | None:
    """Return what a single run would refuse."""
    try:
        settings = settings_of(inputs, key)
    except SettingsError as error:
        return str(error)
    if settings.ensemble == "npt":
        return "batches have fixed cells, as their potentials are not asked for stresses: choose nvt or nve"
    alone: dict[str, Any] = {
        "structure": structure_of(inputs, key),
        "parameters": orm.Dict(settings.to_dict()),
    }
    for name in ("restart_from", "initial_velocities"):
        if key in (inputs.get(name) or {}):
            alone[name] = inputs[name][key]
    return validate_md_inputs(alone, port)
