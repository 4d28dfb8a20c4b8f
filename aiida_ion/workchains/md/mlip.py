"""``ion.md.mlip``: the MD interface on machine-learning interatomic potentials and other ASE calculators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida_ion.calculations.mlip.md import MlipMdCalculation
from aiida_ion.calculations.mlip.relax import MlipRelaxCalculation
from aiida_ion.workchains.md.base import MdBaseWorkChain

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
    engine_ports = ("code", "potential", "checkpoint")

    @classmethod
    def level_of_theory(cls, engine: Mapping[str, Any]) -> str:
        """Return family and model, such as ``SevenNet 7net-0``."""
        potential = engine["potential"].get_dict()
        name = potential["name"]
        if name == "import":
            return str(potential["model"]).rpartition(":")[2]
        checkpoint = engine.get("checkpoint")
        model = checkpoint.filename if checkpoint is not None else potential.get("model") or DEFAULT_MODELS.get(name)
        return f"{FAMILY_NAMES.get(name, name)} {model}" if model else FAMILY_NAMES.get(name, name)
