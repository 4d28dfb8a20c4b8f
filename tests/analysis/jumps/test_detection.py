"""Jumps from who is where, by hand and as GEMDAT finds them."""

from __future__ import annotations

import numpy as np
import pytest

from aiida_ion.analysis.jumps.detection import find_jumps, stays

SITES = np.array([[0.0, 0, 0], [0.5, 0, 0]])


def states_of(*ions: list[int]) -> np.ndarray:
    return np.array(ions).T


def places(states: np.ndarray) -> np.ndarray:
    """Positions that go with the states when no ion ever leaves the home cell."""
    return SITES[np.maximum(states, 0)]


def test_jumps_go_from_the_last_frame_here_to_the_first_there() -> None:
    states = states_of([0, 0, -1, 1, 1, 0], [0, -1, 0, -1, 0, 0])
    result = find_jumps(states, places(states), SITES, 3)
    assert result.ion.tolist() == [0, 0]
    assert (result.start.tolist(), result.destination.tolist()) == ([0, 1], [1, 0])
    assert (result.start_frame.tolist(), result.stop_frame.tolist()) == ([1, 4], [3, 5])
    assert result.replica.tolist() == [3, 3]


def test_a_jump_into_the_next_cell_keeps_its_cell() -> None:
    states = states_of([1, 1, 0])
    values = find_jumps(states, np.array([0.5, 0.6, 1.02])[:, None, None] * [1, 0, 0], SITES, 0)
    assert values.image.tolist() == [[1, 0, 0]]
    assert values.vectors(SITES, np.eye(3) * 10) == pytest.approx(np.array([[5.0, 0, 0]]))


def test_a_short_stay_is_part_of_the_way() -> None:
    states = states_of([0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 1])
    assert len(find_jumps(states, places(states), SITES, 0)) == 3
    assert len(find_jumps(states, places(states), SITES, 0, minimal_residence=2)) == 1


def test_stays_are_numbered_and_jumps_are_not() -> None:
    states = states_of([0, -1, 0, -1, 1, 1], [-1, 0, 0, 0, 0, 0])
    table = find_jumps(states, places(states), SITES, 0)
    assert stays(table, 6, 2).T.tolist() == [[0, 0, 0, -1, 1, 1], [0, 0, 0, 0, 0, 0]]


def test_the_jumps_are_those_of_gemdat() -> None:
    pytest.importorskip("gemdat")
    from gemdat import Jumps

    from aiida_ion.analysis.jumps.by_gemdat import gemdat_trajectory, site_visits
    from tests.analysis.jumps.hopper import Hopper

    hopper = Hopper(n_frames=1500)
    segment, _ = hopper.segment(5)
    fractional = segment.positions[:, :16].astype(float) @ np.linalg.inv(hopper.cell)
    trajectory = gemdat_trajectory(fractional, "Li", hopper.cell, hopper.interval_fs, 1000.0)
    states, transitions = site_visits(trajectory, hopper.sites(), "Li", 0.6)
    ours = find_jumps(states, fractional, hopper.sites(), 0)
    theirs = Jumps(transitions).data.sort_values(["atom index", "start time"])
    assert len(ours) > 200
    for own, name in (
        (ours.ion, "atom index"),
        (ours.start, "start site"),
        (ours.destination, "destination site"),
        (ours.start_frame, "start time"),
        (ours.stop_frame, "stop time"),
    ):
        assert own.tolist() == theirs[name].tolist()
