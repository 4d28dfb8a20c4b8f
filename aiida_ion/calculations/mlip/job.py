"""The potential as an input of a job: its calculator, its checkpoint and its device."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any, ClassVar

from aiida import orm
from aiida.common import datastructures

from aiida_ion.calculations.script import threads_of
from aiida_ion.calculations.training.domain import validate_domain
from aiida_ion.fingerprints import fingerprint
from aiida_ion.settings.lists import Many
from aiida_ion.settings.md import DEVICE
from aiida_ion.settings.rules import SHA256, Json, Word
from aiida_ion.settings.schema import Settings, setting, summary, word
from aiida_ion.settings.values import SettingsError
from aiida_ion.weight_files import look_into

#: Potentials the runner knows by name; ``import`` takes any ASE calculator by import path.
POTENTIALS = ("sevenn", "mace", "chgnet", "nequip", "mattersim", "orb", "matgl", "lj", "emt", "import")
#: Those whose parameters are arguments.
WITHOUT_MODELS = ("lj", "emt")
#: Settings that a test or the user's trust adds; they belong to one file of weights.
PINNED = ("checkpoint_sha256", "trusted_sha256")
FILENAME_CHECKPOINT = "checkpoint"


def define_potential_ports(spec: Any) -> None:
    """Declare the potential's ports."""
    spec.input(
        "potential",
        valid_type=orm.Dict,
        validator=validate_potential,
        help=f"Which potential, with which weights, where. {summary(MlipPotential)}.",
    )
    spec.input(
        "checkpoint",
        valid_type=orm.SinglefileData,
        required=False,
        help="The checkpoint as a file of the database, instead of one that the environment has.",
    )


@dataclass(frozen=True)
class MlipPotential(Settings):
    """The choice of a potential."""

    what: ClassVar[str] = "potential setting"

    name: str = word(POTENTIALS, help="Potential")
    model: str | None = setting(Word(optional=True, help="Name of the checkpoint"), None)
    kwargs: dict[str, Any] | None = setting(Json(optional=True, help="Further arguments of the calculator"), None)
    device: str | None = setting(replace(DEVICE, optional=True), None)
    dtype: str | None = word(("float32", "float64"), None, help="Precision")
    checkpoint_sha256: str | None = setting(
        replace(SHA256, optional=True, help="The hash of the only checkpoint that will do"), None
    )
    trusted_sha256: list[str] = setting(
        Many(item=SHA256, may_be_empty=True, help="Files of weights that may run code when they are loaded"), []
    )

    def check_together(self) -> None:
        """Refuse a model that the potential does not use, or cannot find.

        :raises SettingsError: naming what it accepts.
        """
        if self.name == "import" and not re.fullmatch(r"[\w.]+:\w+", self.model or ""):
            raise SettingsError("the potential import needs a model of the form package.module:Class")
        if self.name in WITHOUT_MODELS and self.model is not None:
            raise SettingsError(f"the potential {self.name} has no models, got {self.model}")


def validate_potential(value: orm.Dict | None, _: Any) -> str | None:
    """Return what is wrong with the choice of a potential; ``None`` if nothing is."""
    try:
        MlipPotential.from_dict(value.get_dict() if value is not None else {})
    except SettingsError as error:
        return str(error)
    return None


def validate_checkpoint(inputs: Mapping[str, Any]) -> str | None:
    """Return why the checkpoint among the inputs would be refused; ``None`` if it would not, or there is none."""
    checkpoint, potential = inputs.get("checkpoint"), inputs.get("potential")
    if checkpoint is None or potential is None:
        return None
    return _validate_trust(checkpoint, potential) or validate_domain(checkpoint, _cells(inputs))


def _cells(inputs: Mapping[str, Any]) -> list[list[str]]:
    """Return the symbols of the atoms of each cell that the potential is asked about."""
    structure = inputs.get("structure")
    cells = [list(node.base.attributes.get("symbols")) for node in (inputs.get("trajectories") or {}).values()]
    if structure is not None:
        cells.append([structure.get_kind(site.kind_name).symbols[0] for site in structure.sites])
    return cells


def _validate_trust(checkpoint: Any, potential: orm.Dict) -> str | None:
    """Return why a file of weights cannot be one, or would run code that nobody trusts."""
    about = potential.get_dict()
    with checkpoint.open(mode="rb") as stream:
        look = look_into(stream, any_format=about.get("name") == "import")
        if look.fault is not None:
            return f"the checkpoint {checkpoint.filename} {look.fault}"
        if not look.runs_code:
            return None
        stream.seek(0)
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    if sha256 in {str(given).lower() for given in about.get("trusted_sha256", [])}:
        return None
    return refusal(f"{checkpoint.filename} {look.danger()}", sha256)


def refusal(danger: str, sha256: str) -> str:
    """Return the sentence about a file that would run code and is not trusted."""
    return (
        f"{danger}: if you trust where it comes from, register it with 'aiida-ion engine add ... "
        f"--trust-checkpoint', or put its sha256 {sha256} into trusted_sha256 of the potential"
    )


def potential_inputs(inputs: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ``potential`` block of the runner's ``inputs.json``."""
    potential: dict[str, Any] = {"model": None, "kwargs": {}, "device": "cpu", "dtype": None, "checkpoint_sha256": None}
    potential |= {"trusted_sha256": []} | inputs["potential"].get_dict()
    checkpoint = inputs.get("checkpoint")
    return potential | {
        "threads": threads_of(dict(options)),
        "checkpoint_file": checkpoint_name(checkpoint) if checkpoint is not None else None,
    }


def potential_fingerprint(inputs: Any, results: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fingerprint of a potential and its hash, for the output `versions`.

    :param inputs: those of the job.
    :param results: what the runner said of the weights that it loaded and of its precision.
    """
    potential = MlipPotential.from_dict(inputs.potential.get_dict())
    checkpoint = results["versions"].get("checkpoint") or {}
    return fingerprint(
        {
            "program": potential.name,
            "model": potential.model,
            "checkpoint_sha256": checkpoint.get("sha256"),
            "checkpoint": None if checkpoint.get("sha256") else checkpoint.get("name"),
            "arguments": potential.kwargs or None,
            "precision": (results.get("engine") or {}).get("dtype"),
        }
    )


def with_fingerprint(inputs: Any, results: Mapping[str, Any]) -> dict[str, Any]:
    """Return the results of a runner whose versions say the level of theory, too; as they are where they have none."""
    if not results.get("versions"):
        return dict(results)
    return {**results, "versions": {**results["versions"], **potential_fingerprint(inputs, results)}}


def checkpoint_name(checkpoint: orm.SinglefileData) -> str:
    """Return the name of a checkpoint in the working folder: a fixed stem and its own endings.

    Two endings are kept, since libraries tell their formats by them: ``.nequip.pt2``, ``.pth.tar``.
    """
    endings = "".join(PurePath(checkpoint.filename).suffixes[-2:])
    return FILENAME_CHECKPOINT + (endings if re.fullmatch(r"[A-Za-z0-9._-]*", endings) else "")


def stage_checkpoint(info: datastructures.CalcInfo, inputs: Mapping[str, Any]) -> None:
    """Copy the checkpoint from its node to the working folder, without a second copy in the database."""
    checkpoint = inputs.get("checkpoint")
    if checkpoint is not None:
        info.local_copy_list = [(checkpoint.uuid, checkpoint.filename, checkpoint_name(checkpoint))]


def structure_json(structure: orm.StructureData) -> dict[str, Any]:
    """Return the structure as the runners read it, angstrom, in full precision."""
    atoms = structure.get_ase()
    return {
        "numbers": atoms.numbers.tolist(),
        "positions": atoms.positions.tolist(),
        "cell": atoms.cell.array.tolist(),
        "pbc": [True, True, True],
    }
