"""``ion.barrier`` from end to end on a toy crystal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from aiida import orm
from aiida.engine import run_get_node


@pytest.mark.usefixtures("aiida_profile_clean")
def test_a_crystal_gets_barriers_their_network_and_transport(barrier_builder: Callable[..., Any]) -> None:
    node = run_get_node(barrier_builder())[1]
    assert node.is_finished_ok, node.exit_message
    hops = node.outputs.barriers["hops"]
    assert list(hops) == ["hop_01"]
    assert (hops["hop_01"]["verdict"], hops["hop_01"]["path"]) == ("converged", "midpoint")
    barrier = hops["hop_01"]["forward_eV"]
    assert barrier == pytest.approx(0.065, abs=0.002)
    network = node.outputs.network
    assert network["barriers_eV"] == pytest.approx([barrier] * 3)
    assert (network["is_bound"], network["caveats"], network["missing"]) == (False, [], [])
    assert network["level_of_theory"] == "Lennard-Jones"
    images = node.outputs.images.hop_01
    assert images.get_array("positions").shape == (2, 31, 3)
    energies = images.get_array("energies")
    assert energies[1] - energies[0] == pytest.approx(barrier)
    kinetics = node.outputs.kinetics.get_dict()
    # Twelve neighbours at a / sqrt(2): D = 1/6 * 12 k a^2 / 2 = k a^2.
    rate_Hz = 1e13 * np.exp(-barrier / (8.617333262e-5 * 80.0))
    assert kinetics["carrier_diffusivity_cm2_s"] == pytest.approx(rate_Hz * 5.26**2 * 1e-16, rel=1e-6)
    error = kinetics["kmc_conductivity_error_S_m"]
    assert kinetics["kmc_conductivity_S_m"] == pytest.approx(kinetics["conductivity_S_m"] * 0.99, abs=4 * error)
    assert 0 < error < kinetics["conductivity_S_m"]
    # From the network back to the crystal and the potential by the graph alone.
    query = orm.QueryBuilder().append(orm.Dict, filters={"uuid": network.uuid}, tag="network")
    ancestors = set(query.append(orm.Node, with_descendants="network", project="uuid").all(flat=True))
    assert {node.inputs.structure.uuid, node.inputs.mlip.engine.potential.uuid} <= ancestors


@pytest.mark.slow
@pytest.mark.usefixtures("aiida_profile_clean")
def test_a_band_gives_the_same_and_a_reference_a_formation_energy(barrier_builder: Callable[..., Any]) -> None:
    overrides = {"hop": {"max_force_eV_A": 0.005, "path": "band"}, "transport": {"kinetic_monte_carlo": False}}
    builder = barrier_builder(overrides)
    builder.parameters = orm.Dict({**builder.parameters.get_dict(), "reference_energy_eV_atom": -0.08})
    node = run_get_node(builder)[1]
    assert node.is_finished_ok, node.exit_message
    entry = node.outputs.barriers["hops"]["hop_01"]
    assert entry["path"] == "band"
    assert entry["forward_eV"] == pytest.approx(0.065, abs=0.002)
    assert entry["reverse_eV"] == pytest.approx(entry["forward_eV"], abs=1e-4)
    assert node.outputs.images.hop_01.get_array("positions").shape == (5, 31, 3)
    assert "kmc_conductivity_S_m" not in node.outputs.kinetics.get_dict()
    # Thirty-one atoms with a vacancy, less thirty-two of the crystal, plus one of the reference.
    crystal_eV = node.outputs.barriers["host_energy_eV"]
    expected = node.outputs.network["zero_eV"] - 8 * crystal_eV - 0.08
    assert node.outputs.formation["formation_energy_eV"] == pytest.approx(expected)
    assert (node.outputs.formation["defect"], node.outputs.formation["charge_e"]) == ("vacancy", 0)


@pytest.mark.usefixtures("aiida_profile_clean")
def test_hops_without_a_barrier_are_named(barrier_builder: Callable[..., Any]) -> None:
    # An ion that may not be moved by more than the hop is long has hopped to a wrong image.
    node = run_get_node(barrier_builder({"hop": {"max_path_A": 3.0}}))[1]
    assert node.exit_status == 525
    assert "hop_01: wrong_image" in node.exit_message
    assert node.outputs.barriers["hops"]["hop_01"]["calls"] == 0


@pytest.mark.usefixtures("aiida_profile_clean")
@pytest.mark.slow
def test_the_same_again_comes_from_the_cache(barrier_builder: Callable[..., Any]) -> None:
    from aiida.manage.caching import enable_caching

    first = run_get_node(barrier_builder({"transport": {"kinetic_monte_carlo": False}}))[1]
    with enable_caching():
        second = run_get_node(barrier_builder({"transport": {"kinetic_monte_carlo": False, "temperature_K": 90.0}}))[1]
    assert first.is_finished_ok and second.is_finished_ok
    created = {job.process_label: job.base.caching.is_created_from_cache for job in second.called_descendants}
    assert created["HopsCalculation"]
    assert not created["KineticsCalculation"]
    assert second.outputs.barriers["hops"] == first.outputs.barriers["hops"]


@pytest.mark.usefixtures("aiida_profile_clean")
@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"search": {"mobile_species": "Li"}}, "Li"),
        ({"search": {"max_length_A": 2.0}}, "no two sites of the mobile ion are within 2 angstrom"),
        ({"search": {"max_hops": 0}}, "max_hops must be a whole number"),
        ({"hop": {"path": "straight"}}, "path must be"),
        ({"transport": {"vacancy_concentration": 1.5}}, "vacancy_concentration must be"),
        ({"hop": {"n_image": 5}}, "did you mean n_images"),
    ],
)
def test_what_cannot_be_computed_is_refused_before(
    barrier_builder: Callable[..., Any], overrides: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        barrier_builder(overrides)


@pytest.mark.usefixtures("aiida_profile_clean")
def test_dft_inputs_are_checked_together(barrier_builder: Callable[..., Any]) -> None:
    from aiida_ion.aiida_private.builders import validate_builder

    builder = barrier_builder()
    builder.dft.band_code = builder.mlip.engine["code"]
    assert "dft.band_code needs dft.entry_point" in str(validate_builder(builder))
    builder.dft.entry_point = orm.Str("ion.md.mlip")
    assert "has no single points" in str(validate_builder(builder))
    builder = barrier_builder()
    builder.mlip.entry_point = orm.Str("ion.md.quantumespresso")
    assert "computes no hops" in str(validate_builder(builder))
