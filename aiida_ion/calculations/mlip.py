"""The potential as input of a job: which calculator, which checkpoint, on which device."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from aiida import orm
from aiida.common import datastructures

from aiida_ion.calculations.script import threads_of

#: Potentials the runner knows by name; ``import`` takes any ASE calculator by import path.
POTENTIALS = ("sevenn", "mace", "chgnet", "nequip", "mattersim", "orb", "matgl", "lj", "emt", "import")
POTENTIAL_KEYS = {"name", "model", "kwargs", "device", "dtype", "checkpoint_sha256"}
FILENAME_CHECKPOINT = "checkpoint"


def define_potential_ports(spec: Any) -> None:
    """Declare the potential's ports."""
    spec.input(
        "potential",
        valid_type=orm.Dict,
        validator=validate_potential,
        help=f"`name` (one of {', '.join(POTENTIALS)}), `model` (the checkpoint's name), `kwargs` of the calculator, "
        "`device`, `dtype`, and `checkpoint_sha256` when only that very checkpoint will do.",
    )
    spec.input(
        "checkpoint",
        valid_type=orm.SinglefileData,
        required=False,
        help="The checkpoint as a file of the database, instead of one that the environment has.",
    )


def validate_potential(value: orm.Dict | None, _: Any) -> str | None:
    """Return what is wrong with the choice of a potential, nothing when it can be tried."""
    potential = value.get_dict() if value is not None else {}
    if potential.get("name") not in POTENTIALS:
        return f"unknown potential {potential.get('name')!r}; known are {', '.join(POTENTIALS)}"
    unknown = sorted(set(potential) - POTENTIAL_KEYS)
    if unknown:
        return f"potential does not know {', '.join(unknown)}; known are {', '.join(sorted(POTENTIAL_KEYS))}"
    if potential["name"] == "import" and ":" not in str(potential.get("model", "")):
        return "potential 'import' needs a model of the form package.module:Class"
    try:
        json.dumps(potential.get("kwargs", {}), allow_nan=False)
    except (TypeError, ValueError) as error:
        return f"kwargs of the calculator must be plain JSON: {error}"
    return None


def potential_inputs(inputs: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ``potential`` block of the runner's ``inputs.json``."""
    potential: dict[str, Any] = {"model": None, "kwargs": {}, "device": "cpu", "dtype": None, "checkpoint_sha256": None}
    potential |= inputs["potential"].get_dict()
    checkpoint = inputs.get("checkpoint")
    return potential | {
        "threads": threads_of(dict(options)),
        "checkpoint_file": checkpoint_name(checkpoint) if checkpoint is not None else None,
    }


def checkpoint_name(checkpoint: orm.SinglefileData) -> str:
    """Return the name a checkpoint has in the working folder: a fixed stem and its own endings.

    Two endings are kept, since libraries tell their formats by them: ``.nequip.pt2``, ``.pth.tar``.
    """
    endings = "".join(PurePath(checkpoint.filename).suffixes[-2:])
    return FILENAME_CHECKPOINT + (endings if re.fullmatch(r"[A-Za-z0-9._-]*", endings) else "")


def stage_checkpoint(info: datastructures.CalcInfo, inputs: Mapping[str, Any]) -> None:
    """Have the checkpoint copied from its node to the working folder, with no second copy in the database."""
    checkpoint = inputs.get("checkpoint")
    if checkpoint is not None:
        info.local_copy_list = [(checkpoint.uuid, checkpoint.filename, checkpoint_name(checkpoint))]


def structure_json(structure: orm.StructureData) -> dict[str, Any]:
    """Return the structure as the runners read it, angstrom, every bit kept."""
    atoms = structure.get_ase()
    return {
        "numbers": atoms.numbers.tolist(),
        "positions": atoms.positions.tolist(),
        "cell": atoms.cell.array.tolist(),
        "pbc": [True, True, True],
    }
