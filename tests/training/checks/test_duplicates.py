"""Frames that are there twice are found in whatever image they are written."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from aiida_ion.training.checks.duplicates import duplicates
from tests.training.md import labelled, run_md


def test_copies_are_found_and_neighbours_are_not() -> None:
    run = labelled(run_md(n_frames=120))
    rng = np.random.default_rng(0)
    images = rng.integers(-2, 3, (10, len(run.symbols), 3)) @ run.cells[0]
    noise = rng.uniform(-4e-5, 4e-5, images.shape)
    copy = run.rows(np.arange(40, 50))
    copy = replace(copy, positions=(copy.positions + images + noise))
    other = labelled(run_md(n_frames=50, seed=9))
    first, second, third = duplicates([run, copy, other])
    assert not first.any()
    assert second.all()
    # Both runs begin on the perfect lattice.
    assert third.tolist() == [True] + [False] * 49


def test_another_cell_or_a_larger_move_is_another_frame() -> None:
    run = labelled(run_md(n_frames=120)).rows(np.arange(3))
    moved = run.positions.copy()
    moved[:, 0, 0] += 3e-4
    assert not np.concatenate(duplicates([run, replace(run, positions=moved)])).any()
    assert not np.concatenate(duplicates([run, replace(run, cells=run.cells * 1.001)])).any()
