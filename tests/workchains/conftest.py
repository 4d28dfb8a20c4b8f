"""Calcium fluoride in LAMMPS: a real conductor that takes seconds."""

from __future__ import annotations

from typing import Any

import pytest
from aiida import orm
from ase.spacegroup import crystal

from aiida_ion.workchains.conductivity.workchain import ConductivityWorkChain
from tests.conftest import OPTIONS


@pytest.fixture
def fluorite() -> orm.StructureData:
    """Return calcium fluoride, Fm-3m, at the lattice constant of its superionic phase."""
    atoms = crystal(["Ca", "F"], [(0, 0, 0), (0.25, 0.25, 0.25)], spacegroup=225, cellpar=[5.72] * 3 + [90] * 3)
    return orm.StructureData(ase=atoms)


@pytest.fixture
def builder(python_code: Any, lammps_code: orm.InstalledCode, fluorite: orm.StructureData) -> Any:
    """Return a factory of builders: calcium fluoride in LAMMPS by a protocol."""

    def make(structure: orm.StructureData | None = None, **overrides: Any) -> Any:
        return ConductivityWorkChain.get_builder_from_protocol(
            structure or fluorite,
            "ion.md.lammps",
            protocol="fast",
            overrides=overrides,
            code=lammps_code,
            potential={"name": "gillan-caf2-1986"},
            diffusion_code=python_code("ion.diffusion"),
            options=OPTIONS,
        )

    return make
