"""``ion.md.lammps``: the MD interface on LAMMPS, with classical potentials or any pair style of the user's build."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida_ion.calculations.lammps.job import resolve_potential
from aiida_ion.calculations.lammps.md import LammpsMdCalculation
from aiida_ion.calculations.lammps.relax import LammpsRelaxCalculation
from aiida_ion.workchains.md.base import MdBaseWorkChain


class LammpsMdWorkChain(MdBaseWorkChain):
    """Molecular dynamics with LAMMPS in restartable segments."""

    _process_class = LammpsMdCalculation
    relax_class = LammpsRelaxCalculation
    engine_ports = ("code", "potential", "files")

    @classmethod
    def level_of_theory(cls, engine: Mapping[str, Any]) -> str:
        """Return the label of the potential, such as ``classical/Gillan-1986``."""
        return resolve_potential(engine["potential"].get_dict()).level_of_theory
