"""The toy of the barriers: solid argon, whose atoms hop to a vacancy among their twelve neighbours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aiida import orm
from ase.build import bulk

from aiida_ion.workchains.barrier.workchain import BarrierWorkChain
from tests.conftest import OPTIONS

#: Small and quick; mobile species and charge are what nobody guesses of argon.
OVERRIDES: dict[str, Any] = {
    "search": {"mobile_species": "Ar", "supercell": [2, 2, 2]},
    "hop": {"max_force_eV_A": 0.005},
    "transport": {"temperature_K": 80.0, "charge_e": 1.0, "n_copies": 8, "n_windows": 4},
    "relax": {"max_force_eV_A": 0.002},
}


@pytest.fixture
def solid_argon() -> orm.StructureData:
    return orm.StructureData(ase=bulk("Ar", "fcc", a=5.26, cubic=True))


@pytest.fixture
def barrier_builder(
    python_code: Callable[..., orm.InstalledCode], solid_argon: orm.StructureData, lj_potential: orm.Dict
) -> Callable[..., Any]:
    """Return a factory of builders of the toy."""

    def make(overrides: dict[str, Any] | None = None, **inputs: Any) -> Any:
        changed = {name: {**OVERRIDES.get(name, {}), **part} for name, part in (overrides or {}).items()}
        return BarrierWorkChain.get_builder_from_protocol(
            solid_argon,
            "ion.md.mlip",
            overrides={**OVERRIDES, **changed},
            code=python_code("ion.mlip_md"),
            potential=lj_potential,
            options=OPTIONS,
            **inputs,
        )

    return make
