"""Published self-diffusion, through the whole work chain."""

from __future__ import annotations

from typing import Any

import pytest
from aiida import orm
from aiida.engine import run_get_node
from ase.build import bulk
from scipy import constants

from aiida_ion.workchains.conductivity.workchain import ConductivityWorkChain
from tests.conftest import OPTIONS

SIGMA_A = 3.405
EPSILON_K = 119.8
ARGON_KG = 39.948 * constants.atomic_mass


@pytest.mark.usefixtures("aiida_profile_clean")
@pytest.mark.slow
def test_liquid_argon_diffuses_as_published(python_code: Any, lammps_code: orm.InstalledCode) -> None:
    """Self-diffusion of the Lennard-Jones liquid near its triple point, rho* = 0.8442, T* = 0.722.

    Meier, Laesecke, Kabelac, J. Chem. Phys. 121, 9526 (2004), doi:10.1063/1.1786579: D* = 0.0325 for 1372 atoms; with
    D = D0 (1 - N^(-1/3)) (Khrapak, arXiv:2402.09348) that is 0.0301 for these 256.
    """
    edge_A = (4 / 0.8442) ** (1 / 3) * SIGMA_A
    builder = ConductivityWorkChain.get_builder_from_protocol(
        orm.StructureData(ase=bulk("Ar", "fcc", a=edge_A, cubic=True)),
        "ion.md.lammps",
        protocol="fast",
        overrides={
            "temperatures_K": [0.722 * EPSILON_K],
            "mobile_species": "Ar",
            "charges": {"Ar": 0.0},
            "supercell": [4, 4, 4],
            "relax_ions": False,
            "md": {"timestep_fs": 10.0, "total_time_ps": 240.0, "equilibration_fs": 40_000.0, "sample_every": 20},
        },
        code=lammps_code,
        potential={"name": "lennard-jones-argon"},
        diffusion_code=python_code("ion.diffusion"),
        options=OPTIONS,
    )
    node = run_get_node(builder)[1]
    assert node.is_finished_ok, node.exit_message
    fit = next(iter(node.outputs.diffusion.values())).base.attributes.all
    assert fit["verdict"] == "moved", fit["reason"]
    tau_s = SIGMA_A * 1e-10 * (ARGON_KG / (EPSILON_K * constants.k)) ** 0.5
    reduced = [value * 1e-4 * tau_s / (SIGMA_A * 1e-10) ** 2 for value in fit["tracer_diffusivity_ci95_cm2_s"]]
    assert reduced[0] < 0.0301 < reduced[1]
    assert reduced[1] / reduced[0] < 1.5, "an interval that says something"
    assert node.outputs.conductivity.base.attributes.get("ionic_conductivity_mS_cm") is None
