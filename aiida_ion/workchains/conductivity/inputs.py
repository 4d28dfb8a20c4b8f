"""The inputs that the parts of ``ion.conductivity`` share, and what is refused before anything is submitted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida import orm

from aiida_ion.calculations.convergence import MIN_TEMPERATURES, check_rule
from aiida_ion.calculations.diffusion import validate_framework_species
from aiida_ion.calculations.functions import multiples_of
from aiida_ion.calculations.settings_of_fits import DiffusionSettings
from aiida_ion.engine_kinds import engine_class
from aiida_ion.settings.md import MdSettings
from aiida_ion.settings.values import SettingsError
from aiida_ion.units import FS_PER_PS
from aiida_ion.workchains.conductivity.md import md_inputs
from aiida_ion.workchains.conductivity.plausibility import n_atoms_of, validate_size
from aiida_ion.workchains.conductivity.prepared import validate_prepared
from aiida_ion.workchains.conductivity.rounds import stop_rule
from aiida_ion.workchains.protocols.parameters import ConductivityParameters


def define_inputs(spec: Any) -> None:
    """Declare the crystal, the parameters, and whether the cache is used."""
    spec.input("structure", valid_type=orm.StructureData, help="The crystal: an ordered, periodic cell, angstrom.")
    spec.input(
        "parameters",
        valid_type=orm.Dict,
        validator=validate_parameters,
        help="temperatures_K, seeds, mobile_species, charges (e), target_temperature_K, min_width_A, "
        "supercell_rule or supercell, relax_ions, max_concurrent; with target_relative_error the runs are extended "
        "until target_quantity is known so well, within max_time_ps, max_rounds and max_total_time_ps.",
    )
    spec.input(
        "fresh", valid_type=bool, non_db=True, default=False, help="Recompute results that AiiDA's cache already holds."
    )


def validate_parameters(value: orm.Dict | None, _: Any) -> str | None:
    """Return what is wrong with the parameters; ``None`` if nothing is."""
    try:
        ConductivityParameters.from_dict(value.get_dict() if value is not None else {})
    except SettingsError as error:
        return str(error)
    return None


def validate_inputs(inputs: Mapping[str, Any], _: Any) -> str | None:
    """Return what a child would refuse; ``None`` if nothing, and the work chain can be submitted."""
    if any(inputs.get(name) is None for name in ("structure", "parameters", "md")):
        return None
    if (inputs.get("diffusion") or {}).get("code") is None:
        return "diffusion.code is not given: the Python that has kinisi, such as kinisi@localhost"
    mobile = inputs["parameters"].get_dict()["mobile_species"]
    if mobile not in inputs["structure"].get_symbols_set():
        return f"the structure has no {mobile}"
    too_large = validate_cell(inputs)
    if too_large is not None:
        return too_large
    problem = validate_fit(inputs, mobile)
    if problem is not None:
        return f"diffusion: {problem}"
    problem = validate_engine(inputs)
    return f"md: {problem}" if problem is not None else validate_target(inputs) or validate_prepared(inputs)


def validate_fit(inputs: Mapping[str, Any], mobile_species: str) -> str | None:
    """Return what is wrong with the settings of the fits; ``None`` if nothing is."""
    try:
        settings = DiffusionSettings.from_dict(inputs["diffusion"]["parameters"].get_dict())
    except SettingsError as error:
        return str(error)
    return validate_framework_species(settings.framework_species, mobile_species, inputs["structure"].get_symbols_set())


def validate_cell(inputs: Mapping[str, Any]) -> str | None:
    """Return why the simulated cell would be too large; ``None`` if it would not."""
    parameters = inputs["parameters"].get_dict()
    try:
        multiples_of(inputs["structure"], {"multiples": parameters.get("supercell")} | parameters)
    except ValueError as error:
        return str(error)
    return None


def validate_target(inputs: Mapping[str, Any]) -> str | None:
    """Return what is wrong with the target or the budget of runs that are extended; ``None`` if nothing is."""
    rule, parameters = stop_rule(inputs), ConductivityParameters.from_dict(inputs["parameters"].get_dict())
    if rule is None:
        return None
    if parameters.max_time_ps is None:
        return "target_relative_error needs max_time_ps, the length that no run may exceed"
    try:
        check_rule(rule)
        _check_budget(parameters, inputs["md"]["parameters"].get_dict())
    except ValueError as error:
        return str(error)
    if rule.get("target_quantity") == "ionic_conductivity" and len(parameters.temperatures_K) < MIN_TEMPERATURES:
        return f"target_quantity ionic_conductivity needs at least {MIN_TEMPERATURES} temperatures"
    return None


def _check_budget(parameters: ConductivityParameters, md: Mapping[str, Any]) -> None:
    """Refuse a budget that the first round exceeds."""
    first_ps = md["n_steps"] * md["timestep_fs"] / FS_PER_PS
    all_ps = first_ps * len(parameters.temperatures_K) * len(parameters.seeds)
    for name, time_ps in (("max_time_ps", first_ps), ("max_total_time_ps", all_ps)):
        limit = getattr(parameters, name)
        if limit is not None and time_ps > limit:
            raise ValueError(f"{name} = {limit:g} is less than the first round, {time_ps:g} ps; first_time_ps sets it")


def validate_engine(inputs: Mapping[str, Any]) -> str | None:
    """Return what the engine would refuse at any of the temperatures; ``None`` if nothing."""
    temperatures = inputs["parameters"].get_dict()["temperatures_K"]
    settings = inputs["md"]["parameters"].get_dict()
    try:
        engine = engine_class(inputs["md"]["entry_point"].value)
        for temperature in temperatures:
            md = MdSettings.from_dict(settings | {"temperature_K": temperature, "seed": 1})
        too_much = validate_size(n_atoms_of(inputs["structure"], inputs["parameters"].get_dict()), md)
        if too_much is not None:
            return too_much
        engine.level_of_theory(inputs["md"]["engine"])
    except (TypeError, KeyError, ValueError) as error:
        return str(error)
    problem = engine.spec().inputs.validate(md_inputs(inputs, inputs["structure"], float(temperatures[0]), 1))
    if problem is None:
        return None
    return str(problem.message) if problem.port == "inputs" else f"{problem.message} ({problem.port})"
