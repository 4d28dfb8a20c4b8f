"""``ion.batch_md``: molecular dynamics of many replicas in one job, which share the evaluations of one potential."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from aiida import orm
from aiida.common import datastructures, folders

from aiida_ion.calculations.md import symbols_of
from aiida_ion.calculations.mlip.job import (
    define_potential_ports,
    potential_inputs,
    stage_checkpoint,
    structure_json,
)
from aiida_ion.calculations.mlip.md import FILENAME_RESTART, FILENAME_VELOCITIES
from aiida_ion.calculations.mlip.replicas import (
    MAX_REPLICAS,
    REPLICAS,
    charges_of,
    settings_of,
    structure_of,
    validate_replicas,
)
from aiida_ion.calculations.script import (
    FILENAME_INPUTS,
    ScriptCalculation,
    define_ledger,
    seconds_allowed,
    write_json,
)
from aiida_ion.calculations.trajectory_data import state_arrays
from aiida_ion.calculations.watched import define_watch_port, watched_pairs
from aiida_ion.settings.md import MdSettings
from aiida_ion.settings.schema import summary

FILENAME_STRUCTURES = "structures.json"
#: The restart files come first, as for a single run.
TEMPORARY_FILES = [(f"{REPLICAS}/*/{FILENAME_RESTART}", ".", 3), (f"{REPLICAS}/*/*.npy", ".", 3)]


class BatchMdCalculation(ScriptCalculation):
    """Many runs in one job: materials, temperatures and seeds, each with the outputs of a run of its own."""

    _program = "batch_md"

    @classmethod
    def define(cls, spec: Any) -> None:
        """Declare the inputs of a single run as namespaces, and its outputs by the keys of replicas."""
        super().define(spec)
        spec.input_namespace(
            "structures",
            valid_type=orm.StructureData,
            dynamic=True,
            help="The periodic cells that are simulated, under names of their own, angstrom.",
        )
        spec.input(
            "replicas",
            valid_type=orm.Dict,
            help="Key -> `structure`, the name of one, and the MD settings in which this replica differs: "
            f"`temperature_K`, `seed`, ... At most {MAX_REPLICAS}; what has no room waits.",
        )
        spec.input(
            "parameters",
            valid_type=orm.Dict,
            default=lambda: orm.Dict({}),
            help=f"MD settings that all replicas share; the cell is fixed. {summary(MdSettings)}.",
        )
        spec.input_namespace(
            "charges",
            valid_type=orm.Dict,
            dynamic=True,
            required=False,
            help="Of each structure, by its name, the formal charge of each element, e; zero where absent.",
        )
        spec.input_namespace(
            "restart_from",
            valid_type=orm.ArrayData,
            dynamic=True,
            required=False,
            help="The `state` of an earlier segment of a replica, by its key, also one of `ion.mlip_md`: it continues "
            "exactly there.",
        )
        spec.input_namespace(
            "initial_velocities",
            valid_type=orm.ArrayData,
            dynamic=True,
            required=False,
            help="By key, array `velocities` of shape (N, 3), angstrom/fs, instead of a draw from the seed.",
        )
        spec.input(
            "atoms_at_once",
            valid_type=int,
            non_db=True,
            required=False,
            validator=validate_atoms_at_once,
            help="Most atoms that are under way together: 32 on a processor, 20000 on a GPU by default; halved when "
            "memory runs out.",
        )
        define_watch_port(spec)
        define_potential_ports(spec)
        _define_outputs(spec)
        spec.exit_code(
            710,
            "WARNING_INCOMPLETE",
            message="Some replicas failed; the others are complete: {detail}",
            invalidates_cache=True,
        )
        spec.inputs["metadata"]["options"]["parser_name"].default = "ion.batch_md"
        spec.inputs.validator = validate_replicas

    def prepare_for_submission(self, folder: folders.Folder) -> datastructures.CalcInfo:
        """Write inputs, structures and, for replicas that continue, their restart files."""
        inputs, options = self.inputs, self.inputs.metadata.options
        listed = inputs.replicas.get_dict()
        content = {
            "potential": potential_inputs(inputs, options),
            "max_seconds": seconds_allowed(options.get("max_wallclock_seconds")),
            "atoms_at_once": inputs.get("atoms_at_once"),
            "replicas": [
                {
                    "key": key,
                    "structure": entry["structure"],
                    "md": settings_of(inputs, key).to_dict(),
                    "charges": charges_of(inputs, key),
                    "closest_allowed_A": watched_pairs(inputs, symbols_of(structure_of(inputs, key))),
                }
                for key, entry in listed.items()
            ],
        }
        write_json(folder, FILENAME_INPUTS, content)
        structures = {name: structure_json(node) for name, node in inputs.structures.items()}
        write_json(folder, FILENAME_STRUCTURES, structures)
        uploaded = [*self._write_restarts(folder), FILENAME_STRUCTURES]
        info = self.describe(folder, TEMPORARY_FILES, excluded=tuple(uploaded))
        stage_checkpoint(info, inputs)
        return info

    def _write_restarts(self, folder: folders.Folder) -> list[str]:
        """Write what replicas start from into their folders; return the paths."""
        uploaded: list[str] = []
        for key in self.inputs.replicas.get_dict():
            place = Path(folder.get_abs_path(f"{REPLICAS}/{key}"))
            if key in self.inputs.get("restart_from", {}):
                place.mkdir(parents=True, exist_ok=True)
                np.savez(place / FILENAME_RESTART, **state_arrays(self.inputs.restart_from[key]))  # type: ignore[arg-type]
                uploaded.append(f"{REPLICAS}/{key}/{FILENAME_RESTART}")
            if key in self.inputs.get("initial_velocities", {}):
                place.mkdir(parents=True, exist_ok=True)
                velocities = self.inputs.initial_velocities[key].get_array("velocities")
                np.save(place / FILENAME_VELOCITIES, velocities)
                uploaded.append(f"{REPLICAS}/{key}/{FILENAME_VELOCITIES}")
        return uploaded


def _define_outputs(spec: Any) -> None:
    """Declare what each replica has, by its key."""
    for name, kind, what in (
        (
            "trajectories",
            orm.TrajectoryData,
            "Frames: positions, unwrapped, and cells in angstrom; times in ps.",
        ),
        ("thermo", orm.ArrayData, "Every step: energies (eV), temperature (K), charge current (e*angstrom/fs)."),
        ("states", orm.ArrayData, "What an exact continuation needs: `restart_from`, also of `ion.mlip_md`."),
        ("costs", orm.Dict, "Share of the cost of the job by atoms and steps: s, MiB, steps per s."),
    ):
        spec.output_namespace(name, valid_type=kind, dynamic=True, help=f"By the key of each replica. {what}")
    spec.output(
        "statuses",
        valid_type=orm.Dict,
        required=False,
        help="Key -> `status` (finished, walltime, terminated, stopped, waiting, exploded, left_training, ...), "
        "`message`, `first_step` and `last_step`.",
    )
    define_ledger(spec)


def validate_atoms_at_once(value: int | None, _: Any) -> str | None:
    """Return what is wrong with a budget of atoms; ``None`` if nothing is."""
    return "atoms_at_once must be 1 or more" if value is not None and value < 1 else None
