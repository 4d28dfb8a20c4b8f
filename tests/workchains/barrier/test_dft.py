"""Single points and bands by DFT between the ends of a potential, with pw.x and neb.x on six atoms less one."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from aiida import orm
from aiida.engine import run_get_node
from ase.build import bulk

from aiida_ion.calculations.migration.dft_bands import read_band
from aiida_ion.calculations.migration.images import band_images, image_of
from aiida_ion.workchains.barrier.workchain import BarrierWorkChain
from aiida_ion.workchains.md.bands import BandSettings
from tests.conftest import OPTIONS

OVERRIDES: dict[str, Any] = {
    "relax_ions": False,
    "search": {"supercell": [2, 1, 1]},
    "hop": {"path": "band"},
    "transport": {"kinetic_monte_carlo": False},
    "dft_images": 3,
    "dft_max_force_eV_A": 1.0,
}


@pytest.fixture
def ideal_oxide() -> orm.StructureData:
    return orm.StructureData(ase=bulk("OLi2", "fluorite", a=4.62))


@pytest.mark.slow
@pytest.mark.usefixtures("aiida_profile_clean")
def test_dft_evaluates_ends_and_saddle_and_relaxes_the_band(
    python_code: Callable[..., orm.InstalledCode],
    ideal_oxide: orm.StructureData,
    quantumespresso_code: orm.InstalledCode,
    upfs: dict[str, Any],
    aiida_code_installed: Callable[..., orm.InstalledCode],
) -> None:
    neb = shutil.which("neb.x")
    if neb is None:
        pytest.skip("no neb.x on the PATH: apt-get install quantum-espresso")
    builder = BarrierWorkChain.get_builder_from_protocol(
        ideal_oxide,
        "ion.md.mlip",
        overrides=OVERRIDES,
        code=python_code("ion.mlip_md", "sevenn"),
        potential={"name": "sevenn"},
        options=OPTIONS,
        dft={
            "entry_point": "ion.md.quantumespresso",
            "code": quantumespresso_code,
            "pseudos": upfs,
            "ecutwfc_Ry": 25.0,
            "ecutrho_Ry": 150.0,
            "kpoints": [1, 2, 2],
            "shift_kpoints": True,
            "options": OPTIONS,
            "band_code": aiida_code_installed(
                label="neb", default_calc_job_plugin="quantumespresso.neb", filepath_executable=neb
            ),
        },
    )
    # One lithium less has an odd number of electrons: what the builder chose is for the cell with the vacancy.
    assert builder.dft.engine["namelists"]["SYSTEM"]["occupations"] == "smearing"
    node = run_get_node(builder)[1]
    assert node.is_finished_ok, node.exit_message
    entry = node.outputs.dft_barriers["hops"]["hop_01"]
    assert entry["verdict"] == "converged", entry
    points = {link.link_label: link.node for link in node.base.links.get_outgoing(link_label_filter="hop\\_01%").all()}
    assert set(points) == {"hop_01_start", "hop_01_saddle", "hop_01_end"}
    energies = {name: job.outputs.point.base.attributes.get("energy_eV") for name, job in points.items()}
    assert entry["forward_eV"] == pytest.approx(energies["hop_01_saddle"] - energies["hop_01_start"])
    assert entry["forward_eV"] == pytest.approx(entry["reverse_eV"], abs=0.02)
    assert node.outputs.dft_network["level_of_theory"].startswith("QE ")
    assert node.outputs.dft_network["barriers_eV"][2] == pytest.approx(entry["forward_eV"], abs=0.02)
    band = node.outputs.dft_bands.hop_01.get_dict()
    assert len(band["energies_eV"]) == 3
    assert band["forward_eV"] == pytest.approx(entry["forward_eV"], abs=0.5)
    assert node.outputs.kinetics.creator.inputs.network.uuid == node.outputs.dft_network.uuid


def path_of_a_hop(path: str = "band") -> orm.TrajectoryData:
    node = orm.TrajectoryData()
    positions = np.zeros((3, 2, 3))
    positions[:, 0, 0], positions[:, 1] = [0.0, 1.0, 3.0], 5.0
    node.set_array("steps", np.arange(3))
    node.set_array("positions", positions)
    node.set_array("cells", np.broadcast_to(10.0 * np.eye(3), (3, 3, 3)).copy())
    node.base.attributes.set_many({"symbols": ["Li", "O"], "pbc": [True] * 3, "path": path})
    return node


@pytest.mark.usefixtures("aiida_profile_clean")
def test_bands_for_other_programs_are_evenly_spaced() -> None:
    band = band_images(path_of_a_hop(), 7)
    np.testing.assert_allclose(band.get_array("positions")[:, 0, 0], np.linspace(0, 3, 7))
    np.testing.assert_allclose(band.get_array("positions")[:, 1], 5.0)
    assert image_of(band, 6).get_ase().positions[0, 0] == pytest.approx(3.0)
    with pytest.raises(ValueError, match="a mid-point is not a band"):
        band_images(path_of_a_hop("midpoint"), 7)


@pytest.mark.usefixtures("aiida_profile_clean")
def test_vasp_gets_its_band_and_its_energies_are_read(vasp_engine: dict[str, Any]) -> None:
    from aiida_ion.workchains.md.vasp_bands import VaspBands

    settings = BandSettings(max_force_eV_A=0.05, max_steps=30)
    inputs = VaspBands.inputs(vasp_engine, vasp_engine["code"], band_images(path_of_a_hop(), 5), settings, OPTIONS)
    tags = inputs["parameters"].get_dict()
    assert (tags["images"], tags["lclimb"], tags["ediffg"], tags["nsw"]) == (3, True, -0.05, 30)
    assert sorted(inputs["neb_images"]) == ["image_01", "image_02", "image_03"]
    builder = VaspBands.process().get_builder()
    for name in ("code", "parameters", "initial_structure", "final_structure", "kpoints", "settings"):
        setattr(builder, name, inputs[name])
    points = {}
    for name, energy in (("start", -10.0), ("end", -9.9)):
        points[name] = orm.ArrayData()
        points[name].base.attributes.set("energy_eV", energy)
    misc = orm.Dict(
        {"neb_data": {f"{i:02d}": {"energy_free": energy} for i, energy in enumerate((-9.8, -9.5, -9.7), 1)}}
    )
    band = read_band(orm.Dict({"label": "hop_01"}), misc=misc, **points)
    assert band["forward_eV"] == pytest.approx(0.5)
    assert band["reverse_eV"] == pytest.approx(0.4)
    assert band["climbing"] == 2
