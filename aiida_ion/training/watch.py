"""Whether a run leaves what its potential was trained on: closest pairs of each frame, disagreement of a committee.

Nothing here judges in absolute numbers: bounds come from the training frames, or from the validation of the same
training.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.neighborlist import neighbor_list
from numpy.typing import NDArray

from aiida_ion.training.committee import force_std
from aiida_ion.training.coverage import pair_name

FloatArray = NDArray[np.float64]
#: Pairs are looked for this far above the largest bound; where there is none, that distance stands for it, angstrom.
LOOK_BEYOND_A = 0.5


@dataclass(frozen=True)
class Flagged:
    """A frame that leaves the training frames.

    :param frame: its index.
    :param reason: ``closest_pair``, ``committee`` or ``environment``.
    :param pair: names of the elements, of ``closest_pair``.
    :param value: distance (angstrom), spread of forces (eV/angstrom) or distance of an environment (no unit).
    :param bound: what it was compared with.
    """

    frame: int
    reason: str
    value: float
    bound: float
    pair: str | None = None


def closest_pairs_of_frames(
    positions: NDArray[np.floating], cells: FloatArray, symbols: Sequence[str], pairs: Sequence[str], cutoff_A: float
) -> FloatArray:
    """Return the shortest distance of each pair of elements in each frame, angstrom, periodic images included.

    :param positions: shape (n, N, 3), angstrom.
    :param cells: shape (n, 3, 3), angstrom.
    :param symbols: element of each of N atoms.
    :param pairs: names such as ``Li-O``; p of them.
    :param cutoff_A: how far pairs are looked for; a pair that is farther has this distance.
    :returns: shape (n, p).
    """
    names = np.array([[pair_name(one, other) for other in symbols] for one in symbols])
    place = np.array([[_index(pairs, name) for name in row] for row in names])
    closest = np.full((len(positions), len(pairs)), cutoff_A)
    for row, (frame, cell) in enumerate(zip(positions, cells, strict=True)):
        atoms = Atoms(symbols, positions=np.asarray(frame, dtype=float), cell=cell, pbc=True)
        atoms.wrap()
        first, second, distance = neighbor_list("ijd", atoms, cutoff_A)
        which = place[first, second]
        np.minimum.at(closest[row], which[which >= 0], distance[which >= 0])
    return closest


def _index(pairs: Sequence[str], name: str) -> int:
    return list(pairs).index(name) if name in pairs else -1


def committee_spread(forces: Sequence[NDArray[np.floating]]) -> FloatArray:
    """Return how much the members of a committee disagree on each frame, eV/angstrom.

    :param forces: of each of m members, shape (n, N, 3), eV/angstrom.
    :returns: shape (n, 2): mean and largest over the atoms of the standard deviation of their force vectors.
    """
    deviation = force_std(forces)
    return np.stack([deviation.mean(axis=1), deviation.max(axis=1)], axis=1)


def flag_frames(
    closest_A: FloatArray,
    pairs: Sequence[str],
    bounds_A: Mapping[str, float],
    spread_eV_A: FloatArray | None = None,
    spread_bound_eV_A: float | None = None,
    environment: FloatArray | None = None,
    environment_bound: float | None = None,
) -> list[Flagged]:
    """Return the frames that leave the training frames, each once, in order.

    :param closest_A: shape (n, p), as :func:`closest_pairs_of_frames` returns it.
    :param spread_eV_A: shape (n,), NaN where it was not computed.
    :param spread_bound_eV_A: spread above which a frame is flagged.
    :param environment: shape (n,), distance of the farthest atom of each frame to the training atoms, NaN where it was
        not computed.
    :param environment_bound: distance above which a frame is flagged.
    """
    limits = np.array([bounds_A[name] for name in pairs])
    below = closest_A < limits
    flagged = []
    for frame in range(len(closest_A)):
        if below[frame].any():
            pair = int(np.argmax(limits - closest_A[frame]))
            about = (float(closest_A[frame, pair]), float(limits[pair]), pairs[pair])
            flagged.append(Flagged(frame, "closest_pair", *about))
        elif spread_eV_A is not None and spread_bound_eV_A is not None and spread_eV_A[frame] > spread_bound_eV_A:
            flagged.append(Flagged(frame, "committee", float(spread_eV_A[frame]), spread_bound_eV_A))
        elif environment is not None and environment_bound is not None and environment[frame] > environment_bound:
            flagged.append(Flagged(frame, "environment", float(environment[frame]), environment_bound))
    return flagged
