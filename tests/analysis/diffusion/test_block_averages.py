import numpy as np
import pytest

from aiida_ion.analysis.diffusion import block_averages
from aiida_ion.analysis.diffusion.analyse import DiffusionSettings, analyse_diffusion
from aiida_ion.analysis.diffusion.motion import side_by_side
from aiida_ion.analysis.diffusion.window import Window
from aiida_ion.analysis.trajectories.trajectory import join_segments
from benchmarks import walkers

WINDOW = Window(20, 166, 1.0)


def motion_of(walk, lengths, n_ions=20, seed=0):
    joined = []
    for number, n_frames in enumerate(lengths):
        own = seed + 1000 * number
        segment, symbols = walkers.trajectory(own, walk(own, n_frames, n_ions), 0.2, walkers.CUBIC)
        mobile = np.array([symbol == "Li" for symbol in symbols])
        joined.append(join_segments([segment], np.flatnonzero(mobile), np.flatnonzero(~mobile)))
    return side_by_side(joined)


@pytest.mark.parametrize(("walk", "inflation"), [(walkers.brownian, 1.0), (walkers.pairs, 2.0)])
def test_scatter_of_blocks_is_that_of_independent_ions_times_the_inflation(walk, inflation):
    results = [block_averages.cut(motion_of(walk, [1000], seed=seed), WINDOW, 1 / 3).inflation for seed in range(40)]
    assert {one.freedom for one in results} == {4.0}
    assert np.mean([one.factor for one in results]) == pytest.approx(inflation, rel=0.3)


@pytest.mark.parametrize(
    ("lengths", "kind", "count"), [([1000], "time", 5), ([500] * 2, "time", 6), ([500] * 6, "replicas", 6)]
)
def test_kinds_of_blocks(lengths, kind, count):
    result = block_averages.cut(motion_of(walkers.brownian, lengths), WINDOW, 1 / 3)
    assert (result.kind, len(result.diffusivities_cm2_s)) == (kind, count)
    assert result.mean_cm2_s == pytest.approx(walkers.D_CM2_S, rel=0.3)
    low, high = result.ci95_cm2_s
    assert low < result.mean_cm2_s < high


def test_blocks_too_short_for_the_window_are_fewer_or_none():
    assert (
        len(block_averages.cut(motion_of(walkers.brownian, [400]), Window(60, 133, 1.0), 1 / 3).diffusivities_cm2_s)
        == 3
    )
    assert block_averages.cut(motion_of(walkers.brownian, [400]), Window(88, 133, 1.0), 1 / 3) is None
    assert block_averages.of_replicas(motion_of(walkers.brownian, [400]), WINDOW, 1 / 3) is None


def test_replicas_of_unequal_length_are_weighted_and_none_is_cut():
    motion = motion_of(walkers.brownian, [400, 1000, 980])
    assert [(batch.n_frames, batch.n_replicas) for batch in motion.batches] == [(980, 2), (400, 1)]
    assert motion.mean_time_ps == pytest.approx((979 * 2 + 399) / 3 * 0.1)
    result = block_averages.of_replicas(motion, Window(20, 326, 1.0), 1 / 3)
    long, short = result.variances[0], result.variances[2]
    assert short > 2.0 * long
    alone = block_averages.of_replicas(motion_of(walkers.brownian, [400, 400]), Window(20, 133, 1.0), 1 / 3)
    assert short == pytest.approx(alone.variances[0], rel=0.5)


def test_a_short_replica_adds_to_what_is_known():
    made = [walkers.trajectory(s, walkers.brownian(s, n, 20), 0.2, walkers.CUBIC) for s, n in ((1, 1000), (2, 500))]
    both, long = (
        analyse_diffusion(
            [[one] for one, _ in part], made[0][1], "Li", walkers.CHARGES, 800.0, settings=DiffusionSettings()
        )
        for part in (made, made[:1])
    )
    assert both.independent_relative_error < 0.95 * long.independent_relative_error
    assert (both.n_frames, long.n_frames) == (1000, 1000)
    assert both.analysed_time_ps == pytest.approx(74.9)
    assert len(both.replica_diffusivities_cm2_s) == 2
    low, high = both.replica_ci95_cm2_s
    assert low < walkers.D_CM2_S < high
    assert long.replica_ci95_cm2_s is None


def test_replicas_around_the_limit_of_frames_keep_one_interval():
    """Thinned each by itself, 520 frames would keep every second and 500 all."""
    made = [walkers.trajectory(s, walkers.brownian(s, n, 20), 0.2, walkers.CUBIC) for s, n in ((1, 520), (2, 500))]
    settings = DiffusionSettings(max_frames=510)
    result = analyse_diffusion([[one] for one, _ in made], made[0][1], "Li", walkers.CHARGES, 800.0, settings=settings)
    assert (result.frame_stride, result.n_replicas) == (2, 2)
