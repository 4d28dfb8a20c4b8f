"""Closest pairs count periodic images, and only frames that train."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from aiida_ion.training.coverage import closest_pairs, coverage
from aiida_ion.training.frames import LabelledFrame
from tests.training.md import run_md


def two_atoms(distance_A: float, a: float = 5.0) -> LabelledFrame:
    positions = np.array([[0.1, 0.0, 0.0], [a + 0.1 - distance_A, 0.0, 0.0]])
    return LabelledFrame(["Li", "O"], positions, np.eye(3) * a, 0.0, np.zeros((2, 3)), temperature_K=300.0)


def test_images_count() -> None:
    # Across the face of the cell; like atoms are only their own images.
    assert closest_pairs([two_atoms(1.8)]) == pytest.approx({"Li-Li": 5.0, "Li-O": 1.8, "O-O": 5.0})


def test_only_what_trains_counts() -> None:
    attributes = coverage([two_atoms(1.9), replace(two_atoms(1.2, a=6.0), split="test", temperature_K=900.0)])
    assert attributes["closest_pairs_A"]["Li-O"] == pytest.approx(1.9)
    assert attributes["temperatures_K"] == [300.0, 900.0]
    assert attributes["volumes_A3_atom"] == pytest.approx([62.5, 108.0])
    assert attributes["compositions"] == [{"Li": 1, "O": 1}]


def test_against_all_images_one_by_one() -> None:
    md = run_md(n_frames=120)
    frame = LabelledFrame(md.symbols, md.positions[-1], md.cell, 0.0, md.forces[-1])
    shifts = np.array(np.meshgrid(*[range(-2, 3)] * 3)).reshape(3, -1).T @ md.cell
    symbols = np.array(md.symbols)
    closest = closest_pairs([frame])
    for name, distance in closest.items():
        one, other = name.split("-")
        apart = [
            np.linalg.norm(md.positions[-1][j] - md.positions[-1][i] + shifts, axis=1)
            for i in np.flatnonzero(symbols == one)
            for j in np.flatnonzero(symbols == other)
        ]
        every = np.concatenate(apart)
        assert distance == pytest.approx(every[every > 1e-9].min())
    assert set(closest) == {"Au-Au", "Au-Cu", "Cu-Cu"}
