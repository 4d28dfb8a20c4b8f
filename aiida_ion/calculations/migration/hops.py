"""``ion.hops``: the barriers of many hops of a crystal by a potential, in one job."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aiida import orm
from aiida.common import datastructures, folders
from aiida.engine import ExitCode

from aiida_ion.analysis.migration.network_data import HopNetwork
from aiida_ion.calculations.migration.images import images_node
from aiida_ion.calculations.mlip.job import (
    define_potential_ports,
    potential_inputs,
    stage_checkpoint,
    structure_json,
    validate_checkpoint,
    with_fingerprint,
)
from aiida_ion.calculations.script import (
    FILENAME_INPUTS,
    UNREADABLE,
    ScriptCalculation,
    ScriptParser,
    define_ledger,
    seconds_allowed,
    write_json,
)
from aiida_ion.settings.migration import HopSettings
from aiida_ion.settings.schema import summary
from aiida_ion.settings.values import SettingsError

FILENAME_HOPS = "hops.jsonl"
OUT_OF_TIME = ("walltime", "terminated")
#: What of a record goes into the trajectory of its images, not into the table of barriers.
IN_IMAGES = ("images", "numbers", "cell")


class HopsCalculation(ScriptCalculation):
    """Barriers of hops: relaxed ends, then a mid-point or a climbing-image band for each."""

    _program = "migration.hops"

    @classmethod
    def define(cls, spec: Any) -> None:
        """Declare potential, crystal, hops and their barriers."""
        super().define(spec)
        define_potential_ports(spec)
        spec.input(
            "structure", valid_type=orm.StructureData, help="The crystal that the hops are of, relaxed, angstrom."
        )
        spec.input(
            "hops",
            valid_type=orm.Dict,
            validator=validate_hops,
            help="Sites and hops of the crystal, as `ion.inequivalent_hops` returns them.",
        )
        spec.input(
            "labels", valid_type=orm.List, required=False, help="Only these hops, such as `hop_02`; all when not given."
        )
        spec.input(
            "parameters",
            valid_type=orm.Dict,
            default=lambda: orm.Dict({}),
            validator=validate_hop_settings,
            help=f"How each is computed. {summary(HopSettings)}.",
        )
        spec.output(
            "barriers",
            valid_type=orm.Dict,
            required=False,
            help="For each hop: `verdict`, `forward_eV`, `reverse_eV`, energies of ends and saddle (eV), `path` "
            "(midpoint or band), `climbing`, `max_force_eV_A`, `curvature_eV_A2`, `calls`, times (s).",
        )
        spec.output_namespace(
            "images",
            valid_type=orm.TrajectoryData,
            dynamic=True,
            required=False,
            help="For each hop its images, angstrom, one step each, with `energies`, eV; of a hop without a path the "
            "ends that relaxed.",
        )
        define_ledger(spec)
        spec.exit_code(
            400,
            "ERROR_OUT_OF_WALLTIME",
            message="The job stopped early; the hops it had done are in its outputs: {detail}",
            invalidates_cache=True,  # with more time the same inputs give more hops
        )
        spec.inputs["metadata"]["options"]["parser_name"].default = "ion.hops"
        spec.inputs.validator = validate_inputs

    def prepare_for_submission(self, folder: folders.Folder) -> datastructures.CalcInfo:
        """Write crystal, hops and settings."""
        inputs, options = self.inputs, self.inputs.metadata.options
        hops = inputs.hops.get_dict()
        write_json(
            folder,
            FILENAME_INPUTS,
            {
                "potential": potential_inputs(inputs, options),
                "hop_settings": HopSettings.from_dict(inputs.parameters.get_dict()).to_dict(),
                "max_seconds": seconds_allowed(options.get("max_wallclock_seconds")),
                "mobile_species": hops["mobile_species"],
                "network": hops["network"],
                "labels": inputs.labels.get_list() if "labels" in inputs else None,
            },
        )
        write_json(folder, "structure.json", structure_json(inputs.structure))
        info = self.describe(folder, temporary=[FILENAME_HOPS], excluded=("structure.json",))
        stage_checkpoint(info, inputs)
        return info


def validate_hops(value: orm.Dict | None, _: Any) -> str | None:
    """Return why a mapping is not one of hops; ``None`` if it is."""
    try:
        content = value.get_dict() if value is not None else {}
        HopNetwork.from_dict(content["network"])
        str(content["mobile_species"])
    except (KeyError, TypeError, ValueError) as error:
        return f"these are not hops as ion.inequivalent_hops returns them ({type(error).__name__}: {error})"
    return None


def validate_hop_settings(value: orm.Dict | None, _: Any) -> str | None:
    """Return what is wrong with the settings; ``None`` if nothing is."""
    try:
        HopSettings.from_dict(value.get_dict() if value is not None else {})
    except SettingsError as error:
        return str(error)
    return None


def validate_inputs(inputs: Mapping[str, Any], _: Any) -> str | None:
    """Return what does not match among crystal, hops, labels and potential; ``None`` if everything does."""
    hops, structure = inputs.get("hops"), inputs.get("structure")
    if hops is not None and structure is not None:
        network = HopNetwork.from_dict(hops.get_dict()["network"])
        if max(network.atoms, default=-1) >= len(structure.sites):
            return "the hops are of another crystal: they name atoms that this one has not"
        unknown = set(inputs["labels"].get_list() if "labels" in inputs else []) - {hop.label for hop in network.hops}
        if unknown:
            return f"there is no hop {', '.join(sorted(map(str, unknown)))}"
    return validate_checkpoint(inputs)


class HopsParser(ScriptParser):
    """Attaches every hop that is done, also of a job that was killed."""

    def parse(self, retrieved_temporary_folder: str | None = None, **_: Any) -> ExitCode | None:
        """Attach barriers and images, then say how the job ended."""
        try:
            results = self.read_results()
            records = read_records(Path(retrieved_temporary_folder or "") / FILENAME_HOPS)
            for record in records:
                if record.get("images"):
                    self.out(f"images.{record['label']}", images_node(record))
        except UNREADABLE as error:
            return self.exit_code("ERROR_OUTPUT_UNREADABLE", str(error))
        if records:
            self.out("barriers", barriers_node(records, results or {}))
        self.attach_ledger(with_fingerprint(self.node.inputs, results or {}))
        if results is None:
            ending = self.ending()
            if records:
                return self.exit_code("ERROR_OUT_OF_WALLTIME", ending.message)
            return self.exit_code_of_ending(ending)
        if results["status"] in OUT_OF_TIME and not records:
            return self.exit_code("ERROR_OUT_OF_WALLTIME_NO_RESTART", str(results.get("message")))
        return self.exit_code_of_status(results)


def read_records(path: Path) -> list[dict[str, Any]]:
    """Return the whole lines of the program; a last one that was cut off is left out."""
    if not path.exists():
        return []
    records = []
    lines = path.read_text().split("\n")
    for line in lines[:-1]:  # what follows the last end of a line is empty, or cut off
        records.append(json.loads(line))
    return records


def barriers_node(records: list[dict[str, Any]], results: Mapping[str, Any]) -> orm.Dict:
    """Return the table of barriers as an unstored node."""
    hops = {
        record["label"]: {key: value for key, value in record.items() if key not in (*IN_IMAGES, "label")}
        for record in records
    }
    return orm.Dict({"hops": hops, "host_energy_eV": results.get("host_energy_eV"), "units": results.get("units", {})})
