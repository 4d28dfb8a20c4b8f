"""Partial radial distribution functions of a trajectory, and their distance between two trajectories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement

import numpy as np
import numpy.typing as npt
from pymatgen.core.lattice import Lattice
from pymatgen.core.structure import Structure

from aiida_ion.analysis.crystals.cell import perpendicular_widths

FloatArray = npt.NDArray[np.float64]

#: Beyond this the short-range order due to the potential is no longer visible, angstrom.
MAX_RANGE_A = 6.0
#: In small cells g(r) extends at least this far, across periodic images, to include the second neighbours, angstrom.
MIN_RANGE_A = 5.0
#: Thermal peaks of a solid are several times wider, angstrom.
BIN_WIDTH_A = 0.05
MAX_FRAMES = 200


@dataclass(frozen=True)
class RadialDistribution:
    """Partial g(r).

    :param r_A: centres of the bins, angstrom, (b,).
    :param pairs: names such as ``Li-N``, elements in alphabetical order.
    :param g: shape (len(pairs), b); one at the mean density of the cell.
    :param weights: fraction of all pairs of atoms that belongs to each pair of elements, summing to one.
    :param n_frames: number of frames.
    """

    r_A: FloatArray
    pairs: tuple[str, ...]
    g: FloatArray
    weights: FloatArray
    n_frames: int


@dataclass(frozen=True)
class RdfDistance:
    """Distances in [0, 1], 0 for equal functions; ``mean`` over pairs of elements, weighted by pairs of atoms."""

    mean: float
    by_pair: dict[str, float]


def rdf_range_A(cell: npt.NDArray[np.floating]) -> float:  # noqa: N802
    """Range of g(r): half the narrowest width of the cell, but at least 5 and at most 6 angstrom.

    Beyond half the width an atom sees its own images, which are neighbours like any other in a crystal; only their
    fluctuations are not independent.

    :param cell: rows are cell vectors, angstrom, (3, 3).
    """
    half = float(perpendicular_widths(cell).min()) / 2.0
    return min(max(half, MIN_RANGE_A), MAX_RANGE_A)


def radial_distribution(
    positions: npt.NDArray[np.floating],
    cells: npt.NDArray[np.floating],
    symbols: Sequence[str],
    range_A: float | None = None,
    max_frames: int = MAX_FRAMES,
) -> RadialDistribution:
    """Count the neighbours of every atom in every frame, periodic images included.

    g_ab(r) = V n_ab(r) / (N_a N_b v(r)), with n_ab the ordered pairs in a shell of volume v(r): the integral of
    (N_b / V) g_ab over a peak is a coordination number.

    :param positions: angstrom, wrapped or not, (n, N, 3).
    :param cells: rows are cell vectors, angstrom, (n, 3, 3) or (3, 3).
    :param symbols: element of each of the N atoms.
    :param range_A: largest distance; by default that of :func:`rdf_range_A` for the first cell.
    :param max_frames: more frames are thinned evenly to this number.
    :raises ValueError: for no frames, or the wrong number of symbols.
    """
    if not len(positions) or positions.shape[1:] != (len(symbols), 3):
        raise ValueError(f"positions must be (frames > 0, {len(symbols)}, 3), got {positions.shape}")
    chosen = np.unique(np.linspace(0, len(positions) - 1, min(max_frames, len(positions))).round().astype(int))
    cells = np.broadcast_to(np.asarray(cells, dtype=float), (len(positions), 3, 3))
    range_A = range_A or rdf_range_A(cells[0])
    edges = np.linspace(0.0, range_A, max(1, round(range_A / BIN_WIDTH_A)) + 1)
    elements, kinds = np.unique(np.asarray(symbols), return_inverse=True)
    counts = np.zeros((len(elements), len(elements), len(edges) - 1))
    for frame in chosen:
        crystal = Structure(Lattice(cells[frame]), symbols, positions[frame].astype(float), coords_are_cartesian=True)
        counts += crystal.volume * _neighbours(crystal, kinds, edges)
    numbers = np.bincount(kinds)
    shells = 4.0 / 3.0 * np.pi * np.diff(edges**3)
    of_pair = list(combinations_with_replacement(range(len(elements)), 2))
    weights = np.array([numbers[a] * numbers[b] * (1.0 if a == b else 2.0) for a, b in of_pair])
    return RadialDistribution(
        r_A=(edges[:-1] + edges[1:]) / 2.0,
        pairs=tuple(f"{elements[a]}-{elements[b]}" for a, b in of_pair),
        g=np.array([counts[a, b] / (len(chosen) * numbers[a] * numbers[b] * shells) for a, b in of_pair]),
        weights=weights / weights.sum(),
        n_frames=len(chosen),
    )


def _neighbours(crystal: Structure, kinds: npt.NDArray[np.int64], edges: FloatArray) -> FloatArray:
    """Count ordered pairs of atoms by both kinds and the shell of their distance, (kinds, kinds, shells)."""
    first, second, _, distances = crystal.get_neighbor_list(edges[-1], exclude_self=True)
    n_kinds, n_shells = int(kinds.max()) + 1, len(edges) - 1
    shell = np.minimum((distances / edges[-1] * n_shells).astype(int), n_shells - 1)
    flat = (kinds[first] * n_kinds + kinds[second]) * n_shells + shell
    counts = np.bincount(flat, minlength=n_kinds * n_kinds * n_shells)
    return counts.reshape(n_kinds, n_kinds, n_shells).astype(float)


def averaged(parts: Sequence[RadialDistribution]) -> RadialDistribution:
    """Average distributions of the same crystal on the same grid, weighted by their numbers of frames."""
    frames = [part.n_frames for part in parts]
    g = np.average([part.g for part in parts], axis=0, weights=frames)
    return replace(parts[0], g=g, n_frames=sum(frames))


def rdf_distance(distribution: RadialDistribution, reference: RadialDistribution) -> RdfDistance:
    """Area between two g(r) over the sum of their areas: 0 if equal, 1 without overlap.

    One minus the accuracy that Schran et al. (PNAS 118, e2110077118 (2021), and its code aml, `score/util.py`) use to
    rate potentials against ab initio dynamics. Finite runs differ by noise: two halves of one run show how much.

    :raises ValueError: for different elements or grids.
    """
    if distribution.pairs != reference.pairs:
        raise ValueError(f"pairs {', '.join(distribution.pairs)} cannot be compared with {', '.join(reference.pairs)}")
    if distribution.r_A.shape != reference.r_A.shape or not np.allclose(distribution.r_A, reference.r_A):
        raise ValueError("the two radial distributions have different grids; give both the same range_A")
    between = np.abs(distribution.g - reference.g).sum(axis=1)
    total = distribution.g.sum(axis=1) + reference.g.sum(axis=1)
    there = total > 0
    if not there.any():
        raise ValueError("no atom has a neighbour within the range of the radial distribution")
    each = between[there] / total[there]
    names = [pair for pair, has in zip(reference.pairs, there, strict=True) if has]
    return RdfDistance(
        mean=float(np.average(each, weights=reference.weights[there])),
        by_pair={name: float(value) for name, value in zip(names, each, strict=True)},
    )
