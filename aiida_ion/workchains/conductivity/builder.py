"""Protocol and overrides -> the inputs of ``ion.conductivity``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aiida import orm

from aiida_ion.calculations.sample import describe_sample
from aiida_ion.engine_kinds import engine_class
from aiida_ion.units import FS_PER_PS
from aiida_ion.workchains.protocols import protocol_inputs, read_overrides
from aiida_ion.workchains.protocols.parameters import TARGET_PARAMETERS

#: Keys of a protocol that are parameters of the work chain under the same name.
PARAMETER_KEYS = (
    "temperatures_K",
    "seeds",
    "target_temperature_K",
    "min_width_A",
    "supercell_rule",
    "supercell",
    "relax_ions",
    "max_concurrent",
    "priors",
    "jumps",
    "jump_settings",
)


def builder_from_protocol(
    process_class: Any,
    structure: orm.StructureData,
    engine: str,
    protocol: str | None,
    overrides: Mapping[str, Any] | str | None,
    *,
    diffusion_code: orm.AbstractCode,
    options: Mapping[str, Any] | None = None,
    **engine_inputs: Any,
) -> Any:
    """Return a filled builder.

    :param process_class: the work chain.
    :param structure: the crystal.
    :param engine: entry point of the engine.
    :param protocol: name of the protocol.
    :param overrides: changes to the protocol.
    :param diffusion_code: the Python that has kinisi.
    :param options: ``metadata.options`` of the MD jobs.
    :param engine_inputs: the engine's own inputs; plain values become nodes.
    :raises ValueError: if the structure or a setting cannot be used; the message says why.
    """
    inputs = protocol_inputs("conductivity", protocol, overrides)
    framework = (inputs.get("diffusion") or {}).get("framework_species")
    sample = describe_sample(structure, inputs.get("mobile_species"), inputs.get("charges"), framework)
    md = engine_class(engine)
    builder = process_class.get_builder()
    builder.structure = structure
    chosen = {key: inputs[key] for key in PARAMETER_KEYS if inputs.get(key) is not None} | target(inputs)
    builder.parameters = orm.Dict(
        chosen | {"mobile_species": sample.mobile_species, "charges": sample.charges, "formula": sample.formula}
    )
    builder.md.entry_point = orm.Str(engine)
    builder.md.parameters = orm.Dict(with_thermostat(md_parameters(first_round(inputs)), md.thermostats, overrides))
    builder.md.engine = md.engine_inputs(structure, protocol, **engine_inputs)
    builder.clean_workdir = inputs["clean_workdir"]
    if options:
        builder.md.options = dict(options)
    if inputs["relax_ions"]:
        builder.relax_parameters = orm.Dict(inputs["relax"])
    builder.diffusion.code = diffusion_code
    builder.diffusion.parameters = orm.Dict(inputs["diffusion"])
    return builder


def target(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the target and the budget of runs that are extended; nothing without a target.

    :raises ValueError: for a budget without a target.
    """
    if inputs.get("target_relative_error") is not None:
        return {key: inputs[key] for key in TARGET_PARAMETERS if inputs.get(key) is not None}
    if inputs.get("max_total_time_ps") is not None:
        raise ValueError("max_total_time_ps is for runs that are extended: give target_relative_error too")
    return {}


def first_round(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the MD settings of the first round; without a target it is the only one, with runs of full length."""
    if inputs.get("target_relative_error") is None:
        return dict(inputs["md"])
    return {**inputs["md"], "total_time_ps": inputs["first_time_ps"]}


def md_parameters(md: Mapping[str, Any]) -> dict[str, Any]:
    """Return MD settings with the length of the run in steps instead of picoseconds."""
    settings = {key: value for key, value in md.items() if key != "total_time_ps"}
    if settings.get("n_steps") is None:
        if md.get("total_time_ps") is None:
            raise ValueError("give total_time_ps or n_steps, the length of a run")
        settings["n_steps"] = round(md["total_time_ps"] * FS_PER_PS / md["timestep_fs"])
        if settings["n_steps"] < 1:
            raise ValueError(f"a run of {md['total_time_ps']:g} ps is less than one step of {md['timestep_fs']:g} fs")
    return settings


def with_thermostat(md: dict[str, Any], known: Sequence[str], overrides: Any) -> dict[str, Any]:
    """Return MD settings with ``csvr``, which every engine has, where the engine lacks the protocol's thermostat.

    A thermostat that the user named stays, and the engine refuses it.
    """
    asked = (read_overrides(overrides).get("md") or {}).get("thermostat") is not None
    if md["thermostat"] in known or asked or md.get("ensemble") == "nve":
        return md
    return md | {"thermostat": "csvr"}
