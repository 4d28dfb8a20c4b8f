"""The diffusion fits of ``ion.conductivity``: which are due after a round, and what each gets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from aiida import orm

from aiida_ion.calculations.diffusion import DiffusionCalculation, segment_key
from aiida_ion.workchains.conductivity.md import engine_inputs, engine_of
from aiida_ion.workchains.conductivity.runs import Run, replicas_by_temperature, round_suffix, temperature_label

#: Inputs of a fit that differ between temperatures, or that the work chain decides.
NOT_SHARED = ("trajectories", "thermo", "program", "clean_workdir")


class PlannedFit(TypedDict):
    """What a fit is made of: the work chains of each replica, in order."""

    temperature_K: float
    runs: list[list[int]]


class Fit(PlannedFit):
    """A fit that has a result, and its job."""

    pk: int


def define_fits(spec: Any) -> None:
    """Declare the inputs that all fits share, their outputs and their exit code."""
    spec.expose_inputs(DiffusionCalculation, namespace="diffusion", exclude=NOT_SHARED)
    # Trajectories and temperature are known only later; the job checks them again when it is made.
    spec.inputs["diffusion"].validator = None
    spec.inputs["diffusion"]["parameters"].validator = None
    spec.output_namespace("diffusion", valid_type=orm.ArrayData, dynamic=True, help="The fit of each temperature.")
    spec.exit_code(503, "ERROR_DIFFUSION_FAILED", message="No trajectory could be fitted: {detail}")


def fit_name(label: str, number: int) -> str:
    """Return the link label of a fit.

    :param number: of the round.
    """
    return f"fit_{label}{round_suffix(number)}"


def plan_fits(runs: Sequence[Run]) -> dict[str, PlannedFit]:
    """Return what the fit of each temperature would be made of now, by label; temperatures rising."""
    return {
        temperature_label(temperature): PlannedFit(temperature_K=temperature, runs=pks)
        for temperature, pks in replicas_by_temperature(runs).items()
    }


def valid_fits(plans: Mapping[str, PlannedFit], fits: Mapping[str, Fit]) -> dict[str, Fit]:
    """Return the fits of earlier rounds without those whose temperature has no usable run any more."""
    return {label: fit for label, fit in fits.items() if label in plans}


def due_fits(plans: Mapping[str, PlannedFit], fits: Mapping[str, Fit]) -> dict[str, PlannedFit]:
    """Return the plans of temperatures that have new frames."""
    return {label: plan for label, plan in plans.items() if label not in fits or fits[label]["runs"] != plan["runs"]}


def fit_inputs(inputs: Mapping[str, Any], shared: Mapping[str, Any], plan: PlannedFit, name: str) -> dict[str, Any]:
    """Return the inputs of a fit.

    :param inputs: of the conductivity.
    :param shared: the inputs that all fits share.
    :param name: link label.
    """
    segments = segments_of([[orm.load_node(pk) for pk in rounds] for rounds in plan["runs"]])
    metadata = dict(shared.get("metadata", {})) | {"call_link_label": name}
    return {
        **shared,
        "trajectories": {key: run.outputs.trajectories[label] for key, (run, label) in segments.items()},
        "thermo": {key: run.outputs.thermo[label] for key, (run, label) in segments.items()},
        "parameters": orm.Dict(fit_parameters(inputs, plan["temperature_K"])),
        "metadata": metadata | ({"disable_cache": True} if inputs["fresh"] else {}),
    }


def segments_of(replicas: list[list[Any]]) -> dict[str, tuple[Any, str]]:
    """Return the work chain and the name there of each segment of a fit.

    :param replicas: finished MD work chains: of each replica those that continue each other.
    """
    return {
        segment_key(index, number): segment
        for index, rounds in enumerate(replicas)
        for number, segment in enumerate((run, label) for run in rounds for label in sorted(run.outputs.trajectories))
    }


def fit_parameters(inputs: Mapping[str, Any], temperature_K: float) -> dict[str, Any]:
    """Return the settings of the fit at one temperature."""
    parameters = inputs["parameters"].get_dict()
    settings: dict[str, Any] = inputs["diffusion"]["parameters"].get_dict()
    return settings | {
        "mobile_species": parameters["mobile_species"],
        "charges": parameters["charges"],
        "target_temperature_K": temperature_K,
        "level_of_theory": engine_of(inputs).level_of_theory(engine_inputs(inputs)),
        "formula": parameters["formula"],
        "equilibration_fs": inputs["md"]["parameters"].get_dict().get("equilibration_fs", 0.0),
    }


def diffusion_of(fits: Mapping[str, Fit]) -> dict[str, orm.ArrayData]:
    """Return the results of fits, by label."""
    jobs: dict[str, Any] = {label: orm.load_node(fit["pk"]) for label, fit in fits.items()}
    return {label: job.outputs.diffusion for label, job in jobs.items()}
