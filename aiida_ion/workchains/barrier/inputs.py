"""The inputs of ``ion.barrier``, and what is refused before anything is submitted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida import orm

from aiida_ion.calculations.migration.functions import search
from aiida_ion.engine_kinds import engine_class
from aiida_ion.settings.barrier import BarrierParameters
from aiida_ion.settings.values import SettingsError


def define_inputs(spec: Any) -> None:
    """Declare crystal, parameters, the potential, and DFT."""
    spec.input("structure", valid_type=orm.StructureData, help="The crystal: an ordered, periodic cell, angstrom.")
    spec.input(
        "parameters",
        valid_type=orm.Dict,
        validator=validate_parameters,
        help="`search`: which hops; `hop`: how each is computed; `transport`: temperature (K) and carriers per site; "
        "`relax_ions`, `relax`; `hops_per_job`, `max_concurrent`; `reference_energy_eV_atom` (eV); `dft_images`, "
        "`dft_max_force_eV_A`, `dft_max_steps` of DFT bands.",
    )
    spec.input("mlip.entry_point", valid_type=orm.Str, help="The engine: the entry point of an `ion.md.*` work chain.")
    spec.input_namespace("mlip.engine", dynamic=True, help="The engine's own inputs: `code`, `potential`, ...")
    spec.input("mlip.options", valid_type=dict, non_db=True, required=False, help="`metadata.options` of its jobs.")
    spec.input_namespace("dft", required=False, help="DFT at ends and saddles, and bands by it.")
    spec.input(
        "dft.entry_point",
        valid_type=orm.Str,
        required=False,
        help="Single points at ends and saddles by this engine: the entry point of an `ion.md.*` work chain.",
    )
    spec.input_namespace(
        "dft.engine", dynamic=True, required=False, help="Its own inputs, for the cell with the defect."
    )
    spec.input("dft.options", valid_type=dict, non_db=True, required=False, help="`metadata.options` of its jobs.")
    spec.input(
        "dft.band_code",
        valid_type=orm.AbstractCode,
        required=False,
        help="Bands by DFT, too, by this program: neb.x, or VASP. They start from those of the potential.",
    )


def validate_parameters(value: orm.Dict | None, _: Any) -> str | None:
    """Return what is wrong with the parameters; ``None`` if nothing is."""
    try:
        BarrierParameters.from_dict(value.get_dict() if value is not None else {})
    except SettingsError as error:
        return str(error)
    return None


def parameters_of(inputs: Mapping[str, Any]) -> BarrierParameters:
    """Return the checked parameters."""
    return BarrierParameters.from_dict(inputs["parameters"].get_dict())


def validate_inputs(inputs: Mapping[str, Any], _: Any) -> str | None:
    """Return what a child would refuse; ``None`` if nothing, and the work chain can be submitted."""
    if any(inputs.get(name) is None for name in ("structure", "parameters", "mlip")):
        return None
    parameters = parameters_of(inputs)
    try:
        hops = search(inputs["structure"], parameters.search)
        engine = engine_class(inputs["mlip"]["entry_point"].value)
    except ValueError as error:
        return str(error)
    if engine.hops_class is None:
        return f"{inputs['mlip']['entry_point'].value} computes no hops; use a potential, of the kind mlip"
    missing = [name for name in ("code", "potential") if inputs["mlip"]["engine"].get(name) is None]
    if missing:
        return f"mlip.engine lacks {' and '.join(missing)}"
    given = engine.shared_inputs(inputs["mlip"]["engine"]) | {
        "structure": inputs["structure"],
        "hops": orm.Dict(hops),
        "parameters": orm.Dict(parameters.hop.to_dict()),
    }
    problem = engine.hops_class.spec().inputs.validate(given)
    if problem is not None:
        return f"mlip: {problem.message}"
    return validate_dft(inputs, parameters)


def validate_dft(inputs: Mapping[str, Any], parameters: BarrierParameters) -> str | None:
    """Return what is wrong with the DFT inputs; ``None`` if nothing is, or there are none."""
    dft = inputs.get("dft") or {}
    if dft.get("entry_point") is None:
        return "dft.band_code needs dft.entry_point and dft.engine" if dft.get("band_code") is not None else None
    try:
        engine = engine_class(dft["entry_point"].value)
        if engine.single_points is None:
            return f"{dft['entry_point'].value} has no single points: dft is for engines that converge electrons"
        engine.level_of_theory(dft.get("engine") or {})
    except (KeyError, TypeError, ValueError) as error:
        return f"dft.engine is not complete ({type(error).__name__}: {error})"
    return None if dft.get("band_code") is None else validate_bands(engine, parameters)


def validate_bands(engine: Any, parameters: BarrierParameters) -> str | None:
    """Return why DFT bands cannot be computed; ``None`` if they can."""
    if engine.bands is None:
        return "this DFT engine has no bands: leave out dft.band_code"
    if parameters.hop.path != "band":
        return "DFT bands start from bands of the potential: set hop.path to 'band'"
    try:
        engine.bands.process()
    except ValueError as error:
        return str(error)
    return None
