import json
from dataclasses import replace
from pathlib import Path

import kinisi
import numpy as np
import pytest
from pymatgen.io.vasp import Xdatcar

from aiida_ion.analysis.conductivity import ionic_conductivity_mS_cm
from aiida_ion.analysis.diffusion.analyse import DiffusionSettings, Segment, analyse_diffusion
from aiida_ion.analysis.trajectories.trajectory import unwrap
from tests.analysis.synthetic import CUBIC, D_CM2_S, GHOSTS, TRICLINIC, brownian, crystal

PLAIN = DiffusionSettings(collective=False)


def analyse(mobile, settings=PLAIN, **kwargs):
    segment, symbols = crystal(mobile, **kwargs)
    return analyse_diffusion([[segment]], symbols, "Li", {"Li": 1.0}, 800.0, settings=settings)


@pytest.fixture(scope="module")
def moved():
    return analyse(brownian(1, 1000), DiffusionSettings(seed=3, limits=GHOSTS), seed=1)


def test_intervals_hold_the_truth():
    results = [analyse(brownian(seed, 1000), seed=seed) for seed in range(10)]
    assert all(result.moved for result in results)
    held = [r.tracer_diffusivity_ci95_cm2_s[0] < D_CM2_S < r.tracer_diffusivity_ci95_cm2_s[1] for r in results]
    assert sum(held) >= 8
    means = [result.tracer_diffusivity_cm2_s for result in results]
    assert np.mean(means) == pytest.approx(D_CM2_S, rel=0.1)
    widths = [np.ptp(result.tracer_diffusivity_ci95_cm2_s) for result in results]
    assert np.mean(widths) < 0.6 * D_CM2_S


@pytest.mark.parametrize(("n_ions", "rattle_A"), [(24, 0.3), (24, 0.6), (100, 0.8), (500, 0.3), (500, 0.5)])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_inert_crystal_gets_a_bound_and_no_number(n_ions, rattle_A, seed):
    still = np.random.default_rng(seed).normal(0.0, rattle_A, (600, n_ions, 3))
    result = analyse(still, seed=seed)
    assert result.verdict == result.grade == "bound"
    assert result.tracer_diffusivity_cm2_s is None
    assert result.ionic_conductivity_mS_cm is None
    assert "tracer_diffusivity_samples_cm2_s" not in result.arrays()
    no_hop_bound = 2.9957 * 9.0 / (6.0 * n_ions * 59.9) * 1e-4
    assert result.tracer_diffusivity_upper_bound_cm2_s >= no_hop_bound * 0.999
    assert result.tracer_diffusivity_upper_bound_cm2_s < 20 * no_hop_bound or rattle_A > 0.7
    assert result.ionic_conductivity_upper_bound_mS_cm > 0
    assert result.reason.endswith(".")


def test_bound_counts_the_hops_it_saw():
    path = np.random.default_rng(1).normal(0.0, 0.1, (1000, 24, 3))
    path[400:, 3, 0] += 3.0
    path[700:, 9, 1] += 3.0
    result = analyse(path)
    assert not result.moved
    assert result.n_ions_hopped == 2
    assert 2 <= result.n_hops <= 4
    assert result.tracer_diffusivity_upper_bound_cm2_s > 2 * 3.0 * 9.0 / (6.0 * 24 * 99.9) * 1e-4


def test_slow_diffusion_is_below_its_bound():
    for seed in range(5):
        slow = brownian(seed, 1000, 24, diffusivity_A2_ps=0.001)
        result = analyse(slow)
        assert not result.moved
        assert result.tracer_diffusivity_upper_bound_cm2_s > 1e-7


def test_triclinic_cell_changes_nothing_but_the_volume():
    mobile = brownian(4, 600)
    cubic, skewed = analyse(mobile, cell=CUBIC), analyse(mobile, cell=TRICLINIC)
    assert cubic.volume_A3 != pytest.approx(skewed.volume_A3, rel=0.01)
    assert cubic.tracer_diffusivity_cm2_s == pytest.approx(skewed.tracer_diffusivity_cm2_s, rel=0.02)


def test_drift_of_the_crystal_is_not_diffusion():
    mobile = brownian(5, 600)
    still, drifting = analyse(mobile), analyse(mobile, drift_A=30.0)
    assert drifting.drift_A == pytest.approx(30.0, abs=0.5)
    assert still.tracer_diffusivity_cm2_s == pytest.approx(drifting.tracer_diffusivity_cm2_s, rel=0.02)
    inert = analyse(np.random.default_rng(1).normal(0.0, 0.2, (600, 20, 3)), drift_A=30.0)
    assert not inert.moved


def test_melting_framework_shows():
    segment, symbols = crystal(brownian(6, 600))
    positions = segment.positions.astype(float)
    positions[:, 20:] += brownian(7, 600, 30, diffusivity_A2_ps=0.05)
    molten = Segment(positions, segment.times_ps, segment.cells)
    result = analyse_diffusion([[molten]], symbols, "Li", {"Li": 1.0}, 800.0, settings=PLAIN)
    assert result.framework_msd_A2 > 3.0
    assert analyse(brownian(6, 600)).framework_msd_A2 == pytest.approx(0.06, abs=0.02)


def test_everything_mobile_has_no_framework_and_no_collective():
    segment, symbols = crystal(brownian(8, 600), n_framework=0)
    result = analyse_diffusion([[segment]], symbols, "Li", {"Li": 1.0}, 800.0)
    assert result.moved
    assert result.framework_msd_A2 is None
    assert result.drift_A == 0.0
    assert result.collective_diffusivity_cm2_s is None
    assert "no framework" in result.collective_reason


def test_replicas_narrow_the_interval():
    segments = [[crystal(brownian(seed, 500), seed=seed)[0]] for seed in range(6)]
    symbols = crystal(brownian(0, 500))[1]
    result = analyse_diffusion(segments, symbols, "Li", {"Li": 1.0}, 800.0)
    assert (result.n_replicas, result.n_mobile_ions, result.block_kind) == (6, 20, "replicas")
    assert result.block_diffusivities_cm2_s == result.replica_diffusivities_cm2_s
    assert len(result.replica_diffusivities_cm2_s) == len(result.replica_collective_diffusivities_cm2_s) == 6
    one = analyse_diffusion(segments[:1], symbols, "Li", {"Li": 1.0}, 800.0)
    assert result.tracer_diffusivity_std_cm2_s < 0.7 * one.tracer_diffusivity_std_cm2_s
    assert np.ptp(result.haven_ratio_ci95) < np.ptp(one.haven_ratio_ci95)
    assert result.n_eff > 4 * one.n_eff


def test_replicas_of_other_spacing_are_refused():
    symbols = crystal(brownian(0))[1]
    segments = [[crystal(brownian(seed), frame_ps=ps)[0]] for seed, ps in ((0, 0.1), (1, 0.2))]
    with pytest.raises(ValueError, match="different frame intervals"):
        analyse_diffusion(segments, symbols, "Li", {"Li": 1.0}, 800.0)


def test_concerted_motion_has_a_small_haven_ratio():
    chain = np.repeat(brownian(9, 1000, 8), 4, axis=1)
    chain += np.random.default_rng(1).normal(0.0, 0.1, chain.shape)
    result = analyse(chain, DiffusionSettings())
    assert result.haven_ratio == pytest.approx(0.25, rel=0.6)
    assert result.haven_ratio_ci95[0] < 0.25 < result.haven_ratio_ci95[1]
    assert result.haven_ratio_ci95[1] < 1.0
    assert result.collective_ionic_conductivity_mS_cm > result.ionic_conductivity_mS_cm


def test_conductivity_is_nernst_einstein(moved):
    by_hand = ionic_conductivity_mS_cm(moved.tracer_diffusivity_cm2_s, 1.0, 20 / 8000.0, 800.0)
    assert moved.ionic_conductivity_mS_cm == pytest.approx(by_hand, rel=1e-9)
    low, high = moved.ionic_conductivity_ci95_mS_cm
    assert low < moved.ionic_conductivity_mS_cm < high


def test_checks_of_a_run_that_moved(moved):
    assert moved.fit_consistent
    assert len(moved.block_diffusivities_cm2_s) >= 5
    assert moved.log_log_slope_ci95[0] < moved.log_log_slope < moved.log_log_slope_ci95[1]
    assert moved.fit_window_ps[1] == pytest.approx(99.9 / 3.0, abs=0.2)
    assert moved.msd_passes_20_A2 == (moved.max_msd_A2 >= 20.0)
    assert moved.n_ions_hopped == 20
    assert moved.grade in "AB"
    assert moved.tracer_diffusivity_upper_bound_cm2_s is None


def test_arrays(moved):
    arrays = moved.arrays()
    assert {name: len(array.shape) for name, array in arrays.items()} == dict.fromkeys(arrays, 1)
    assert len(arrays["tracer_diffusivity_samples_cm2_s"]) == 1000
    assert len(arrays["lag_times_ps"]) == len(arrays["msd_A2"]) == len(arrays["msd_std_A2"]) == 30
    assert len(arrays["all_lag_times_ps"]) == len(arrays["all_msd_A2"]) <= 300
    assert arrays["all_lag_times_ps"][-1] == pytest.approx(99.9)
    assert all(array.dtype == np.float64 for array in arrays.values())


def test_attributes_are_json(moved):
    assert json.loads(json.dumps(moved.attributes(), allow_nan=False)) == moved.attributes()


def test_thinning_is_stated_and_harmless():
    mobile = brownian(10, 2000)
    whole, thinned = analyse(mobile), analyse(mobile, DiffusionSettings(collective=False, max_frames=400))
    assert (thinned.frame_stride, thinned.n_frames, thinned.n_frames_stored) == (5, 400, 2000)
    assert thinned.frame_interval_fs == pytest.approx(500.0)
    assert thinned.tracer_diffusivity_cm2_s == pytest.approx(whole.tracer_diffusivity_cm2_s, rel=0.1)


def test_equilibration_is_left_out():
    mobile = brownian(11, 800)
    mobile[:200] += np.linspace(60.0, 0.0, 200)[:, None, None]
    late = analyse(mobile[200:])
    settled = analyse(mobile, DiffusionSettings(collective=False, equilibration_fs=20_000.0))
    assert settled.n_frames == 600
    assert settled.tracer_diffusivity_cm2_s == pytest.approx(late.tracer_diffusivity_cm2_s, rel=0.02)


def test_a_fit_far_from_least_squares_is_marked(monkeypatch):
    """kinisi's rare wild fits (1 in 5,000) cannot be made to order: its draws are moved instead."""
    from aiida_ion.analysis.diffusion import tracer

    real = tracer.fit_diffusivity

    def wild(*args):
        fit = real(*args)
        return replace(fit, samples_cm2_s=fit.samples_cm2_s * 10.0)

    monkeypatch.setattr(tracer, "fit_diffusivity", wild)
    result = analyse(brownian(12, 600))
    assert result.fit_consistent is False
    assert result.least_squares_diffusivity_cm2_s == pytest.approx(D_CM2_S, rel=0.5)
    assert any("disagree" in warning for warning in result.warnings)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mobile_species": "Na"}, "no Na among the symbols Li, O"),
        ({"charges": {"O": -2.0}}, "charges lack the mobile species Li"),
        ({"temperature_K": 0.0}, "temperature_K must be positive"),
        ({"replicas": []}, "no replica"),
        ({"replicas": [[]]}, "no segments"),
    ],
)
def test_impossible_input(change, message):
    segment, symbols = crystal(brownian(1, 50))
    given = {
        "replicas": [[segment]],
        "symbols": symbols,
        "mobile_species": "Li",
        "charges": {"Li": 1.0},
        "temperature_K": 800.0,
    }
    with pytest.raises(ValueError, match=message):
        analyse_diffusion(**given | change)


@pytest.mark.parametrize(
    "wrong",
    [
        {"jump_distance_A": 0.0},
        {"n_lags": 4},
        {"n_lags": 500},
        {"max_lag_fraction": 0.6},
        {"max_frames": 10.5},
        {"seed": -1},
        {"equilibration_fs": float("nan")},
        {"collective": "yes"},
        {"min_log_log_slope": 1.3},
        {"lags": 30},
    ],
)
def test_impossible_settings(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong)).replace("min_log", "max_log")):
        DiffusionSettings.from_dict(wrong)


def test_settings_round_trip():
    settings = DiffusionSettings(n_lags=20, seed=5)
    assert DiffusionSettings.from_dict(json.loads(json.dumps(settings.to_dict()))) == settings


def test_a_published_superionic_conductor_moves():
    """14 ps of Li6PS5Cl (kinisi's example): 190 effective hops, a short way for each of 192 ions but a clear one."""
    segment, symbols = argyrodite()
    result = analyse_diffusion([[segment]], symbols, "Li", {"Li": 1.0}, 500.0, settings=PLAIN)
    assert result.moved, result.reason
    low, high = result.tracer_diffusivity_ci95_cm2_s
    assert low < 1.29e-5 < high
    few = DiffusionSettings(collective=False, min_n_eff=100)
    strict = analyse_diffusion([[segment]], symbols, "Li", {"Li": 1.0}, 500.0, settings=few)
    assert strict.verdict == "bound"
    assert "over the fit window" in strict.reason
    assert strict.tracer_diffusivity_upper_bound_cm2_s > result.tracer_diffusivity_cm2_s


def argyrodite():
    """A real trajectory, wrapped, 2 fs x 50 between frames; kinisi alone finds 1.29(14)e-5 cm^2/s from 4 to 10 ps."""
    path = Path(kinisi.__file__).parent / "tests" / "inputs" / "example_XDATCAR.gz"
    if not path.exists():
        pytest.skip("this kinisi comes without its example trajectory")
    structures = Xdatcar(str(path)).structures
    cell = structures[0].lattice.matrix
    unwrapped = unwrap(np.array([structure.cart_coords for structure in structures]), cell)
    assert unwrapped.largest_step < 0.2
    segment = Segment(unwrapped.positions, np.arange(len(structures)) * 0.1, cell)
    return segment, [site.specie.symbol for site in structures[0]]
