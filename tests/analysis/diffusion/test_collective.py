import numpy as np
import pytest

from aiida_ion.analysis.diffusion.analyse import DiffusionSettings, Segment, analyse_diffusion
from aiida_ion.analysis.diffusion.collective import direction_scale
from aiida_ion.analysis.green_kubo.charge_frame import charge_frame
from benchmarks import walkers
from benchmarks.walkers import CHARGES


def analyse(segments, symbols, charges=CHARGES, seed=1):
    settings = DiffusionSettings(seed=seed)
    return analyse_diffusion([[one] for one in segments], symbols, "Li", charges, 800.0, settings=settings)


def test_all_charges_count_and_no_frame_matters():
    """A second cation that walks with the first: half of the current is its own, whatever drifts."""
    steps = walkers.brownian(3, 1000, 20)
    segment, symbols = walkers.trajectory(3, steps, 0.1, walkers.CUBIC)
    positions = segment.positions.astype(float)
    walk = np.cumsum(steps, axis=0)
    positions[:, 30:50] += walk
    symbols[30:50] = ["Na"] * 20
    charges = {"Li": 1.0, "Na": 1.0, "O": -4.0}
    both = analyse([Segment(positions, segment.times_ps, segment.cells)], symbols, charges)
    alone = analyse([segment], ["Li"] * 20 + ["O"] * 10 + ["Ar"] * 20)
    assert (both.collective_frame, both.collective_frame_reason) == ("centre_of_charge", None)
    assert both.collective_diffusivity_cm2_s == pytest.approx(4.0 * alone.collective_diffusivity_cm2_s, rel=0.15)
    moving = positions + np.linspace(0.0, 50.0, 1000)[:, None, None]
    drifting = analyse([Segment(moving, segment.times_ps, segment.cells)], symbols, charges)
    assert drifting.collective_diffusivity_cm2_s == pytest.approx(both.collective_diffusivity_cm2_s, rel=1e-3)


@pytest.mark.parametrize(
    ("charges", "why"),
    [({"Li": 1.0}, "the charges lack Ar, O"), ({"Li": 1.0, "O": -1.0, "Ar": 0.0}, "the charges add up to +10 e")],
)
def test_without_all_charges_the_mobile_ions_are_summed(charges, why):
    segment, symbols = walkers.trajectory(1, walkers.brownian(1, 600, 20), 0.1, walkers.CUBIC)
    result = analyse([segment], symbols, charges)
    assert result.collective_frame == "framework"
    assert result.collective_frame_reason.startswith("Only the mobile ions")
    assert why in result.collective_frame_reason
    assert result.haven_ratio is not None


def test_charge_frame_of_an_uncharged_mobile_species():
    assert charge_frame(["Ar", "O"], "Ar", {"Ar": 0.0, "O": 0.0}).charges_e is None


def test_haven_ratio_of_pairs():
    held, ratios = [], []
    for seed in range(6):
        segment, symbols = walkers.trajectory(seed, walkers.pairs(seed, 1000, 40), 0.3, walkers.TRICLINIC)
        result = analyse([segment], symbols, seed=seed)
        ratios.append(result.haven_ratio)
        held.append(result.haven_ratio_ci95[0] < 0.5 < result.haven_ratio_ci95[1])
    assert sum(held) >= 5
    assert np.median(ratios) == pytest.approx(0.5, rel=0.35)


def test_directions_that_differ_know_less():
    assert direction_scale(np.eye(3)) == pytest.approx(1.0)
    assert direction_scale(np.diag([1.0, 0.0, 0.0])) == pytest.approx(3.0)
