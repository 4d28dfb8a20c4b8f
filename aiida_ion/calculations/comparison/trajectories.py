"""``ion.trajectory_comparison``: trajectories of two levels of theory -> errors of forces, g(r), vibrations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aiida import orm
from aiida.common import datastructures, folders

from aiida_ion.analysis.comparison.settings import ComparisonSettings
from aiida_ion.calculations.cleaning import CleaningCalculation
from aiida_ion.calculations.script import FILENAME_INPUTS, write_json
from aiida_ion.calculations.trajectory_analysis import FILENAME_ARRAYS, TrajectoryAnalysisParser
from aiida_ion.settings.schema import summary
from aiida_ion.settings.values import SettingsError

#: Arrays that every segment has, and those that it may have.
SEGMENT_ARRAYS = ("positions", "cells", "times", "steps")
KEPT_ARRAYS = ("velocities", "forces")
THERMO_ARRAYS = ("steps", "potential_energy")
FORCES_REQUIRED = ("forces", "segment", "frames", "steps")
FORCES_ARRAYS = (*FORCES_REQUIRED, "energies")
#: Beside the settings of the analysis: what the trajectories do not know about themselves.
SAMPLE_KEYS = frozenset({"level_of_theory", "reference_level_of_theory", "formula"})
#: A file of a node, and where it goes.
Copy = tuple[str, str, str]


class TrajectoryComparisonCalculation(CleaningCalculation):
    """Compare forces, radial distributions and vibrations of two levels of theory."""

    _program = "trajectory_comparison"

    @classmethod
    def define(cls, spec: Any) -> None:
        """Declare trajectories, forces, settings and the node of the comparison."""
        super().define(spec)
        for name, of in (("trajectories", "the compared level"), ("reference_trajectories", "the reference")):
            spec.input_namespace(
                name,
                valid_type=orm.TrajectoryData,
                dynamic=True,
                required=False,
                help=f"Segments of {of}: positions in angstrom, times in ps; velocities and forces where kept.",
            )
        spec.input_namespace(
            "reference_thermo",
            valid_type=orm.ArrayData,
            dynamic=True,
            required=False,
            help="What the reference's segments recorded at every step, under the same names; energies in eV.",
        )
        spec.input(
            "forces",
            valid_type=orm.ArrayData,
            required=False,
            help="Forces of the compared level on frames of the reference's segments, as `ion.forces` gives them.",
        )
        spec.input(
            "parameters",
            valid_type=orm.Dict,
            validator=validate_comparison_parameters,
            help="`level_of_theory`, `reference_level_of_theory`, `formula`, and settings of the comparison. "
            f"{summary(ComparisonSettings)}.",
        )
        spec.output(
            "comparison",
            valid_type=orm.ArrayData,
            required=False,
            help="An input of `compare_levels`: numbers in the attribute `findings`, what could not be compared in "
            "`missing`; g(r), vibrational densities and pairs of forces as arrays.",
        )
        spec.output("versions", valid_type=orm.Dict, required=False, help="Versions of what the numbers depend on.")
        spec.inputs["metadata"]["options"]["parser_name"].default = "ion.trajectory_comparison"
        spec.inputs.validator = validate_comparison_inputs

    def prepare_for_submission(self, folder: folders.Folder) -> datastructures.CalcInfo:
        """Have the arrays copied straight from their nodes, and write what they do not say."""
        parameters = self.inputs.parameters.get_dict()
        copies: list[Copy] = []
        forces = self.inputs.get("forces")
        content = {
            "levels_of_theory": [parameters["level_of_theory"], parameters["reference_level_of_theory"]],
            "trajectories": self._segments("trajectories", ("velocities",), copies),
            "reference_trajectories": self._segments(
                "reference_trajectories", KEPT_ARRAYS if forces is not None else ("velocities",), copies
            ),
            "reference_thermo": {
                key: _files(node, THERMO_ARRAYS, f"reference_thermo_{key}", copies)
                for key, node in sorted((self.inputs.get("reference_thermo") or {}).items())
            },
            "forces": None if forces is None else _forces(forces, copies),
            "settings": {key: value for key, value in parameters.items() if key not in SAMPLE_KEYS},
        }
        write_json(folder, FILENAME_INPUTS, content)
        info = self.describe(folder, temporary=[FILENAME_ARRAYS])
        info.local_copy_list = copies
        return info

    def _segments(self, port: str, kept: Sequence[str], copies: list[Copy]) -> dict[str, dict[str, Any]]:
        """Return what the program is told of the segments of a level; their files are added to the copies.

        :param kept: arrays beside :data:`SEGMENT_ARRAYS` that are copied where a segment has them.
        """
        segments = {}
        for key, node in sorted((self.inputs.get(port) or {}).items()):
            attributes = node.base.attributes.all
            temperature = attributes.get("target_temperature_K")
            segments[key] = {
                "symbols": attributes["symbols"],
                "temperature_K": None if temperature is None else float(temperature),
                "seed": attributes.get("seed"),
                "files": _files(node, (*SEGMENT_ARRAYS, *kept), f"{port}_{key}", copies),
            }
        return segments


class TrajectoryComparisonParser(TrajectoryAnalysisParser):
    """Turns results and arrays of the program into the node of the comparison."""

    output = "comparison"
    sample_keys = frozenset({"formula"})


def _files(node: orm.ArrayData, names: Sequence[str], prefix: str, copies: list[Copy]) -> dict[str, str]:
    """Return the files of those arrays that a node has, and add them to the copies."""
    files = {name: f"{prefix}_{name}.npy" for name in names if name in node.get_arraynames()}
    copies += [(node.uuid, f"{name}.npy", target) for name, target in files.items()]
    return files


def _forces(node: orm.ArrayData, copies: list[Copy]) -> dict[str, Any]:
    attributes = node.base.attributes
    return {
        "segments": attributes.get("segments"),
        "symbols": attributes.get("symbols", None),
        "files": _files(node, FORCES_ARRAYS, "evaluated", copies),
    }


def validate_comparison_parameters(value: orm.Dict | None, _: Any) -> str | None:
    """Return what is wrong with the parameters, nothing when they can be used."""
    parameters = value.get_dict() if value is not None else {}
    missing = [key for key in ("level_of_theory", "reference_level_of_theory") if not parameters.get(key)]
    if missing:
        return f"parameters lack {', '.join(missing)}"
    try:
        ComparisonSettings.from_dict({key: val for key, val in parameters.items() if key not in SAMPLE_KEYS})
    except SettingsError as error:
        return str(error)
    return None


def validate_comparison_inputs(inputs: Mapping[str, Any], _: Any) -> str | None:
    """Return what does not fit among trajectories, thermo and forces."""
    sides = {name: inputs.get(name) or {} for name in ("trajectories", "reference_trajectories")}
    if not any(sides.values()):
        return "no trajectory is given"
    for name, segments in sides.items():
        for key, node in segments.items():
            missing = [array for array in SEGMENT_ARRAYS if array not in node.get_arraynames()]
            if missing:
                return f"{name}.{key} has no {', '.join(missing)}"
    unknown = sorted(set(inputs.get("reference_thermo") or {}) - set(sides["reference_trajectories"]))
    if unknown:
        return f"reference_thermo has no trajectory of the same name for {', '.join(unknown)}"
    forces = inputs.get("forces")
    if forces is not None:
        missing = [array for array in FORCES_REQUIRED if array not in forces.get_arraynames()]
        missing += [] if forces.base.attributes.get("segments", None) else ["the attribute segments"]
        if missing:
            return f"forces has no {', '.join(missing)}: give the output of ion.forces"
    return None
