import itertools

import numpy as np
import pytest

from aiida_ion.analysis.trajectories.trajectory import (
    Segment,
    check_finite,
    check_spacing,
    join_segments,
    remove_drift,
    thin,
    unwrap,
)
from benchmarks.walkers import SHEARED
from tests.analysis.synthetic import CUBIC, TRICLINIC, brownian, crystal

MOBILE, FRAMEWORK = np.arange(20), np.arange(20, 50)


@pytest.mark.parametrize("cell", [CUBIC, TRICLINIC, TRICLINIC[[2, 0, 1]], SHEARED])
def test_unwrap_restores_the_path(cell):
    path = brownian(1) * 3.0 + 1.0
    wrapped = (path @ np.linalg.inv(cell) % 1.0) @ cell
    assert np.abs(wrapped - path).max() > 5.0
    unwrapped = unwrap(wrapped, cell)
    np.testing.assert_allclose(unwrapped.positions - unwrapped.positions[0], path - path[0], atol=1e-8)
    assert 0.05 < unwrapped.largest_step < 0.5


def test_unwrap_follows_a_changing_cell():
    fractional = np.cumsum(np.full((50, 1, 3), 0.04), axis=0)
    cells = TRICLINIC * np.linspace(1.0, 1.1, 50)[:, None, None]
    unwrapped = unwrap(np.einsum("tni,tij->tnj", fractional % 1.0, cells), cells)
    np.testing.assert_allclose(unwrapped.positions, np.einsum("tni,tij->tnj", fractional, cells), atol=1e-8)


def test_unwrap_tells_of_steps_near_half_the_cell():
    positions = np.zeros((3, 1, 3))
    positions[1, 0, 0] = 9.6
    assert unwrap(positions, CUBIC).largest_step == pytest.approx(0.48)


def test_unwrap_refuses_a_cell_without_volume():
    with pytest.raises(ValueError, match="no volume"):
        unwrap(np.zeros((2, 1, 3)), np.zeros((3, 3)))


def test_remove_drift():
    path = brownian(2)
    drift = np.linspace(0, 7.0, len(path))[:, None, None] * np.array([1.0, 0.0, 0.0])
    framework = np.zeros((len(path), 5, 3))
    moved = np.concatenate([path, framework], axis=1) + drift
    still, size = remove_drift(moved, np.arange(20, 25))
    np.testing.assert_allclose(still[:, :20], path, atol=1e-12)
    assert size == pytest.approx(7.0)


def test_no_framework_no_drift_removed():
    path = brownian(2) + 5.0
    still, size = remove_drift(path, np.array([], dtype=int))
    assert np.array_equal(still, path)
    assert size == 0.0


@pytest.mark.parametrize(("n_frames", "stride"), [(10, 1), (5000, 1), (5001, 2), (100_000, 20)])
def test_thin(n_frames, stride):
    assert thin(n_frames, 5000) == stride
    assert len(range(0, n_frames, stride)) <= 5000


def test_check_finite_names_the_frame():
    positions = np.zeros((5, 2, 3))
    positions[3, 1, 2] = np.nan
    with pytest.raises(ValueError, match="frame 3"):
        check_finite(positions)


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ([0, 1, 2, 2, 3, 4], "doubled between frames 2"),
        ([0, 1, 2, 4, 5, 6], "lost between frames 2"),
        ([0, 1, 2, 1, 2, 3], "backwards between frames 2"),
        ([0, 1, 2, 2.5, 3.5, 4.5], "changes between frames 2"),
        ([0, 0, 0, 0], "do not increase"),
        ([0], "at least 2"),
        ([0, 1, np.nan], "not finite"),
    ],
)
def test_check_spacing_says_what_is_wrong(times, message):
    with pytest.raises(ValueError, match=message):
        check_spacing(np.array(times, dtype=float))


def test_check_spacing_bears_rounding():
    times = np.float32(0.1) * np.arange(1000, dtype=np.float32)
    assert check_spacing(times) == pytest.approx(0.1, rel=1e-6)


def test_segments_join_without_a_seam():
    segment, _ = crystal(brownian(3), drift_A=3.0)
    cuts = [0, 123, 124, 500]
    segments = [
        Segment(segment.positions[a:b], segment.times_ps[a:b], segment.cells) for a, b in itertools.pairwise(cuts)
    ]
    for equilibration_fs, max_frames in ((0.0, 5000), (0.0, 100), (5000.0, 70), (13_000.0, 100)):
        whole = join_segments([segment], MOBILE, FRAMEWORK, equilibration_fs, max_frames)
        parts = join_segments(segments, MOBILE, FRAMEWORK, equilibration_fs, max_frames)
        assert np.array_equal(whole.mobile, parts.mobile)
        assert np.array_equal(whole.framework, parts.framework)
        first = round(equilibration_fs / 100.0)
        expected = segment.positions[first :: whole.stride].astype(float)
        expected = remove_drift(expected, FRAMEWORK).positions[:, :20]
        np.testing.assert_allclose(parts.mobile, expected, atol=1e-5)
        assert parts.interval_fs == pytest.approx(100.0 * whole.stride)


def test_a_doubled_frame_between_segments_is_refused():
    segment, _ = crystal(brownian(3))
    segments = [
        Segment(segment.positions[:200], segment.times_ps[:200], segment.cells),
        Segment(segment.positions[199:], segment.times_ps[199:], segment.cells),
    ]
    with pytest.raises(ValueError, match="a frame is doubled between frames 199"):
        join_segments(segments, MOBILE, FRAMEWORK)


def test_wrapped_positions_are_refused():
    segment, _ = crystal(brownian(3) * 3.0)
    wrapped = Segment(segment.positions % 20.0, segment.times_ps, segment.cells)
    with pytest.raises(ValueError, match="wrapped"):
        join_segments([wrapped], MOBILE, FRAMEWORK)


def test_too_few_frames_left():
    segment, _ = crystal(brownian(3))
    with pytest.raises(ValueError, match="3 of 500 frames are left after 49700 fs"):
        join_segments([segment], MOBILE, FRAMEWORK, equilibration_fs=49_700.0)


def test_other_number_of_atoms():
    segment, _ = crystal(brownian(3))
    with pytest.raises(ValueError, match="50 atoms, for 40 symbols"):
        join_segments([segment], MOBILE, FRAMEWORK[:20])


@pytest.mark.parametrize(
    ("positions", "times", "cells"),
    [((4, 3), 4, (3, 3)), ((4, 2, 3), 3, (3, 3)), ((4, 2, 3), 4, (3, 3, 3))],
)
def test_segment_shapes(positions, times, cells):
    with pytest.raises(ValueError, match=r"must|shape"):
        Segment(np.zeros(positions), np.zeros(times), np.zeros(cells))
