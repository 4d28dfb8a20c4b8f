"""``ion.md.mlip``: the MD interface on machine-learning interatomic potentials and other ASE calculators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida import orm

from aiida_ion.calculations.migration.hops import HopsCalculation
from aiida_ion.calculations.mlip.batch_md import BatchMdCalculation
from aiida_ion.calculations.mlip.forces import ForcesCalculation
from aiida_ion.calculations.mlip.job import validate_potential
from aiida_ion.calculations.mlip.md import MlipMdCalculation
from aiida_ion.calculations.mlip.relax import MlipRelaxCalculation
from aiida_ion.calculations.training.domain import trained_attributes
from aiida_ion.calculations.training.frames import training_cell
from aiida_ion.workchains.md.base import MdBaseWorkChain
from aiida_ion.workchains.md.mlip_options import read_potential, trusted_weights, with_model
from aiida_ion.workchains.md.requests import EngineRequest, EngineSetup, without_watch
from aiida_ion.workchains.md.small_cells import argon, copper, lithium_oxide

#: How the field writes the names.
FAMILY_NAMES = {
    "sevenn": "SevenNet",
    "mace": "MACE",
    "chgnet": "CHGNet",
    "nequip": "NequIP",
    "mattersim": "MatterSim",
    "orb": "Orb",
    "matgl": "MatGL",
    "lj": "Lennard-Jones",
    "emt": "EMT",
}
#: The model a potential means when none is named.
DEFAULT_MODELS = {"sevenn": "7net-0", "chgnet": "0.3.0", "mace": "medium-mpa-0"}


class MlipMdWorkChain(MdBaseWorkChain):
    """Molecular dynamics with an ASE calculator in restartable segments."""

    _process_class = MlipMdCalculation
    relax_class = MlipRelaxCalculation
    forces_class = ForcesCalculation
    batch_class = BatchMdCalculation
    hops_class = HopsCalculation
    engine_ports = ("code", "potential", "checkpoint")
    needs_python = True
    add_options = ("potential", "model", "checkpoint", "trust_checkpoint", "kwargs", "device", "dtype")
    run_options = ("model", "device", "no_watch")

    @classmethod
    def level_of_theory(cls, engine: Mapping[str, Any]) -> str:
        """Return family and model, such as ``SevenNet 7net-0``."""
        potential = engine["potential"].get_dict()
        name = potential["name"]
        if name == "import":
            return str(potential["model"]).rpartition(":")[2]
        checkpoint = engine.get("checkpoint")
        trained = None if checkpoint is None else trained_attributes(checkpoint)
        if trained is not None and trained.get("level_of_theory"):
            return str(trained["level_of_theory"])
        model = checkpoint.filename if checkpoint is not None else potential.get("model") or DEFAULT_MODELS.get(name)
        return f"{FAMILY_NAMES.get(name, name)} {model}" if model else FAMILY_NAMES.get(name, name)

    @classmethod
    def read_options(cls, setup: EngineSetup) -> dict[str, Any]:
        """Return potential and checkpoint."""
        return read_potential(setup)

    @classmethod
    def validate_potential(cls, potential: Mapping[str, Any]) -> str | None:
        """Return why a potential cannot be tried; each engine has one of its own."""
        return validate_potential(orm.Dict(dict(potential)), None)

    @classmethod
    def trusted_hashes(cls, kept: Mapping[str, Any], computer: str, trusts: bool) -> list[str]:
        """Look at the file of weights, where it is here."""
        return trusted_weights(kept, computer, trusts)

    @classmethod
    def with_run_options(cls, choices: Mapping[str, Any], request: EngineRequest) -> dict[str, Any]:
        """Return the choices with another model or device, where one is given."""
        changed = cls.run_changes(request)
        unwatched = changed.pop("no_watch", False)
        chosen = with_model(choices, changed) if changed else dict(choices)
        return without_watch(chosen) if unwatched else chosen

    @classmethod
    def test_cell(cls, choices: Mapping[str, Any]) -> tuple[orm.StructureData, float]:
        """Return argon or copper for the toys, lithium oxide for universal potentials, a frame for trained ones."""
        trained = trained_attributes(choices["checkpoint"]) if choices.get("checkpoint") is not None else None
        if trained is not None:
            return training_cell(str(trained["dataset_uuid"])), 300.0
        cells = {"lj": (argon, 40.0), "emt": (copper, 300.0)}
        cell, temperature_K = cells.get(choices["potential"]["name"], (lithium_oxide, 300.0))
        return cell(), temperature_K
