"""``ion.md.toy``: the MD interface on a Lennard-Jones potential whose depth is an input."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida import orm

from aiida_ion.calculations.mlip.forces import ForcesCalculation
from aiida_ion.workchains.md.base import MdBaseWorkChain
from aiida_ion.workchains.md.small_cells import argon

from .jobs import ToyMdCalculation, ToyRelaxCalculation


class ToyMdWorkChain(MdBaseWorkChain):
    """Molecular dynamics of argon in restartable segments."""

    _process_class = ToyMdCalculation
    relax_class = ToyRelaxCalculation
    forces_class = ForcesCalculation
    engine_ports = ("code", "potential")
    needs_python = True

    @classmethod
    def level_of_theory(cls, engine: Mapping[str, Any]) -> str:
        """Return the name that results carry, such as ``toy 12 meV``."""
        return f"toy {1000 * engine['potential'].get_dict()['kwargs']['epsilon']:g} meV"

    @classmethod
    def engine_inputs(  # type: ignore[override]
        cls,
        structure: orm.StructureData,
        protocol: str | None = None,
        *,
        code: Any = None,
        epsilon_eV: float | None = None,
    ) -> dict[str, Any]:
        """Return the inputs of the jobs: ``aiida-ion engine add --inputs '{"epsilon_eV": 0.012}'``."""
        del structure, protocol
        if epsilon_eV is None:
            raise ValueError("give epsilon_eV, the depth of the well")
        kwargs = {"sigma": 3.405, "epsilon": epsilon_eV, "rc": 8.5125}
        return {"code": code, "potential": orm.Dict({"name": "lj", "kwargs": kwargs})}

    @classmethod
    def test_cell(cls, choices: Mapping[str, Any]) -> tuple[orm.StructureData, float]:
        """Return solid argon."""
        del choices
        return argon(), 40.0
