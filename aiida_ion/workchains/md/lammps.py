"""``ion.md.lammps``: the MD interface on LAMMPS, with classical potentials or any pair style of the user's build."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida import orm
from ase import Atoms

from aiida_ion.calculations.lammps.forces import LammpsForcesCalculation
from aiida_ion.calculations.lammps.job import resolve_potential, validate_lammps_potential
from aiida_ion.calculations.lammps.md import LammpsMdCalculation
from aiida_ion.calculations.lammps.relax import LammpsRelaxCalculation
from aiida_ion.workchains.md.base import MdBaseWorkChain
from aiida_ion.workchains.md.lammps_options import read_potential, trusted_files
from aiida_ion.workchains.md.requests import EngineRequest, EngineSetup, without_watch
from aiida_ion.workchains.md.small_cells import argon, calcium_fluoride, lithium_oxide

#: What the engine is tested with where each run names a potential of its own.
TEST_POTENTIAL = {"name": "lennard-jones-argon"}


class LammpsMdWorkChain(MdBaseWorkChain):
    """Molecular dynamics with LAMMPS in restartable segments."""

    _process_class = LammpsMdCalculation
    relax_class = LammpsRelaxCalculation
    forces_class = LammpsForcesCalculation
    engine_ports = ("code", "potential", "files")
    executables = ("lmp",)
    add_options = ("potential", "trust_checkpoint")
    run_options = ("potential", "no_watch")

    @classmethod
    def level_of_theory(cls, engine: Mapping[str, Any]) -> str:
        """Return the label of the potential, such as ``classical/Gillan-1986``."""
        return resolve_potential(engine["potential"].get_dict()).level_of_theory

    @classmethod
    def read_options(cls, setup: EngineSetup) -> dict[str, Any]:
        """Return potential and files; empty where each run names a potential."""
        potential, files = read_potential(setup.potential) if setup.potential else ({}, {})
        return {"potential": potential, "files": files}

    @classmethod
    def validate_potential(cls, potential: Mapping[str, Any]) -> str | None:
        """Return why a potential cannot be used; none at all is left to each run."""
        return validate_lammps_potential(orm.Dict(dict(potential)), None) if potential else None

    @classmethod
    def trusted_hashes(cls, kept: Mapping[str, Any], computer: str, trusts: bool) -> list[str]:
        """Look at the files that the commands of the potential read."""
        del computer
        return trusted_files(kept["potential"], kept["files"], trusts)

    @classmethod
    def with_run_options(cls, choices: Mapping[str, Any], request: EngineRequest) -> dict[str, Any]:
        """Return the choices with the potential of this run, where one is given.

        :raises ValueError: if there is none at all.
        """
        chosen = without_watch(choices) if request.no_watch else dict(choices)
        if request.potential is not None:
            potential, files = read_potential(request.potential)
            own = ("files", "watch")  # those of the engine's own potential
            chosen = {name: value for name, value in chosen.items() if name not in own}
            chosen |= {"potential": potential} | ({"files": files} if files else {})
        if not chosen.get("potential"):
            raise ValueError("this engine needs --potential: a published one, or a YAML file with commands")
        return chosen

    @classmethod
    def test_choices(cls, choices: Mapping[str, Any]) -> dict[str, Any]:
        """Return the choices, with Lennard-Jones argon where there is no potential."""
        return {"potential": TEST_POTENTIAL, **choices}

    @classmethod
    def test_cell(cls, choices: Mapping[str, Any]) -> tuple[orm.StructureData, float]:
        """Return the reference frame of a fitted potential, or argon, or fluorite, or else lithium oxide."""
        reference = resolve_potential(choices["potential"]).reference
        if reference is not None:
            atoms = Atoms(reference.symbols, positions=reference.positions, cell=reference.cell, pbc=True)
            return orm.StructureData(ase=atoms), 300.0
        cells = {"lennard-jones-argon": (argon, 40.0), "gillan-caf2-1986": (calcium_fluoride, 300.0)}
        cell, temperature_K = cells.get(str(choices["potential"].get("name")), (lithium_oxide, 300.0))
        return cell(), temperature_K
