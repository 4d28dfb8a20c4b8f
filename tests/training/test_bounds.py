from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from aiida_ion.training.bounds import independent, lower_level, upper_level, watch_bounds
from aiida_ion.training.frames import LabelledFrame


def dimer(distance: float, split: str, source: int = 0) -> LabelledFrame:
    return LabelledFrame(
        symbols=("Li", "O"),
        positions=np.array([[0.0, 0.0, 0.0], [distance, 0.0, 0.0]]),
        cell=9.0 * np.eye(3),
        energy_eV=0.0,
        forces=np.zeros((2, 3)),
        split=split,
        source=source,
    )


def held_out(rng: np.random.Generator, n: int) -> list[float]:
    """Return shortest distances of n frames, each the smallest of 500 with a Gaussian tail."""
    return (2.5 - 0.12 * np.abs(rng.normal(size=(n, 500)))).min(axis=1).tolist()


def test_a_level_is_passed_about_once_in_as_many_frames_as_it_says() -> None:
    # Minima of 500 distances: what 40 frames say of 100,000, against those 100,000, computed from the law itself.
    rng, fitted = np.random.default_rng(3), []
    for _ in range(40):
        fitted.append(lower_level(np.array(held_out(rng, 40)), 1e5))
    once = 2.5 - 0.12 * stats.halfnorm.isf(1.0 - (1.0 - 1e-5) ** (1 / 500))
    assert np.median(fitted) == pytest.approx(once, abs=0.03)
    assert np.quantile(fitted, [0.05, 0.95]) == pytest.approx(once, abs=0.12)


def test_frames_that_remember_each_other_widen_a_bound() -> None:
    rng = np.random.default_rng(11)
    noise = rng.normal(size=60)
    series = np.convolve(rng.normal(size=69), np.ones(10) / 10**0.5, mode="valid")
    assert independent(noise, [0] * 60) > 40
    assert independent(series, [0] * 60) < 15
    assert independent(series, list(range(60))) == 60  # no two of one run
    assert upper_level(series, runs=[0] * 60) > upper_level(series)


def test_levels_are_beyond_what_was_seen_and_not_beyond_half_of_it() -> None:
    minima = np.array([1.0, 5.0, 1.2, 8.0, 3.0])
    assert lower_level(minima) == pytest.approx(0.5)
    assert lower_level(np.full(5, 2.0)) == pytest.approx(2.0)
    maxima = np.random.default_rng(1).gumbel(size=50)
    assert upper_level(maxima) > maxima.max()
    assert upper_level(maxima, 1e6) > upper_level(maxima, 1e3)


def test_what_was_labelled_lowers_a_bound_and_pairs_that_were_pushed_do_not() -> None:
    rng = np.random.default_rng(5)
    frames = [dimer(d, "validation") for d in held_out(rng, 40)] + [dimer(2.0, "train", source=1)]
    without = watch_bounds(frames)
    known = watch_bounds([*frames, dimer(1.3, "train", source=2)])
    pushed = watch_bounds([*frames, dimer(1.3, "train", source=2)], pushed=[2])
    assert known["bounds_A"]["Li-O"] == pytest.approx(1.3)
    assert pushed["bounds_A"] == without["bounds_A"]
    assert 1.5 < without["bounds_A"]["Li-O"] < 2.0
    assert (without["rule"], without["n_held_out"], without["remarks"]) == ("held_out", 40, [])


def test_too_few_frames_that_were_held_out_are_said_and_leave_the_old_bound() -> None:
    frames = [dimer(2.0, "train"), *(dimer(2.1, "validation") for _ in range(9))]
    watch = watch_bounds(frames)
    assert watch["rule"] == "margin"
    assert watch["bounds_A"]["Li-O"] == pytest.approx(1.9)
    assert "fewer than 10 frames" in watch["remarks"][0]
