"""The inputs of ``ion.surrogate_samples``: what its children get, and what is refused before anything is submitted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida import orm
from aiida.common import exceptions
from aiida.plugins import CalculationFactory

from aiida_ion.calculations.chosen_frames import validate_trajectories
from aiida_ion.calculations.md import symbols_of
from aiida_ion.engine_kinds import engine_class
from aiida_ion.workchains.conductivity.md import engine_inputs, run_seed
from aiida_ion.workchains.surrogate_samples.parameters import SampleParameters

#: Added to the seed of a run, so that the short run never repeats a run of a conductivity.
OWN_SEED = 50_000


def forces_inputs(
    inputs: Mapping[str, Any], trajectories: Mapping[str, Any], max_frames: int, equilibration_fs: float = 0.0
) -> dict[str, Any]:
    """Return the inputs of the job that evaluates frames.

    :param trajectories: segments by name.
    :param max_frames: frames that are evaluated, spread evenly.
    :param equilibration_fs: time of the run that is left out, fs.
    """
    options = inputs["forces"].get("options")
    metadata: dict[str, Any] = {"options": dict(options)} if options else {}
    parameters = {"max_frames": max_frames, "equilibration_fs": equilibration_fs}
    return {
        **dict(inputs["forces"]["engine"]),
        "trajectories": dict(trajectories),
        "parameters": orm.Dict(parameters),
        "metadata": metadata,
    }


def short_md_inputs(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the inputs of the short run: the settings of the long ones, its own seed and length.

    :raises ValueError: if it has fewer steps than requested frames.
    """
    parameters = SampleParameters.from_dict(inputs["parameters"].get_dict())
    settings = inputs["md"]["parameters"].get_dict()
    timestep_fs = parameters.timestep_fs or settings["timestep_fs"]
    sample_every = int(parameters.short_md_fs / parameters.n_short_md_frames / timestep_fs + 1e-9)
    if sample_every < 1:
        raise ValueError(
            f"{parameters.n_short_md_frames} frames need {parameters.n_short_md_frames * timestep_fs:g} fs at "
            f"{timestep_fs:g} fs a step, and short_md_fs is {parameters.short_md_fs:g}: make it longer, or "
            "n_short_md_frames smaller"
        )
    own: dict[str, Any] = {
        "temperature_K": parameters.temperature_K,
        "timestep_fs": timestep_fs,
        "n_steps": sample_every * parameters.n_short_md_frames,
        "sample_every": sample_every,
        "equilibration_fs": 0.0,
        "seed": run_seed(parameters.seed, parameters.temperature_K) + OWN_SEED,
        "keep": [],
    }
    return {
        "structure": inputs["structure"],
        "parameters": orm.Dict(settings | own),
        "engine": engine_inputs(inputs),
    }


def validate_parameters(value: orm.Dict | None, _: Any) -> str | None:
    """Return what is wrong with the parameters; ``None`` if nothing is."""
    try:
        SampleParameters.from_dict(value.get_dict() if value is not None else {})
    except (TypeError, ValueError) as error:
        return str(error)
    return None


def validate_inputs(inputs: Mapping[str, Any], _: Any) -> str | None:
    """Return what a child would refuse; ``None`` if nothing, and the work chain can be submitted."""
    if any(inputs.get(name) is None for name in ("structure", "parameters", "forces")):
        return None
    if validate_parameters(inputs["parameters"], None) is not None:
        return None  # refused at that port
    parameters = SampleParameters.from_dict(inputs["parameters"].get_dict())
    if "trajectory" in parameters.kinds:
        problem = _validate_trajectory(inputs)
        if problem is not None:
            return problem
    job = inputs["forces"]["entry_point"].value
    try:
        if not evaluates_frames(CalculationFactory(job)):
            return f"forces: {job!r} evaluates no frames; use ion.forces, ion.lammps_forces or a job with their ports"
        return _validate_short_md(inputs) if "short_md" in parameters.kinds else None
    except (exceptions.EntryPointError, ValueError) as error:
        return str(error)


def evaluates_frames(job: Any) -> bool:
    """Whether a job has the ports of ``ion.forces``: stored frames in, their forces out."""
    spec = job.spec()
    return {"trajectories", "parameters"} <= set(spec.inputs) and "forces" in spec.outputs


def _validate_trajectory(inputs: Mapping[str, Any]) -> str | None:
    segments = inputs.get("trajectories") or {}
    if not segments:
        return "kinds names trajectory, and no trajectories are given: give the segments of one run, or leave it out"
    problem = validate_trajectories(segments)
    if problem is not None:
        return problem
    first = segments[min(segments)]
    if first.base.attributes.get("symbols") != symbols_of(inputs["structure"]):
        return "the trajectories hold other atoms than the structure, or the same in another order: give its own run"
    return None


def _validate_short_md(inputs: Mapping[str, Any]) -> str | None:
    md = inputs.get("md") or {}
    missing = [name for name in ("entry_point", "parameters", "engine") if not md.get(name)]
    if missing:
        return f"kinds names short_md, and md.{missing[0]} is not given: give it, or leave short_md out"
    engine = engine_class(md["entry_point"].value)
    problem = engine.spec().inputs.validate(short_md_inputs(inputs))
    return None if problem is None else f"md: {problem.message} ({problem.port})"
