"""``ion.diffusion``: ordered segments of one or more replicas -> diffusivities with their uncertainty and checks."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from aiida import orm
from aiida.common import datastructures, folders

from aiida_ion.analysis.diffusion.analyse import DiffusionSettings
from aiida_ion.analysis.species.framework import validate_framework
from aiida_ion.calculations.cleaning import CleaningCalculation
from aiida_ion.calculations.script import FILENAME_INPUTS, write_json
from aiida_ion.calculations.trajectory_analysis import (
    FILENAME_ARRAYS,
    TrajectoryAnalysisParser,
    segment_files,
    symbols_of_segments,
    validate_segments,
)
from aiida_ion.fingerprints import FINGERPRINT_SHA256
from aiida_ion.settings.md import CHARGES, TEMPERATURE_K
from aiida_ion.settings.rules import Number
from aiida_ion.settings.schema import summary
from aiida_ion.settings.values import SettingsError

THERMO_REQUIRED = ("steps", "temperature", "potential_energy")
#: Arrays of a thermo node that the program reads, where the node has them.
THERMO_ARRAYS = (*THERMO_REQUIRED, "conserved_energy", "max_force", "charge_current")
#: Beside the settings of the analysis: what the trajectory does not know about itself.
#: ``remarks`` are sentences on how the trajectories were read.
SAMPLE_KEYS = frozenset({"mobile_species", "charges", "target_temperature_K", "level_of_theory", "formula", "remarks"})
#: A remark that may change a result begins so.
WARNING = "WARNING: "


def segment_key(replica: int, segment: int) -> str:
    """Return the name of a segment among the inputs; names sort in the order of time."""
    return f"replica_{replica:02d}_segment_{segment:03d}"


class DiffusionCalculation(CleaningCalculation):
    """Tracer and collective diffusivity, Haven ratio and the first checks, by kinisi."""

    _program = "diffusion"

    @classmethod
    def define(cls, spec: Any) -> None:
        """Declare trajectories, settings and the diffusion node."""
        super().define(spec)
        spec.input_namespace(
            "trajectories",
            valid_type=orm.TrajectoryData,
            dynamic=True,
            help="Segments named replica_XX_segment_YYY: positions in angstrom, unwrapped; times in ps.",
        )
        spec.input_namespace(
            "thermo",
            valid_type=orm.ArrayData,
            dynamic=True,
            required=False,
            help="What the segments recorded at every step, under the same names: temperature (K), energies (eV), "
            "charge current (e angstrom/fs); the measured mean temperature replaces the target.",
        )
        spec.input(
            "parameters",
            valid_type=orm.Dict,
            validator=validate_diffusion_parameters,
            help="`mobile_species`, `charges` (e), `target_temperature_K`, `level_of_theory`, `formula`, and settings "
            f"of the fit. {summary(DiffusionSettings)}.",
        )
        spec.output(
            "diffusion",
            valid_type=orm.ArrayData,
            required=False,
            help="Scalars as attributes (`tracer_diffusivity_cm2_s`, `..._ci95`, verdict, checks, `species`); MSD "
            "(angstrom^2) over lag times (ps) and posterior samples (cm^2/s) as arrays.",
        )
        spec.output("versions", valid_type=orm.Dict, required=False, help="Versions of kinisi and its dependencies.")
        spec.inputs["metadata"]["options"]["parser_name"].default = "ion.diffusion"
        spec.inputs.validator = validate_diffusion_inputs

    def prepare_for_submission(self, folder: folders.Folder) -> datastructures.CalcInfo:
        """Have the arrays copied straight from their nodes, and write what they do not say."""
        replicas, copies = segment_files(self.inputs.trajectories)
        parameters = self.inputs.parameters.get_dict()
        settings = {key: value for key, value in parameters.items() if key not in SAMPLE_KEYS}
        thermo, more = thermo_files(self.inputs.get("thermo") or {})
        write_json(
            folder,
            FILENAME_INPUTS,
            {
                "replicas": replicas,
                "symbols": symbols_of_segments(self.inputs.trajectories),
                "mobile_species": parameters["mobile_species"],
                "charges": parameters["charges"],
                "target_temperature_K": parameters["target_temperature_K"],
                "thermo": thermo,
                "settings": settings,
            },
        )
        info = self.describe(folder, temporary=[FILENAME_ARRAYS])
        info.local_copy_list = copies + more
        return info


class DiffusionParser(TrajectoryAnalysisParser):
    """Turns results and arrays of the program into the diffusion node."""

    output = "diffusion"
    sample_keys = SAMPLE_KEYS

    def _results_node(self, results: dict[str, Any], arrays_path: str) -> orm.ArrayData:
        """Return the node; what the reading of the trajectories warned of is among its warnings."""
        remarks = self.node.inputs.parameters.get_dict().get("remarks") or []
        read = [remark.removeprefix(WARNING) for remark in remarks if remark.startswith(WARNING)]
        if read:
            results = results | {"warnings": [*read, *(results.get("warnings") or [])]}
        node = super()._results_node(results, arrays_path)
        hashes = {
            str(segment.base.attributes.get(FINGERPRINT_SHA256))
            for segment in self.node.inputs.trajectories.values()
            if segment.base.attributes.get(FINGERPRINT_SHA256, None)
        }
        if hashes:
            node.base.attributes.set(FINGERPRINT_SHA256, ", ".join(sorted(hashes)))
        return node


def thermo_files(nodes: Mapping[str, orm.ArrayData]) -> tuple[list[list[dict[str, Any]]], list[tuple[str, str, str]]]:
    """Return what the program is told of each replica's thermo, and the files to copy for it.

    :param nodes: thermo of the segments, under their names.
    """
    replicas: dict[str, list[dict[str, Any]]] = {}
    copies: list[tuple[str, str, str]] = []
    for key in sorted(nodes):
        node = nodes[key]
        arrays = {name: f"{key}_thermo_{name}.npy" for name in THERMO_ARRAYS if name in node.get_arraynames()}
        copies += [(node.uuid, f"{name}.npy", target) for name, target in arrays.items()]
        attributes = {name: node.base.attributes.get(name, None) for name in ("timestep_fs", "ensemble")}
        replicas.setdefault(key.partition("_segment_")[0], []).append(attributes | {"files": arrays})
    return list(replicas.values()), copies


def validate_diffusion_parameters(value: orm.Dict | None, _: Any) -> str | None:
    """Return what is wrong with the settings of the fit; ``None`` if nothing is."""
    parameters = value.get_dict() if value is not None else {}
    missing = [key for key in ("mobile_species", "charges", "target_temperature_K") if key not in parameters]
    if missing:
        return f"parameters lack {', '.join(missing)}"
    try:
        Number(**TEMPERATURE_K).read(parameters["target_temperature_K"], "target_temperature_K")
        CHARGES.read(parameters["charges"], "charges")
        DiffusionSettings.from_dict({key: val for key, val in parameters.items() if key not in SAMPLE_KEYS})
    except SettingsError as error:
        return str(error)
    return None


def validate_diffusion_inputs(inputs: Mapping[str, Any], _: Any) -> str | None:
    """Return what does not fit together among trajectories, thermo and parameters."""
    trajectories, parameters = inputs.get("trajectories") or {}, inputs.get("parameters")
    if not trajectories:
        return "no trajectory is given"
    if parameters is None:
        return None
    fault = _validate_thermo(inputs.get("thermo") or {}, trajectories)
    if fault is not None:
        return fault
    settings = parameters.get_dict()
    mobile, framework = settings.get("mobile_species"), settings.get("framework_species")
    return validate_segments(trajectories, mobile) or validate_framework_species(
        framework, mobile, set(symbols_of_segments(trajectories))
    )


def validate_framework_species(
    framework_species: Sequence[str] | None, mobile_species: str | None, elements: Collection[str]
) -> str | None:
    """Return why a crystal of these elements cannot have a framework that was named; ``None`` if it can."""
    return validate_framework(framework_species, mobile_species, elements)


def _validate_thermo(thermo: Mapping[str, Any], trajectories: Mapping[str, Any]) -> str | None:
    replicas = {key.partition("_segment_")[0] for key in thermo}
    expected = {key for key in trajectories if key.partition("_segment_")[0] in replicas}
    if set(thermo) != expected:
        return f"thermo and trajectories differ in {', '.join(sorted(set(thermo) ^ expected))}: give all of a replica's"
    for key, node in thermo.items():
        missing = [name for name in THERMO_REQUIRED if name not in node.get_arraynames()]
        missing += [] if node.base.attributes.get("timestep_fs", None) else ["the attribute timestep_fs"]
        if missing:
            return f"the thermo of {key} lacks {', '.join(missing)}"
    return None
