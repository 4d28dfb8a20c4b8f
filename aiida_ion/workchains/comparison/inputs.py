"""The inputs of ``ion.comparison``: what is refused before anything is submitted, and what its children get."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from aiida import orm

from aiida_ion.engine_kinds import engine_class
from aiida_ion.settings.rules import Word
from aiida_ion.settings.schema import Settings, rules_of, setting, whole
from aiida_ion.settings.values import SettingsError
from aiida_ion.workchains.comparison.ensembles import chain_of, conductivity_of, is_ensemble, one_cell, with_fresh
from aiida_ion.workchains.conductivity.md import engine_inputs


@dataclass(frozen=True)
class ComparisonParameters(Settings):
    """What a comparison needs beside its runs."""

    what: ClassVar[str] = "parameter"

    reference: str = setting(Word(help="The engine that the others are compared with"))
    max_concurrent: int = whole(help="Maximum number of conductivities in parallel", least=1, most=100_000)
    max_force_frames: int = whole(
        help="Frames of the reference on which each potential is evaluated", least=1, most=100_000
    )


PARAMETERS = tuple(rules_of(ComparisonParameters))
#: What may differ between the engines of a material: it does not change what is simulated.
MAY_DIFFER = {"max_concurrent", "thermostat", "keep", "restart_every_seconds"}


def validate_parameters(value: orm.Dict | None, _: Any) -> str | None:
    """Return what is wrong with the parameters; ``None`` if nothing is."""
    try:
        ComparisonParameters.from_dict(value.get_dict() if value is not None else {})
    except SettingsError as error:
        return str(error)
    return None


def validate_inputs(inputs: Mapping[str, Any], _: Any) -> str | None:
    """Check every run as its own submission would, and that the engines of a material do the same."""
    runs = inputs.get("runs")
    if not runs or inputs.get("parameters") is None:
        return "runs is empty: material, then engine, then the inputs of an ion.conductivity"
    reference = inputs["parameters"].get_dict().get("reference")
    for material, engines in runs.items():
        if reference not in engines:
            return f"{material} has no run with the reference {reference!r}; it has {', '.join(engines)}"
        for engine, run in engines.items():
            problem = chain_of(run).spec().inputs.validate(run)
            if problem is not None:
                return f"{material} with {engine}: {problem.message}"
            if is_ensemble(run) != is_ensemble(engines[reference]):
                return f"{material}: one of {engine} and {reference} is an ensemble of ordered cells, the other is not"
            different = differences(engines[reference], run)
            if different:
                return f"{material}: {engine} and {reference} differ in {', '.join(different)}; compare like with like"
    return None


def differences(reference: Mapping[str, Any], run: Mapping[str, Any]) -> list[str]:
    """Return what two runs of a material do not have in common and should."""
    first, second = conductivity_of(reference), conductivity_of(run)
    pairs = [(first["parameters"], second["parameters"]), (first["md"]["parameters"], second["md"]["parameters"])]
    names = []
    for left, right in pairs:
        before, after = left.get_dict(), right.get_dict()
        names += [key for key in sorted({*before, *after} - MAY_DIFFER) if before.get(key) != after.get(key)]
    if is_ensemble(run):
        return [*names, *_different_cells(reference, run)]
    return names if _same(reference["structure"], run["structure"]) else ["structure", *names]


def _different_cells(reference: Mapping[str, Any], run: Mapping[str, Any]) -> list[str]:
    """Return what the cells of two ensembles do not have in common: crystal, draws, or given cells."""
    names = [] if _same(reference.get("structure"), run.get("structure")) else ["structure"]
    sides = [one.get("ordering") or {} for one in (reference, run)]
    before, after = (side["parameters"].get_dict() if "parameters" in side else {} for side in sides)
    names += [f"ordering.{key}" for key in sorted({*before, *after}) if before.get(key) != after.get(key)]
    given, other = (dict(one.get("members") or {}) for one in (reference, run))
    different = [label for label in sorted({*given, *other}) if not _same(given.get(label), other.get(label))]
    return names + [f"members.{label}" for label in different]


def _same(one: Any, other: Any) -> bool:
    """Whether two nodes, stored or not, are the same by content."""
    if one is None or other is None:
        return one is other
    return bool(one.uuid == other.uuid or one.base.caching.compute_hash() == other.base.caching.compute_hash())


def conductivity_inputs(run: Mapping[str, Any], fresh: bool) -> dict[str, Any]:
    """Return the inputs of one conductivity, or of one ensemble of them, as plain mappings of nodes."""
    return with_fresh(plain(run), fresh)


def forces_job(
    run: Mapping[str, Any], reference: Any, other: Any, inputs: Mapping[str, Any]
) -> tuple[Any, dict[str, Any]] | None:
    """Return the job that evaluates a potential on frames of the reference, and its inputs.

    ``None`` where the engine has no such job, the reference kept no forces, or no ordered cell is the same at both
    levels.

    :param run: inputs of the conductivity, or ensemble, whose potential is evaluated.
    :param reference: the finished work chain of the reference.
    :param other: that of the engine whose potential is evaluated.
    :param inputs: inputs of the comparison.
    """
    run, pair = conductivity_of(run), one_cell(reference, other)
    if pair is None:
        return None
    md, segments = engine_class(run["md"]["entry_point"].value), trajectories(pair.reference)
    if md.forces_class is None or not any("forces" in node.get_arraynames() for node in segments.values()):
        return None
    engine = engine_inputs(run)
    metadata = plain(engine.get("metadata", {})) | ({"disable_cache": True} if inputs["fresh"] else {})
    parameters = {
        "max_frames": inputs["parameters"].get_dict()["max_force_frames"],
        "equilibration_fs": run["md"]["parameters"].get_dict().get("equilibration_fs", 0.0),
    }
    given = {"trajectories": segments, "parameters": orm.Dict(parameters), "metadata": metadata}
    return md.forces_class, md.shared_inputs(engine) | given


def trajectories(conductivity: Any, port: str = "trajectories") -> dict[str, Any]:
    """Return the segments of all runs of a conductivity work chain, by temperature, seed and number.

    :param port: ``trajectories`` or ``thermo``.
    """
    trajectories_by_name: dict[str, Any] = {}
    for link in conductivity.base.links.get_outgoing(link_label_filter="md\\_%").all():
        if link.node.is_finished_ok and port in link.node.outputs:
            name = link.link_label.removeprefix("md_")
            trajectories_by_name |= {f"{name}_{label}": node for label, node in sorted(link.node.outputs[port].items())}
    return dict(sorted(trajectories_by_name.items()))


def level_of_run(run: Mapping[str, Any]) -> str:
    """Return the level of theory of a run."""
    md = conductivity_of(run)["md"]
    level: str = engine_class(md["entry_point"].value).level_of_theory(md["engine"])
    return level


def trajectory_inputs(
    reference: tuple[str, Any], other: tuple[str, Any], forces: Any, run: Mapping[str, Any], fresh: bool
) -> dict[str, Any] | None:
    """Return the inputs of the job that compares the trajectories of two levels; ``None`` without any.

    Of ensembles those of one ordered cell that both levels have; ``None`` where there is none.

    It runs where the fits of the compared one do, with their code and options.

    :param reference: level of theory and work chain of the reference.
    :param other: the same of the engine that is compared with it.
    :param forces: of its potential on the reference's frames, as ``ion.forces`` gives them, where there are any.
    :param run: inputs of the conductivity that is compared.
    :param fresh: do not take the result of the same job from the cache.
    """
    run, pair = conductivity_of(run), one_cell(reference[1], other[1])
    if pair is None:
        return None
    segments = {"trajectories": trajectories(pair.other), "reference_trajectories": trajectories(pair.reference)}
    if not any(segments.values()):
        return None
    parameters = {
        "formula": run["parameters"].get_dict()["formula"],
        "level_of_theory": other[0],
        "reference_level_of_theory": reference[0],
        "equilibration_fs": run["md"]["parameters"].get_dict().get("equilibration_fs", 0.0),
    }
    metadata = plain(run["diffusion"].get("metadata", {}))
    metadata["options"] = {key: value for key, value in metadata.get("options", {}).items() if key != "parser_name"}
    inputs = segments | {
        "code": run["diffusion"]["code"],
        "parameters": orm.Dict(parameters),
        "metadata": metadata | ({"disable_cache": True} if fresh else {}),
    }
    if forces is not None:
        inputs |= {"forces": forces, "reference_thermo": trajectories(pair.reference, "thermo")}
    return inputs


def comparison_inputs(
    reference: tuple[str, Any], other: tuple[str, Any], compared: Any, run: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the inputs of ``compare_levels``: the results of two finished conductivities.

    :param reference: level of theory and work chain of the reference.
    :param other: the same of the engine that is compared with it.
    :param compared: output of the job that compared their trajectories, or why there is none, nothing if there is no
        trajectory.
    :param run: inputs of the conductivity that is compared.
    """
    parameters_of_run = conductivity_of(run)["parameters"].get_dict()
    parameters = {
        "formula": parameters_of_run["formula"],
        "level_of_theory": other[0],
        "reference_level_of_theory": reference[0],
        "target_temperature_K": parameters_of_run.get("target_temperature_K", 300.0),
    }
    nodes: dict[str, Any] = {}
    pair = one_cell(reference[1], other[1])
    if pair is None:
        parameters["trajectories_missing"] = "no ordered cell is the same at both levels"
    elif pair.label is not None:
        parameters["trajectories_of_member"] = pair.label
    if isinstance(compared, str):
        parameters["trajectories_missing"] = compared
    elif compared is not None:
        nodes["trajectories"] = compared
    for prefix, (_, node) in (("reference_", reference), ("", other)):
        nodes[f"{prefix}conductivity"] = node.outputs.conductivity
        if "cost" in node.outputs:
            nodes[f"{prefix}cost"] = node.outputs.cost
        for label, fit in (node.outputs.diffusion if "diffusion" in node.outputs else {}).items():
            nodes[f"{prefix}diffusion_{label}"] = fit
    return nodes | {"parameters": orm.Dict(parameters)}


def plain(value: Any) -> Any:
    """Return nested mappings as dictionaries, everything in them as it is."""
    return {key: plain(item) for key, item in value.items()} if isinstance(value, Mapping) else value
