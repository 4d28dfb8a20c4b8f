"""Frames that are there twice: they would be on both sides of a split, or count double."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from aiida_ion.training.runs import LabelledRun

#: Positions, and cell vectors, that differ by less are the same, angstrom.
SAME_A = 1e-4
#: Sums over atoms by which two frames are compared first.
N_SUMS = 12


def duplicates(sources: Sequence[LabelledRun]) -> list[NDArray[np.bool_]]:
    """Return which frames of each source an earlier source, or an earlier frame, has already.

    Frames are the same where all atoms, in the same order, are at the same places of the same cell, to
    :data:`SAME_A`, whatever the images in which they are written.
    """
    groups: dict[tuple[str, ...], list[int]] = {}
    for index, source in enumerate(sources):
        groups.setdefault(source.symbols, []).append(index)
    twice = [np.zeros(len(source), dtype=bool) for source in sources]
    for indices in groups.values():
        rows = [(index, row) for index in indices for row in range(len(sources[index]))]
        sums = np.concatenate([_sums(sources[index]) for index in indices])
        for first, second in _near(sums, _reach(sources, indices)):
            (one, row), (other, place) = rows[first], rows[second]
            if not twice[one][row] and _same(sources[one], row, sources[other], place):
                twice[other][place] = True
    return twice


def _near(sums: NDArray[np.float64], reach: float) -> list[tuple[int, int]]:
    """Return pairs of frames whose sums agree, in order."""
    return sorted((int(first), int(second)) for first, second in KDTree(sums).query_pairs(reach))


def _reach(sources: Sequence[LabelledRun], indices: Sequence[int]) -> float:
    """Return by how much the sums of the same frame may differ: no sine changes by more than its phase."""
    fraction = max(float(np.linalg.norm(np.linalg.inv(sources[index].cells[0]), axis=0).max()) for index in indices)
    largest_sum = float(np.abs(_weights(len(sources[indices[0]].symbols))).sum(axis=(1, 2)).max())
    return 2.0 * np.pi * SAME_A * float(np.sqrt(3.0)) * fraction * largest_sum * float(np.sqrt(N_SUMS))


def _weights(n_atoms: int) -> NDArray[np.float64]:
    """Return the weight of each atom and direction in each sum, shape (6, N, 3)."""
    weights: NDArray[np.float64] = np.random.default_rng(n_atoms).uniform(-1.0, 1.0, (N_SUMS // 2, n_atoms, 3))
    return weights / float(np.sqrt(n_atoms))


def _sums(source: LabelledRun) -> NDArray[np.float64]:
    """Return weighted sums over atoms of sines and cosines of fractions, shape (n, 12): the same for all images."""
    weights = _weights(len(source.symbols))
    rows = []
    for positions, cell in zip(source.positions, source.cells, strict=True):
        phase = 2.0 * np.pi * (positions.astype(np.float64) @ np.linalg.inv(cell))
        sine, cosine = np.sin(phase), np.cos(phase)
        rows.append([float((weight * wave).sum()) for weight in weights for wave in (sine, cosine)])
    return np.array(rows).reshape(len(source), N_SUMS)


def _same(one: LabelledRun, row: int, other: LabelledRun, place: int) -> bool:
    cell = one.cells[row]
    if np.abs(cell - other.cells[place]).max() > SAME_A:
        return False
    apart = (one.positions[row].astype(np.float64) - other.positions[place].astype(np.float64)) @ np.linalg.inv(cell)
    return bool(np.abs((apart - np.round(apart)) @ cell).max() <= SAME_A)
