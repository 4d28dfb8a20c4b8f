"""The relaxation of ions in a fixed cell as a CalcJob: ports and outputs, the same for every engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from aiida import orm
from numpy.typing import NDArray

from aiida_ion.calculations.script import define_ledger, ledger_outputs
from aiida_ion.settings.md import RelaxSettings
from aiida_ion.settings.schema import summary
from aiida_ion.settings.values import SettingsError

RELAX_DEFAULTS: dict[str, float | int] = RelaxSettings().to_dict()

#: What every relaxation reports, with any engine.
RELAXATION_KEYS = (
    "converged",
    "n_steps",
    "energy_drop_eV_atom",
    "max_displacement_A",
    "rms_displacement_A",
    "initial_max_force_eV_A",
    "final_max_force_eV_A",
)


def define_relax_ports(spec: Any) -> None:
    """Declare the ports that every relaxation job has."""
    spec.input("structure", valid_type=orm.StructureData, help="The periodic cell whose ions are relaxed, angstrom.")
    spec.input(
        "parameters",
        valid_type=orm.Dict,
        default=lambda: orm.Dict(dict(RELAX_DEFAULTS)),
        validator=validate_relax_parameters,
        help=f"When ions count as relaxed, and when to give up. {summary(RelaxSettings)}.",
    )
    spec.output("structure", valid_type=orm.StructureData, required=False, help="The relaxed ions in the same cell.")
    spec.output(
        "relaxation",
        valid_type=orm.Dict,
        required=False,
        help="Energy drop (eV/atom), largest and rms displacement (angstrom), forces (eV/angstrom), converged or not.",
    )
    define_ledger(spec)
    spec.exit_code(700, "WARNING_NOT_RELAXED", message="The ions are not relaxed to the force asked for: {detail}")


def validate_relax_parameters(value: orm.Dict | None, _: Any) -> str | None:
    """Return what is wrong with relaxation settings; ``None`` if nothing is."""
    try:
        RelaxSettings.from_dict(value.get_dict() if value is not None else {})
    except SettingsError as error:
        return str(error)
    return None


def relaxed_structure(structure: orm.StructureData, positions: NDArray[np.float64]) -> orm.StructureData:
    """Return the structure with new positions of its sites, shape (N, 3), angstrom; kinds and cell stay."""
    relaxed: orm.StructureData = structure.clone()
    relaxed.reset_sites_positions([tuple(float(x) for x in row) for row in positions])
    return relaxed


def displacement(before: NDArray[np.float64], after: NDArray[np.float64]) -> dict[str, float]:
    """Return the largest and the rms displacement, angstrom, after subtracting the mean shift of all ions.

    :param before: shape (N, 3), angstrom; as is ``after``.
    """
    moved = np.asarray(after) - np.asarray(before)
    lengths = np.linalg.norm(moved - moved.mean(axis=0), axis=1)
    return {
        "max_displacement_A": float(lengths.max()),
        "rms_displacement_A": float(np.sqrt(np.mean(lengths**2))),
    }


def relaxation_outputs(structure: orm.StructureData, results: Mapping[str, Any]) -> dict[str, orm.Data]:
    """Return the output nodes of a relaxation, from the results of its program."""
    outputs: dict[str, orm.Data] = {}
    if results.get("positions") is not None:
        positions = np.asarray(results["positions"], dtype=float)
        outputs["structure"] = relaxed_structure(structure, positions)
        outputs["relaxation"] = orm.Dict({key: results[key] for key in RELAXATION_KEYS if key in results})
    return outputs | ledger_outputs(results)
