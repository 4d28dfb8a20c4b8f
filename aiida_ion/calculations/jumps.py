"""``ion.jumps``: ordered segments of one or more replicas -> sites, jumps, vibration and percolation, by GEMDAT."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida import orm
from aiida.common import datastructures, folders

from aiida_ion.analysis.jumps.settings import JumpSettings
from aiida_ion.calculations.cleaning import CleaningCalculation
from aiida_ion.calculations.script import FILENAME_INPUTS, write_json
from aiida_ion.calculations.trajectory_analysis import (
    FILENAME_ARRAYS,
    TrajectoryAnalysisParser,
    segment_files,
    symbols_of_segments,
    validate_segments,
)
from aiida_ion.settings.md import TEMPERATURE_K
from aiida_ion.settings.rules import Number
from aiida_ion.settings.schema import summary
from aiida_ion.settings.values import SettingsError

#: Beside the settings of the analysis: what the trajectory does not know about itself.
SAMPLE_KEYS = frozenset({"mobile_species", "temperature_K", "level_of_theory", "formula"})


class JumpsCalculation(CleaningCalculation):
    """Sites and their occupancy, jumps and their rates, attempt frequency, jump diffusivity, percolation."""

    _program = "jumps"

    @classmethod
    def define(cls, spec: Any) -> None:
        """Declare trajectories, structure, settings and the node of jumps."""
        super().define(spec)
        spec.input_namespace(
            "trajectories",
            valid_type=orm.TrajectoryData,
            dynamic=True,
            help="Segments named replica_XX_segment_YYY: positions in angstrom, unwrapped; times in ps.",
        )
        spec.input(
            "structure",
            valid_type=orm.StructureData,
            required=False,
            help="The supercell with the sites of the mobile ions, framework atoms in the trajectory's order; without "
            "it sites are the peaks of the density.",
        )
        spec.input(
            "parameters",
            valid_type=orm.Dict,
            validator=validate_jump_parameters,
            help="`mobile_species`, `temperature_K`, `level_of_theory`, `formula`, and settings of the analysis. "
            f"{summary(JumpSettings)}.",
        )
        spec.output(
            "jumps",
            valid_type=orm.ArrayData,
            required=False,
            help="Scalars and jump types as attributes (`jump_rate_1_ps`, `percolation_barriers_eV`, ...); sites, "
            "occupancy and the transitions between sites as arrays.",
        )
        spec.output("versions", valid_type=orm.Dict, required=False, help="Versions of GEMDAT and its dependencies.")
        spec.inputs["metadata"]["options"]["parser_name"].default = "ion.jumps"
        spec.inputs.validator = validate_jump_inputs

    def prepare_for_submission(self, folder: folders.Folder) -> datastructures.CalcInfo:
        """Have the arrays copied straight from their nodes, and write what they do not say."""
        replicas, copies = segment_files(self.inputs.trajectories)
        parameters = self.inputs.parameters.get_dict()
        write_json(
            folder,
            FILENAME_INPUTS,
            {
                "replicas": replicas,
                "symbols": symbols_of_segments(self.inputs.trajectories),
                "mobile_species": parameters["mobile_species"],
                "temperature_K": parameters["temperature_K"],
                "reference": reference_of(self.inputs.structure) if "structure" in self.inputs else None,
                "settings": {key: value for key, value in parameters.items() if key not in SAMPLE_KEYS},
            },
        )
        info = self.describe(folder, temporary=[FILENAME_ARRAYS])
        info.local_copy_list = copies
        return info


class JumpsParser(TrajectoryAnalysisParser):
    """Turns results and arrays of the program into the node of jumps."""

    output = "jumps"
    sample_keys = SAMPLE_KEYS


def inputs_beside_fit(
    fit: orm.CalcJobNode, structure: orm.StructureData | None = None, settings: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the inputs of the jump analysis of what an ``ion.diffusion`` job fitted, with its code and trajectories.

    :param structure: the supercell with the sites; without it sites are the peaks of the density.
    :param settings: changes to the defaults of the analysis.
    """
    fit_parameters = fit.inputs.parameters.get_dict()
    parameters = {
        "mobile_species": fit_parameters["mobile_species"],
        "temperature_K": fit_parameters["target_temperature_K"],
    }
    parameters |= {
        name: fit_parameters[name]
        for name in ("level_of_theory", "formula", "equilibration_fs")
        if name in fit_parameters
    }
    attributes = fit.outputs.diffusion.base.attributes.all if "diffusion" in fit.outputs else {}
    if attributes.get("other_mobile_species"):
        parameters["framework_species"] = attributes["framework_species"]
    inputs = {
        "code": fit.inputs.code,
        "trajectories": {name: fit.inputs.trajectories[name] for name in fit.inputs.trajectories},
        "parameters": orm.Dict(parameters | dict(settings or {})),
    }
    return inputs | ({"structure": structure} if structure is not None else {})


def reference_of(structure: orm.StructureData) -> dict[str, Any]:
    """Return a structure as the program reads it: cell (angstrom), symbols, fractional positions."""
    atoms = structure.get_ase()
    return {
        "cell": atoms.cell.tolist(),
        "symbols": atoms.get_chemical_symbols(),
        "fractional": atoms.get_scaled_positions(wrap=False).tolist(),
    }


def validate_jump_parameters(value: orm.Dict | None, _: Any) -> str | None:
    """Return what is wrong with the settings; ``None`` if nothing is."""
    parameters = value.get_dict() if value is not None else {}
    missing = [key for key in ("mobile_species", "temperature_K") if key not in parameters]
    if missing:
        return f"parameters lack {', '.join(missing)}"
    try:
        Number(**TEMPERATURE_K).read(parameters["temperature_K"], "temperature_K")
        JumpSettings.from_dict({key: val for key, val in parameters.items() if key not in SAMPLE_KEYS})
    except SettingsError as error:
        return str(error)
    return None


def validate_jump_inputs(inputs: Mapping[str, Any], _: Any) -> str | None:
    """Return what does not fit together among trajectories, structure and parameters."""
    trajectories, parameters = inputs.get("trajectories") or {}, inputs.get("parameters")
    if not trajectories:
        return "no trajectory is given"
    if parameters is None:
        return None
    fault = validate_segments(trajectories, parameters.get_dict().get("mobile_species"))
    if fault is not None:
        return fault
    if parameters.get_dict().get("sites") == "structure" and inputs.get("structure") is None:
        return "sites are to come from a structure, and none is given"
    return None
