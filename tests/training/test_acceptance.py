from __future__ import annotations

import math

import numpy as np
import pytest

from aiida_ion.training.acceptance import (
    Motion,
    compare_displacements,
    compare_distributions,
    displacement_by_element,
)

SYMBOLS = ["Li"] * 20 + ["O"] * 10
CELLS = np.repeat(10.0 * np.eye(3)[None], 90, axis=0)


def walk(seed: int, step_A: float) -> Motion:
    """Return lithium that walks at random, and oxygen that shakes about its site."""
    rng = np.random.default_rng(seed)
    start = np.random.default_rng(0).uniform(0.0, 10.0, (1, 30, 3))
    steps = step_A * rng.normal(size=(90, 20, 3))
    steps -= steps.mean(axis=1, keepdims=True)  # as in a run, where no momentum is left over
    lithium = start[:, :20] + np.cumsum(steps, axis=0)
    oxygen = start[:, 20:] + 0.1 * rng.normal(size=(90, 10, 3))
    return Motion(np.concatenate([lithium, oxygen], axis=1), CELLS, 0.01)


def test_a_random_walk_has_its_displacement() -> None:
    """Of independent steps of variance s^2 in each direction, MSD(n) = 3 n s^2, less the part of the drift, 1/20."""
    many = [displacement_by_element(walk(seed, 0.2), SYMBOLS, 3)["Li"] for seed in range(30)]
    assert np.mean(many, axis=0) == pytest.approx(0.95 * 3 * 0.04 * np.arange(1, 4), rel=0.04)


def test_equal_motion_is_within_scatter_and_slower_motion_is_not() -> None:
    teacher = [walk(seed, 0.2) for seed in range(3)]
    same = compare_displacements([walk(seed, 0.2) for seed in range(10, 13)], teacher, SYMBOLS)
    slow = compare_displacements([walk(seed, 0.1) for seed in range(10, 13)], teacher, SYMBOLS)
    assert same["elements"]["Li"]["within_scatter"]
    assert not slow["elements"]["Li"]["within_scatter"]
    assert slow["elements"]["O"]["within_scatter"]
    assert same["lags_ps"][0] == pytest.approx(0.01)


def test_a_run_of_a_few_frames_has_no_displacement_to_compare() -> None:
    """Halves of one frame each gave values that are not numbers, which no database takes."""
    run = walk(1, 0.2)
    with pytest.raises(ValueError, match="the shortest run has 3 frames, and displacements need 4"):
        compare_displacements([run], [run.part(slice(3))], SYMBOLS)
    least = compare_displacements([run], [run.part(slice(4))], SYMBOLS)["elements"]["Li"]
    assert all(math.isfinite(value) for name, values in least.items() if name != "within_scatter" for value in values)


def test_distributions_of_the_same_motion_are_as_close_as_its_runs() -> None:
    student = [walk(seed, 0.05) for seed in range(10, 12)]
    result = compare_distributions(student, [walk(1, 0.05)], SYMBOLS)
    assert set(result) == {"Li-Li", "Li-O", "O-O"}
    assert result["O-O"]["student_teacher"] <= 2 * result["O-O"]["student_student"]
    assert compare_distributions(student[:1], student[:1], SYMBOLS)["Li-Li"]["student_student"] is None
