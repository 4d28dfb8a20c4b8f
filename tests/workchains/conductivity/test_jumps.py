"""Jump analyses beside the fits of a conductivity, on real runs; and that nothing depends on them."""

from __future__ import annotations

from typing import Any

import pytest
from aiida import orm
from aiida.engine import run_get_node
from ase.spacegroup import crystal
from click.testing import CliRunner

from aiida_ion.cli.main import cli
from aiida_ion.workchains.conductivity.workchain import ConductivityWorkChain
from tests.conftest import OPTIONS

pytest.importorskip("gemdat")


@pytest.fixture
def builder(python_code: Any, lammps_code: orm.InstalledCode) -> Any:
    """Return a factory: the antifluorite of lithium oxide in LAMMPS at 1300 K, where it is superionic, for 6 ps."""

    def make(**overrides: Any) -> Any:
        atoms = crystal(["O", "Li"], [(0, 0, 0), (0.25, 0.25, 0.25)], spacegroup=225, cellpar=[4.87] * 3 + [90] * 3)
        given = {
            "temperatures_K": [1300],
            "supercell": [2, 2, 2],
            "relax_ions": False,
            "jumps": True,
            "md": {"total_time_ps": 6.0, "equilibration_fs": 1000.0, "timestep_fs": 2.0, "sample_every": 10},
        }
        return ConductivityWorkChain.get_builder_from_protocol(
            orm.StructureData(ase=atoms),
            "ion.md.lammps",
            protocol="fast",
            overrides=given | overrides,
            code=lammps_code,
            potential={"name": "pedone-2006"},
            diffusion_code=python_code("ion.diffusion"),
            options=OPTIONS,
        )

    return make


@pytest.mark.usefixtures("aiida_profile_clean")
@pytest.mark.slow
def test_a_superionic_crystal_has_a_jump_analysis(builder: Any) -> None:
    node = run_get_node(builder(jump_settings={"sites": "structure"}))[1]
    assert node.is_finished_ok, node.exit_message
    attributes = node.outputs.jumps["T_1300K"].base.attributes.all
    # The tetrahedral places of antifluorite, half a cubic cell apart, and hops between neighbours.
    assert (attributes["n_sites"], attributes["n_sites_from_density"]) == (64, 0)
    assert attributes["jump_types"][0]["distance_A"] == pytest.approx(4.87 / 2, rel=0.02)
    assert attributes["n_jumps"] > 50
    assert attributes["jump_network_dimension"] == 3
    assert 5 < attributes["attempt_frequency_THz"] < 20
    assert attributes["attempt_frequency_source"] == "measured"
    assert (attributes["level_of_theory"], attributes["formula"]) == ("classical/Pedone-2006", "Li2O")
    assert node.outputs.jumps["T_1300K"].creator.inputs.structure.uuid == node.outputs.supercell.uuid
    picture = node.outputs.jumps["T_1300K"]
    result = CliRunner().invoke(cli, ["show", str(picture.pk)])
    assert "between 64 sites (0 from the density)" in result.output, result.output
    assert "Li -> Li, 2." in result.output
    result = CliRunner().invoke(cli, ["show", str(node.pk)])
    assert "Jump analyses:" in result.output
    assert f"1300 K, node {picture.pk}: {attributes['n_jumps']} jumps between 64 sites" in result.output
    # Again, from the command line, with sites from the density.
    result = CliRunner().invoke(cli, ["jumps", str(node.pk), "--run", "--settings", '{"sites": "density"}'])
    assert result.exit_code == 0, result.output
    assert "from the density) in 5 ps" in result.output


@pytest.mark.slow
@pytest.mark.usefixtures("aiida_profile_clean")
def test_a_picture_that_fails_fails_nothing(builder: Any) -> None:
    """Spheres that overlap are refused by the job, and the conductivity does not mind."""
    short = {"n_steps": 300, "equilibration_fs": 0.0, "timestep_fs": 2.0, "sample_every": 10}
    node = run_get_node(builder(jump_settings={"site_radius_A": 3.0}, md=short))[1]
    assert node.is_finished_ok, node.exit_message
    assert "conductivity" in node.outputs
    assert "jumps" not in node.outputs
    text = " ".join(log.message for log in orm.Log.collection.get_logs_for(node))
    assert "T_1300K has no jump analysis" in text
    assert "spheres would overlap" in text


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"jumps": "yes"}, "jumps must be true or false"),
        ({"jump_settings": {"radius": 1.0}}, "unknown override in jump_settings: radius; choose from .*site_radius_A"),
    ],
)
@pytest.mark.usefixtures("aiida_profile")
def test_what_cannot_be_asked_for(builder: Any, overrides: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        run_get_node(builder(**overrides))
