"""Calcium and strontium that share a site of a fluorite, in LAMMPS: a real disordered conductor that takes seconds."""

from __future__ import annotations

from typing import Any

import pytest
from aiida import orm
from pymatgen.core import Lattice, Structure

from aiida_ion.workchains.ensemble.workchain import EnsembleWorkChain
from tests.conftest import OPTIONS

#: A calcium fluoride softer than Gillan's; strontium repels fluorine from a little farther away.
COMMANDS = """
pair_style buck/coul/long 6.0
kspace_style ewald 1.0e-4
pair_coeff * * 0.0 1.0 0.0
pair_coeff Ca F 640.0 0.336 0.0
pair_coeff F Sr 760.0 0.336 0.0
pair_coeff F F 1808.0 0.293 109.1
"""
POTENTIAL = {
    "commands": COMMANDS,
    "charges": {"Ca": 2.0, "Sr": 2.0, "F": -1.0},
    "level_of_theory": "classical/softened",
}


@pytest.fixture
def mixed_fluorite() -> orm.StructureData:
    """Return (Ca0.5Sr0.5)F2, Fm-3m, both cations on one site."""
    cell = Lattice.from_parameters(5.8, 5.8, 5.8, 90, 90, 90)
    species = [{"Ca": 0.5, "Sr": 0.5}, "F"]
    crystal = Structure.from_spacegroup("Fm-3m", cell, species, [[0, 0, 0], [0.25, 0.25, 0.25]])
    return orm.StructureData(pymatgen=crystal)


@pytest.fixture
def ensemble_builder(python_code: Any, lammps_code: orm.InstalledCode, mixed_fluorite: orm.StructureData) -> Any:
    """Return a factory of builders: the mixed fluorite in LAMMPS by a protocol."""

    def make(structure: orm.StructureData | None = mixed_fluorite, **choices: Any) -> Any:
        overrides = {"relax_ions": False} | choices.pop("overrides", {})
        if not choices.get("members"):
            settings = {"mobile_species": "F", "n_orderings": 3, "max_atoms": 24, "min_width_A": 6.5, "sweeps": 20}
            choices["ordering"] = settings | choices.get("ordering", {})
            choices.setdefault("ordering_code", python_code("ion.order_structure"))
            choices.setdefault("ordering_options", OPTIONS)
        return EnsembleWorkChain.get_builder_from_protocol(
            structure,
            "ion.md.lammps",
            protocol="fast",
            overrides=overrides,
            code=lammps_code,
            potential=POTENTIAL,
            diffusion_code=python_code("ion.diffusion"),
            options=OPTIONS,
            **choices,
        )

    return make
