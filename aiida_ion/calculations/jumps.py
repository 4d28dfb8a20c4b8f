"""``ion.jumps``: ordered segments of one or more replicas -> sites, jumps, vibration and percolation, by GEMDAT."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from aiida import orm
from aiida.common import datastructures, folders
from aiida.engine import ExitCode

from aiida_ion.analysis.jumps.settings import JumpSettings
from aiida_ion.calculations.script import FILENAME_INPUTS, ScriptCalculation, ScriptParser, write_json

FILENAME_ARRAYS = "arrays.npz"
#: Beside the settings of the analysis: what the trajectory does not know about itself.
SAMPLE_KEYS = {"mobile_species", "temperature_K", "level_of_theory", "formula"}


class JumpsCalculation(ScriptCalculation):
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
            help="`mobile_species`, `temperature_K`, `level_of_theory`, `formula`, and settings of the analysis "
            "(`equilibration_fs`, `sites`, `site_radius_A`, `max_frames`, `max_memory_MB`, ...).",
        )
        spec.output(
            "jumps",
            valid_type=orm.ArrayData,
            required=False,
            help="Scalars and jump types as attributes (`jump_rate_1_ps`, `percolation_barriers_eV`, ...); sites, "
            "occupancy and the transitions between sites as arrays.",
        )
        spec.output("versions", valid_type=orm.Dict, required=False, help="Versions of GEMDAT and what it stands on.")
        spec.inputs["metadata"]["options"]["parser_name"].default = "ion.jumps"
        spec.inputs.validator = validate_jump_inputs

    def prepare_for_submission(self, folder: folders.Folder) -> datastructures.CalcInfo:
        """Have the arrays copied straight from their nodes, and write what they do not say."""
        copies: list[tuple[str, str, str]] = []
        replicas: dict[str, list[dict[str, str]]] = {}
        for key in sorted(self.inputs.trajectories):
            arrays = {name: f"{key}_{name}.npy" for name in ("positions", "steps", "times", "cells")}
            node = self.inputs.trajectories[key]
            copies += [(node.uuid, f"{name}.npy", target) for name, target in arrays.items()]
            replicas.setdefault(key.partition("_segment_")[0], []).append(arrays)
        parameters = self.inputs.parameters.get_dict()
        write_json(
            folder,
            FILENAME_INPUTS,
            {
                "replicas": list(replicas.values()),
                "symbols": next(iter(self.inputs.trajectories.values())).base.attributes.get("symbols"),
                "mobile_species": parameters["mobile_species"],
                "temperature_K": parameters["temperature_K"],
                "reference": reference_of(self.inputs.structure) if "structure" in self.inputs else None,
                "settings": {key: value for key, value in parameters.items() if key not in SAMPLE_KEYS},
            },
        )
        info = self.describe(folder, temporary=[FILENAME_ARRAYS])
        info.local_copy_list = copies
        return info


class JumpsParser(ScriptParser):
    """Turns results and arrays of the program into one node."""

    def parse(self, retrieved_temporary_folder: str | None = None, **_: Any) -> ExitCode | None:
        """Attach the node of jumps."""
        try:
            results = self.read_results()
            if results is None:
                return self.exit_code("ERROR_OUTPUT_MISSING", self.error_tail())
            failure = self.exit_code_of_status(results)
            if failure is not None:
                return failure
            node = self._jumps_node(results, f"{retrieved_temporary_folder}/{FILENAME_ARRAYS}")
        except (ValueError, OSError) as error:
            return self.exit_code("ERROR_OUTPUT_UNREADABLE", str(error))
        self.out("jumps", node)
        self.out("versions", orm.Dict(results["versions"]))
        return None

    def _jumps_node(self, results: dict[str, Any], arrays_path: str) -> orm.ArrayData:
        parameters = self.node.inputs.parameters.get_dict()
        node = orm.ArrayData()
        with np.load(arrays_path, allow_pickle=False) as arrays:
            for name in arrays.files:
                node.set_array(name, arrays[name])
        scalars = {key: value for key, value in results.items() if key not in ("status", "message", "versions", "cost")}
        said = {key: parameters[key] for key in SAMPLE_KEYS & set(parameters)}
        node.base.attributes.set_many(scalars | said)
        return node


def inputs_beside_fit(
    fit: orm.CalcJobNode, structure: orm.StructureData | None = None, settings: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the inputs of the jump picture of what an ``ion.diffusion`` job fitted, with its code and trajectories.

    :param structure: the supercell with the sites; without it sites are the peaks of the density.
    :param settings: changes to the defaults of the analysis.
    """
    said = fit.inputs.parameters.get_dict()
    parameters = {"mobile_species": said["mobile_species"], "temperature_K": said["target_temperature_K"]}
    parameters |= {name: said[name] for name in ("level_of_theory", "formula", "equilibration_fs") if name in said}
    inputs = {
        "code": fit.inputs.code,
        "trajectories": {name: fit.inputs.trajectories[name] for name in fit.inputs.trajectories},
        "parameters": orm.Dict(parameters | dict(settings or {})),
    }
    return inputs | ({"structure": structure} if structure is not None else {})


def check_jump_settings(settings: Mapping[str, Any]) -> None:
    """Refuse settings that the analysis does not know.

    :raises ValueError: with the reason.
    """
    JumpSettings.from_dict(settings)


def reference_of(structure: orm.StructureData) -> dict[str, Any]:
    """Return a structure as the program reads it: cell (angstrom), symbols, fractional positions."""
    atoms = structure.get_ase()
    return {
        "cell": atoms.cell.tolist(),
        "symbols": atoms.get_chemical_symbols(),
        "fractional": atoms.get_scaled_positions(wrap=False).tolist(),
    }


def validate_jump_parameters(value: orm.Dict | None, _: Any) -> str | None:
    """Return what is wrong with the settings, nothing when they can be used."""
    parameters = value.get_dict() if value is not None else {}
    missing = [key for key in ("mobile_species", "temperature_K") if key not in parameters]
    if missing:
        return f"parameters lack {', '.join(missing)}"
    if not parameters["temperature_K"] > 0:
        return "temperature_K must be above zero"
    try:
        JumpSettings.from_dict({key: val for key, val in parameters.items() if key not in SAMPLE_KEYS})
    except (TypeError, ValueError) as error:
        return str(error)
    return None


def validate_jump_inputs(inputs: Mapping[str, Any], _: Any) -> str | None:
    """Return what does not fit together among trajectories, structure and parameters."""
    trajectories, parameters = inputs.get("trajectories") or {}, inputs.get("parameters")
    if not trajectories:
        return "no trajectory is given"
    if parameters is None:
        return None
    symbols = [node.base.attributes.get("symbols") for node in trajectories.values()]
    if any(other != symbols[0] for other in symbols[1:]):
        return "the segments hold different atoms"
    mobile = parameters.get_dict().get("mobile_species")
    if mobile not in symbols[0]:
        return f"the trajectory has no {mobile}; it has {', '.join(sorted(set(symbols[0])))}"
    if parameters.get_dict().get("sites") == "structure" and inputs.get("structure") is None:
        return "sites are to come from a structure, and none is given"
    return None
