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
from aiida_ion.workchains.conductivity.md import engine_inputs
from aiida_ion.workchains.conductivity.workchain import ConductivityWorkChain


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
            problem = ConductivityWorkChain.spec().inputs.validate(run)
            if problem is not None:
                return f"{material} with {engine}: {problem.message}"
            different = differences(engines[reference], run)
            if different:
                return f"{material}: {engine} and {reference} differ in {', '.join(different)}; compare like with like"
    return None


def differences(reference: Mapping[str, Any], run: Mapping[str, Any]) -> list[str]:
    """Return what two runs of a material do not have in common and should."""
    pairs = [(reference["parameters"], run["parameters"]), (reference["md"]["parameters"], run["md"]["parameters"])]
    names = []
    for left, right in pairs:
        before, after = left.get_dict(), right.get_dict()
        names += [key for key in sorted({*before, *after} - MAY_DIFFER) if before.get(key) != after.get(key)]
    before, after = reference["structure"], run["structure"]
    same = before.uuid == after.uuid or before.base.caching.compute_hash() == after.base.caching.compute_hash()
    return names if same else ["structure", *names]


def conductivity_inputs(run: Mapping[str, Any], fresh: bool) -> dict[str, Any]:
    """Return the inputs of one conductivity as plain mappings of nodes."""
    inputs: dict[str, Any] = plain(run)
    return inputs | {"fresh": fresh}


def forces_job(run: Mapping[str, Any], reference: Any, inputs: Mapping[str, Any]) -> tuple[Any, dict[str, Any]] | None:
    """Return the job that evaluates a potential on frames of the reference, and its inputs.

    ``None`` where the engine has no such job, or the reference kept no forces.

    :param run: inputs of the conductivity whose potential is evaluated.
    :param reference: the finished conductivity work chain of the reference.
    :param inputs: inputs of the comparison.
    """
    md, segments = engine_class(run["md"]["entry_point"].value), trajectories(reference)
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
    level: str = engine_class(run["md"]["entry_point"].value).level_of_theory(run["md"]["engine"])
    return level


def trajectory_inputs(
    reference: tuple[str, Any], other: tuple[str, Any], forces: Any, run: Mapping[str, Any], fresh: bool
) -> dict[str, Any] | None:
    """Return the inputs of the job that compares the trajectories of two finished conductivities; ``None`` without any.

    It runs where the fits of the compared one do, with their code and options.

    :param reference: level of theory and work chain of the reference.
    :param other: the same of the engine that is compared with it.
    :param forces: of its potential on the reference's frames, as ``ion.forces`` gives them, where there are any.
    :param run: inputs of the conductivity that is compared.
    :param fresh: do not take the result of the same job from the cache.
    """
    segments = {"trajectories": trajectories(other[1]), "reference_trajectories": trajectories(reference[1])}
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
        inputs |= {"forces": forces, "reference_thermo": trajectories(reference[1], "thermo")}
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
    parameters_of_run = run["parameters"].get_dict()
    parameters = {
        "formula": parameters_of_run["formula"],
        "level_of_theory": other[0],
        "reference_level_of_theory": reference[0],
        "target_temperature_K": parameters_of_run.get("target_temperature_K", 300.0),
    }
    nodes: dict[str, Any] = {}
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
