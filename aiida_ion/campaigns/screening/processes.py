"""The process of each stage: which engine it runs with, its settings and job options, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from aiida import orm
from aiida.common import exceptions

from aiida_ion.calculations.screening.gate import GateSettings
from aiida_ion.campaigns.screening.pes import pes_inputs
from aiida_ion.campaigns.screening.request import ScreenRequest, runs_overrides
from aiida_ion.campaigns.surrogate_nodes import model_of
from aiida_ion.engines.engine import Engine, load_engine
from aiida_ion.engines.fits import diffusion_code, fit_options
from aiida_ion.engines.jobs import engine_choices, job_options
from aiida_ion.screening.plan import ScreeningPlan, Stage
from aiida_ion.screening.quantities import METHODS
from aiida_ion.settings.pes import PesSettings
from aiida_ion.settings.values import SettingsError
from aiida_ion.workchains.protocols import merge
from aiida_ion.workchains.queue.plans import encoded, process_class
from aiida_ion.workchains.screening.inputs import PROCESS

#: Label of the code that runs trained surrogates.
SURROGATE_CODE = "surrogate"
#: Option of the command that names the engine of a stage.
OPTIONS = {"potential": "engine", "dft": "dft"}


@dataclass(frozen=True)
class StagePlan:
    """A stage that can be submitted.

    :param stage: with the settings of its method.
    :param engine: its engine, if it has one.
    :param process: entry point and inputs; empty where nothing is computed.
    """

    stage: Stage
    engine: Engine | None
    process: dict[str, Any]

    def entry(self) -> dict[str, Any]:
        """Return the stage as an entry of the input `stages`; nodes among the inputs are stored."""
        return self.stage.to_dict() | ({PROCESS: encoded(self.process)} if self.process else {})


def stage_plans(plan: ScreeningPlan, request: ScreenRequest) -> tuple[list[StagePlan], list[str]]:
    """Return the stages that can be submitted, and a sentence on each that is left out.

    :raises ValueError: for an engine that does not exist or does not do, settings that the method refuses, or no stage.
    """
    plans: list[StagePlan] = []
    left_out: list[str] = []
    for stage in plan.stages:
        kind = stage.kind_of_engine
        name = getattr(request, OPTIONS[kind]) if kind in OPTIONS else kind
        if kind is not None and name is None:
            left_out.append(f"stage {stage.name} is left out: it needs an engine, --{OPTIONS[kind]}")
            continue
        engine = None if name is None else load_engine(name)
        plans.append(_plan(stage, engine, plan.mobile_species, request))
    if not any(METHODS[entry.stage.method].computes or entry.stage.method == "gate" for entry in plans):
        raise ValueError("; ".join(left_out) or "there is no stage")
    return plans, left_out


def _plan(stage: Stage, engine: Engine | None, mobile_species: str, request: ScreenRequest) -> StagePlan:
    if engine is not None:
        _check_engine(stage, engine)
    try:
        return _MAKERS[stage.method](stage, engine, mobile_species, request)
    except ValueError as error:
        raise ValueError(f"stage {stage.name}: {error}") from error


def _check_engine(stage: Stage, engine: Engine) -> None:
    if stage.kind_of_engine == "dft" and not engine.md.is_dft:
        raise ValueError(f"stage {stage.name} is for DFT, and {engine.name} is a potential")
    if METHODS[stage.method].needs_engine == "potential" and engine.md.is_dft:
        raise ValueError(f"stage {stage.name}: {stage.method} needs a potential, and {engine.name} is DFT")


def _gate(stage: Stage, engine: Engine | None, mobile_species: str, request: ScreenRequest) -> StagePlan:
    del engine, request
    settings = {"mobile_species": mobile_species} | stage.settings
    GateSettings.from_dict(settings)
    return StagePlan(_with(stage, settings), None, {})


def _bvse(stage: Stage, engine: Engine | None, mobile_species: str, request: ScreenRequest) -> StagePlan:
    del engine, request
    code = diffusion_code()
    settings = {"mobile_species": mobile_species} | stage.settings
    inputs = {"code": code, "parameters": orm.Dict(settings), "metadata": {"options": fit_options(code)}}
    return _batch(_with(stage, settings), None, "ion.bvse", inputs)


def _pes(stage: Stage, engine: Engine | None, mobile_species: str, request: ScreenRequest) -> StagePlan:
    del request
    assert engine is not None
    settings = PesSettings.from_dict({"mobile_species": mobile_species} | stage.settings).to_dict()
    shared, options = pes_inputs(engine)
    inputs = shared | {"parameters": orm.Dict(settings), "metadata": {"options": options}}
    return _batch(_with(stage, settings), engine, "ion.pes", inputs)


def _batch(stage: Stage, engine: Engine | None, entry_point: str, inputs: Mapping[str, Any]) -> StagePlan:
    """Return the stage of a job with many materials, whose settings the job accepts."""
    refusal = process_class(entry_point).validate_parameters(inputs["parameters"], None)
    if refusal is not None:
        raise SettingsError(refusal)
    return StagePlan(stage, engine, {"entry_point": entry_point, "inputs": dict(inputs)})


def _conductivity(stage: Stage, engine: Engine | None, mobile_species: str, request: ScreenRequest) -> StagePlan:
    assert engine is not None
    fits = diffusion_code(near=engine.code.computer)
    changes = {"mobile_species": mobile_species} | stage.settings | runs_overrides(request)
    choices = {
        "engine": engine.entry_point,
        "protocol": stage.protocol,
        "overrides": changes,
        "diffusion_code": fits,
        "options": job_options(engine.jobs),
    }
    inputs = choices | engine_choices(engine)
    return StagePlan(stage, engine, {"entry_point": "ion.conductivity", "inputs": inputs})


def _barrier(stage: Stage, engine: Engine | None, mobile_species: str, request: ScreenRequest) -> StagePlan:
    del request
    assert engine is not None
    search = {"search": {"mobile_species": mobile_species}}
    choices = {
        "engine": engine.entry_point,
        "protocol": stage.protocol,
        "overrides": merge(search, stage.settings),
        "options": job_options(engine.jobs),
    }
    return StagePlan(stage, engine, {"entry_point": "ion.barrier", "inputs": choices | engine_choices(engine)})


def _surrogate(stage: Stage, engine: Engine | None, mobile_species: str, request: ScreenRequest) -> StagePlan:
    settings = dict(stage.settings)
    model = settings.pop("model", None)
    if not isinstance(model, str | int):
        raise ValueError("settings need the model, the pk or uuid of that of a training: 'aiida-ion surrogate train'")
    plan = _conductivity(replace(stage, settings=settings), engine, mobile_species, request)
    nodes = {"model": model_of(str(model)), "predict_code": _surrogate_code()}
    inputs = plan.process["inputs"] | nodes
    return StagePlan(stage, engine, {"entry_point": "ion.surrogate_estimate", "inputs": inputs})


def _surrogate_code() -> orm.InstalledCode:
    try:
        return orm.load_code(SURROGATE_CODE)  # type: ignore[return-value]
    except exceptions.NotExistent as error:
        raise ValueError(
            f"there is no code {SURROGATE_CODE}; make it with 'aiida-ion engine install surrogate'"
        ) from error


_MAKERS = {
    "gate": _gate,
    "bvse": _bvse,
    "pes": _pes,
    "barrier": _barrier,
    "surrogate": _surrogate,
    "conductivity": _conductivity,
}


def _with(stage: Stage, settings: Mapping[str, Any]) -> Stage:
    return replace(stage, settings=dict(settings))
