"""The inputs of ``ion.batch_conductivity``: what is refused before anything is submitted, and what its batch gets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida import orm

from aiida_ion.aiida_private.caching import hash_before_storing
from aiida_ion.calculations.mlip.replicas import BATCHED, KEY, MAX_REPLICAS
from aiida_ion.engine_kinds import engine_class
from aiida_ion.workchains.comparison.inputs import plain
from aiida_ion.workchains.conductivity.md import engine_inputs, md_inputs
from aiida_ion.workchains.conductivity.prepared import NAMESPACE, run_name
from aiida_ion.workchains.conductivity.runs import expand_runs
from aiida_ion.workchains.conductivity.workchain import ConductivityWorkChain

#: Engine inputs that all materials share in a batch.
SHARED = ("code", "potential", "checkpoint", "watch")


def validate_materials(inputs: Mapping[str, Any], _: Any) -> str | None:
    """Check every material as its own submission would, and that they can be run together."""
    materials = inputs.get("materials") or {}
    if not materials:
        return "materials is empty: a label, then the inputs of an ion.conductivity"
    for label, material in materials.items():
        problem = ConductivityWorkChain.spec().inputs.validate(material)
        if problem is not None:
            return f"{label}: {problem.message}"
        refusal = _validate_material(label, material, next(iter(materials.values())))
        if refusal is not None:
            return f"{label}: {refusal}"
    n_replicas = sum(len(runs_of(material)) for material in materials.values())
    if n_replicas > MAX_REPLICAS:
        return f"{n_replicas} runs are too many for one batch: at most {MAX_REPLICAS}; give fewer materials at a time"
    return None


def _validate_material(label: str, material: Mapping[str, Any], first: Mapping[str, Any]) -> str | None:
    if KEY.fullmatch(label) is None:
        return "a label starts with a letter and holds letters, digits and single underscores"
    if material.get(NAMESPACE):
        return f"{NAMESPACE} is what this work chain computes: leave it out"
    if material["md"]["parameters"].get_dict().get("ensemble") == "npt":
        return "batches have fixed cells: choose nvt or nve"
    return _validate_engine(material["md"]) or _validate_shared(material["md"], first["md"])


def _validate_engine(md: Mapping[str, Any]) -> str | None:
    """Return why an engine runs no batches; ``None`` if it does."""
    if engine_class(md["entry_point"].value).batch_class is None:
        return f"the engine {md['entry_point'].value} runs no batches; ion.md.mlip does"
    name = md["engine"]["potential"].get_dict().get("name")
    return None if name in BATCHED else f"the potential {name} runs no batches; choose from {', '.join(BATCHED)}"


def _validate_shared(md: Mapping[str, Any], first: Mapping[str, Any]) -> str | None:
    """Return what a material does not have in common with the first; ``None`` if they can be run together."""
    if md["entry_point"].value != first["entry_point"].value:
        return "it has another engine than the first: all share the evaluations of one potential"
    different = [name for name in SHARED if not _same(md["engine"].get(name), first["engine"].get(name))]
    if different:
        return f"its {different[0]} is not that of the first: all share the evaluations of one potential"
    if dict(md.get("options") or {}) != dict(first.get("options") or {}):
        return "its md.options are not those of the first: all run in one job"
    return None


def _same(one: Any, other: Any) -> bool:
    if one is None or other is None:
        return one is other
    if isinstance(one, orm.AbstractCode):
        return bool(one.uuid == other.uuid)
    return bool(one.uuid == other.uuid or hash_before_storing(one) == hash_before_storing(other))


def runs_of(material: Mapping[str, Any]) -> list[tuple[str, float, int]]:
    """Return name, temperature (K) and seed of each run of a material in the first round."""
    runs = expand_runs(material["parameters"].get_dict(), 1)
    return [(run_name(run["temperature_K"], run["seed"]), run["temperature_K"], run["seed"]) for run in runs]


def key_of(label: str, name: str) -> str:
    """Return the key of a run among the replicas of the batch."""
    return f"{label}_{name}"


def batch_inputs(materials: Mapping[str, Any], supercells: Mapping[str, orm.StructureData]) -> dict[str, Any]:
    """Return the inputs of the batch of all runs of all materials.

    :param materials: inputs of each conductivity.
    :param supercells: of those materials that have one.
    """
    first = next(iter(materials.values()))
    replicas: dict[str, Any] = {}
    charges: dict[str, orm.Dict] = {}
    for label, supercell in supercells.items():
        material = materials[label]
        charges[label] = orm.Dict(material["parameters"].get_dict()["charges"])
        for name, temperature_K, seed in runs_of(material):
            run = md_inputs(material, supercell, temperature_K, seed)
            replicas[key_of(label, name)] = run["parameters"].get_dict() | {"structure": label}
    engine = engine_inputs(first)
    given: dict[str, Any] = {name: engine[name] for name in SHARED if engine.get(name) is not None}
    given |= {"structures": dict(supercells), "replicas": orm.Dict(replicas), "charges": charges}
    options = first["md"].get("options")
    return given | ({"options": dict(options)} if options else {})


def conductivity_inputs(
    material: Mapping[str, Any], label: str, made: Mapping[str, Any], batch: Any, fresh: bool
) -> dict[str, Any]:
    """Return the inputs of one conductivity, with what was computed for it.

    :param label: of the material.
    :param made: ``supercell``, and of a relaxed one ``relaxed_structure`` and ``relaxation``.
    :param batch: the work chain of the batch that has ended.
    """
    outputs = batch.outputs
    runs = {name: earlier_of(outputs, key_of(label, name)) for name, _, _ in runs_of(material)}
    return {**plain(material), "fresh": fresh, NAMESPACE: {**made, "runs": runs}}


def earlier_of(outputs: Any, key: str) -> dict[str, Any]:
    """Return what a run begins with: the segments of a replica, and how it ended."""
    earlier: dict[str, Any] = {"statuses": outputs.statuses, "replica": orm.Str(key)}
    for port in ("trajectories", "thermo", "costs"):
        if port in outputs and key in outputs[port]:
            earlier[port] = dict(outputs[port][key])
    if "states" in outputs and key in outputs.states:
        earlier["state"] = outputs.states[key]
    return earlier | ({"versions": outputs.versions} if "versions" in outputs else {})
