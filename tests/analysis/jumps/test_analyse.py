"""Sites, rates, occupancy, attempt frequency and dimension of ions that hop as they were told."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("gemdat")

from gemdat import Jumps

from aiida_ion.analysis.jumps.analyse import analyse_jumps
from aiida_ion.analysis.jumps.by_gemdat import gemdat_trajectory, site_visits
from aiida_ion.analysis.jumps.result import JumpResult
from aiida_ion.analysis.jumps.settings import JumpSettings
from aiida_ion.analysis.jumps.sites import Reference, distances
from aiida_ion.analysis.trajectories.trajectory import Segment
from aiida_ion.units import BOLTZMANN_EV_K
from tests.analysis.jumps.hopper import Hopper

TRICLINIC = np.array([[8.5, 2.0, -1.5], [0.5, 9.0, 3.0], [1.5, -1.0, 10.0]])


def reference(hopper: Hopper) -> Reference:
    n_sites = len(hopper.sites())
    fractional = np.concatenate([hopper.sites(), hopper.framework()])
    return Reference(hopper.cell, ["Li"] * n_sites + ["O"] * n_sites, fractional)


def picture(hopper: Hopper, *seeds: int, with_structure: bool = True, **settings: Any) -> JumpResult:
    made = [hopper.segment(seed) for seed in seeds or (1,)]
    return analyse_jumps(
        [[segment] for segment, _ in made],
        made[0][1],
        "Li",
        1000.0,
        reference=reference(hopper) if with_structure else None,
        settings=JumpSettings(**settings),
    )


def true_jumps(hopper: Hopper, seed: int) -> int:
    """Frames in which an ion changes its site."""
    return int(np.any(np.diff(hopper.lattice_steps(seed), axis=0) != 0, axis=2).sum())


@pytest.mark.parametrize("with_structure", [True, False])
@pytest.mark.parametrize("cell", [np.eye(3) * 9.0, TRICLINIC], ids=["cubic", "triclinic"])
def test_what_was_put_in_comes_out(cell: np.ndarray, with_structure: bool) -> None:
    hopper = Hopper(cell=cell, drift_A=3.0)
    result = picture(hopper, with_structure=with_structure)
    attributes = result.attributes()
    assert attributes["n_sites"] == 27
    assert attributes["n_sites_from_density"] == (0 if with_structure else 27)
    # Sites from the density stand where the ions vibrate, to a tenth of an angstrom.
    assert distances(result.sites.fractional, hopper.sites(), cell).min(axis=1).max() < 0.1
    assert result.occupancy.sum() == pytest.approx(16, rel=0.01)
    assert attributes["n_jumps"] == pytest.approx(true_jumps(hopper, 1), rel=0.01)
    low, high = attributes["jump_rate_ci95_1_ps"]
    assert low < 0.9 < high
    assert attributes["jump_network_dimension"] == 3
    assert attributes["attempt_frequency_source"] == "measured"
    assert attributes["attempt_frequency_THz"] == pytest.approx(10.0, rel=0.07)
    assert attributes["vibration_amplitude_A"] == pytest.approx(0.15, rel=0.05)
    assert attributes["warnings"] == []


def test_the_tensor_knows_the_directions() -> None:
    hopper = Hopper(cell=TRICLINIC, rates_1_ps=(0.4, 0.2, 0.1), n_frames=3000)
    result = picture(hopper)
    steps = TRICLINIC / np.array(hopper.shape)[:, None]
    expected = sum(rate * np.outer(step, step) / 2 * 1e-4 for rate, step in zip(hopper.rates_1_ps, steps, strict=True))
    assert result.diffusivity.tensor == pytest.approx(expected, abs=0.15 * np.trace(expected) / 3)
    low, high = result.diffusivity.ci95
    assert low < np.trace(expected) / 3 < high


@pytest.mark.parametrize(
    ("rates", "dimension"), [((0.3, 0.0, 0.0), 1), ((0.3, 0.3, 0.0), 2), ((0.3, 0.3, 0.3), 3), ((0.0, 0.0, 0.0), 0)]
)
def test_dimension_of_the_jump_network(rates: tuple[float, float, float], dimension: int) -> None:
    hopper = Hopper(rates_1_ps=rates, n_frames=1500)
    assert picture(hopper).attributes()["jump_network_dimension"] == dimension


def test_a_crystal_in_which_nothing_jumps() -> None:
    attributes = picture(Hopper(rates_1_ps=(0.0, 0.0, 0.0), n_frames=600)).attributes()
    assert (attributes["n_jumps"], attributes["jump_types"], attributes["mean_residence_time_ps"]) == (0, [], None)
    assert attributes["jump_rate_1_ps"] == 0.0
    ion_time = attributes["n_mobile_ions"] * attributes["analysed_time_ps"]
    assert attributes["jump_rate_ci95_1_ps"] == pytest.approx([0.0, 3.6889 / ion_time], rel=1e-4)
    assert attributes["collective_fraction"] is None
    assert sum(kind["n_sites"] * kind["occupancy"] for kind in attributes["site_kinds"].values()) == pytest.approx(
        16, rel=0.01
    )


def test_rates_occupancy_and_energies_are_those_of_gemdat() -> None:
    hopper = Hopper(n_ions=6, n_frames=1500)  # so few that no site holds more than one on average
    result = picture(hopper, sites="structure", site_radius_A=0.6)
    segment, _ = hopper.segment(1)
    fractional = segment.positions[:, :6].astype(float) @ np.linalg.inv(hopper.cell)
    trajectory = gemdat_trajectory(fractional, "Li", hopper.cell, hopper.interval_fs, 1000.0)
    _, transitions = site_visits(trajectory, hopper.sites(), "Li", 0.6)
    jumps = Jumps(transitions)
    # GEMDAT counts n frames as a time of n intervals, we count n - 1.
    frames = 1500 / 1499
    assert float(jumps.jump_diffusivity(3)) * 1e4 * frames == pytest.approx(result.diffusivity.value, rel=1e-6)
    total_rate = jumps.n_jumps / (6 * trajectory.total_time) * 1e-12
    assert total_rate * frames == pytest.approx(result.attributes()["jump_rate_1_ps"])
    assert [site.species.num_atoms for site in transitions.occupancy()] == pytest.approx(result.occupancy, abs=1e-3)
    edge = max(jumps.to_graph().edges(data=True), key=lambda edge: -edge[2]["e_act"])
    start, stop, data = edge
    count = jumps.matrix()[start, stop]
    kT = BOLTZMANN_EV_K * 1000.0
    theirs = float(trajectory.metrics().attempt_frequency()[0])
    ours = -kT * np.log(count / (result.occupancy[start] * trajectory.total_time) / theirs)
    assert data["e_act"] == pytest.approx(ours, abs=1e-3)


def test_collective_jumps_are_found_and_single_ones_are_not() -> None:
    """Two columns of ions that jump in the same frame, one into the place of the other."""
    hopper = Hopper(rates_1_ps=(0.0, 0.0, 0.0), n_ions=2, n_frames=1000)
    positions = np.tile(reference(hopper).fractional @ hopper.cell, (1000, 1, 1))
    keep = [0, 9, *range(27, 54)]  # two sites that are neighbours along x, and the framework
    positions = positions[:, keep] + np.random.default_rng(0).normal(0, 0.1, (1000, len(keep), 3))
    together, alone = positions.copy(), positions.copy()
    together[500:, :2, 0] += 3.0
    alone[300:, 0, 1] += 3.0
    alone[700:, 1, 2] += 3.0
    symbols = ["Li"] * 2 + ["O"] * 27
    results = []
    for made in (together, alone):
        segment = Segment(made, np.arange(1000) * 0.02, hopper.cell)
        result = analyse_jumps([[segment]], symbols, "Li", 1000.0, reference=reference(hopper))
        results.append((len(result.jumps), result.attributes()["collective_fraction"]))
    assert results == [(2, 1.0), (2, 0.0)]


def test_replicas_and_segments_add_up() -> None:
    hopper = Hopper(n_frames=1200)
    one, two = picture(hopper, 1), picture(hopper, 2)
    both = picture(hopper, 1, 2)
    assert len(both.jumps) == len(one.jumps) + len(two.jumps)
    assert both.occupancy == pytest.approx((one.occupancy + two.occupancy) / 2)
    assert both.attributes()["analysed_time_ps"] == pytest.approx(2 * one.attributes()["analysed_time_ps"])
    wide = {"cell": np.eye(3) * 15.0, "shape": (5, 5, 5)}
    longer = Hopper(n_frames=1800, **wide)
    made = [[Hopper(n_frames=1200, **wide).segment(1)[0]], [longer.segment(2)[0]]]
    uneven = analyse_jumps(made, longer.segment(2)[1], "Li", 1000.0, settings=JumpSettings(max_frames=900))
    assert uneven.attributes()["analysed_time_ps"] == pytest.approx(0.04 * (599 + 899), abs=0.001)
    assert uneven.attributes()["stride"] == 2
    segment, symbols = hopper.segment(1)
    parts = [Segment(segment.positions[a:b], segment.times_ps[a:b], segment.cells) for a, b in ((0, 500), (500, 1200))]
    joined = analyse_jumps([parts], symbols, "Li", 1000.0, reference=reference(hopper))
    assert joined.attributes() == one.attributes()


def test_a_changing_cell_is_taken_in_fractions() -> None:
    hopper = Hopper(n_frames=800)
    segment, symbols = hopper.segment(1)
    breath = 1.0 + 0.02 * np.sin(np.arange(800) / 30.0)[:, None, None]
    breathing = Segment(segment.positions * breath, segment.times_ps, hopper.cell * breath)
    result = analyse_jumps([[breathing]], symbols, "Li", 1000.0, reference=reference(hopper))
    assert len(result.jumps) == len(picture(Hopper(n_frames=800)).jumps)
    with pytest.raises(ValueError, match="max_memory_MB"):
        analyse_jumps([[breathing]], symbols, "Li", 1000.0, settings=JumpSettings(max_memory_MB=1.0))


@pytest.mark.slow
def test_thinning_says_what_it_may_miss() -> None:
    hopper = Hopper(cell=np.eye(3) * 21.0, shape=(7, 7, 7))
    whole, thinned = picture(hopper), picture(hopper, max_frames=250)
    assert thinned.attributes()["stride"] == 10
    assert thinned.attributes()["n_jumps"] < 0.95 * whole.attributes()["n_jumps"]
    assert any("200 fs apart after thinning by 10" in entry for entry in thinned.warnings)
    # Vibrations are taken from the frames as they are stored.
    assert thinned.attributes()["attempt_frequency_THz"] == pytest.approx(10.0, rel=0.1)
    small = picture(hopper, max_memory_MB=8.0)
    assert small.attributes()["stride"] == 4  # 8 MB hold 714 of 2500 frames


def test_rare_frames_have_no_vibration() -> None:
    attributes = picture(Hopper(interval_fs=100.0, n_frames=800)).attributes()
    assert (attributes["attempt_frequency_THz"], attributes["attempt_frequency_source"]) == (10.0, "assumed")
    assert "assume an attempt frequency of 10 THz" in " ".join(attributes["warnings"])
    given = picture(Hopper(interval_fs=100.0, n_frames=800), attempt_frequency_THz=8.0).attributes()
    assert (given["attempt_frequency_THz"], given["attempt_frequency_source"]) == (8.0, "given")


def test_an_empty_site_that_the_structure_lacks_is_found() -> None:
    hopper = Hopper(n_frames=2000)
    whole = reference(hopper)
    fewer = Reference(whole.cell, whole.symbols[3:], whole.fractional[3:])
    segment, symbols = hopper.segment(1)
    result = analyse_jumps([[segment]], symbols, "Li", 1000.0, reference=fewer)
    assert 24 < len(result.sites) <= 27
    assert result.attributes()["n_sites_from_density"] == len(result.sites) - 24
    assert distances(result.sites.fractional, hopper.sites(), hopper.cell).min(axis=1).max() < 0.15


def test_a_shifted_structure_is_put_in_place() -> None:
    hopper = Hopper(n_frames=600)
    whole = reference(hopper)
    shifted = Reference(whole.cell, whole.symbols, whole.fractional + np.array([0.11, -0.3, 0.47]))
    segment, symbols = hopper.segment(1)
    result = analyse_jumps([[segment]], symbols, "Li", 1000.0, reference=shifted)
    assert len(result.jumps) == len(picture(hopper).jumps)


@pytest.mark.parametrize(
    ("change", "settings", "message"),
    [
        ({"cell": np.eye(3) * 10.0}, {}, "give the supercell that was simulated"),
        ({"symbols": ["Li"] * 28 + ["O"] * 26}, {}, "not those of the trajectory in the same order"),
        ({"symbols": ["Na"] * 27 + ["O"] * 27}, {}, "the structure has no Li"),
        ({}, {"site_radius_A": 2.0}, "spheres would overlap"),
    ],
)
def test_what_does_not_fit_is_refused(change: dict[str, Any], settings: dict[str, Any], message: str) -> None:
    hopper = Hopper(n_frames=100)
    segment, symbols = hopper.segment(1)
    given = Reference(**(vars(reference(hopper)) | change))
    with pytest.raises(ValueError, match=message):
        analyse_jumps([[segment]], symbols, "Li", 1000.0, reference=given, settings=JumpSettings(**settings))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sites": "guess"}, "sites must be one of auto, structure, density"),
        ({"max_frames": 3}, "max_frames must be a whole number from 50"),
        ({"site_radius_A": -1.0}, "site_radius_A must be a number above 0 and at most 100 angstrom or null"),
        ({"radius": 1.0}, "unknown jump setting radius"),
    ],
)
def test_impossible_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        JumpSettings.from_dict(settings)
