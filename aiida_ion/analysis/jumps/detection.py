"""Jumps from the sites of ions over time: vectorised, by GEMDAT's rule."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from aiida_ion.analysis.jumps.rates import JumpTable

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def find_jumps(
    states: IntArray, fractional: FloatArray, sites: FloatArray, replica: int, minimal_residence: int = 0
) -> JumpTable:
    """Return the jumps of a trajectory: from the last frame at one site to the first at another.

    An ion that leaves a site and returns to it has not jumped, whatever happened in between (GEMDAT's rule). Moving to
    the same site in another cell is a jump.

    :param states: site of each ion in each frame, -1 for none, (n, M).
    :param fractional: unwrapped positions, (n, M, 3).
    :param sites: fractional, (S, 3).
    :param minimal_residence: fewest frames that count as a stay at a site.
    """
    frames, ions = (indices.astype(np.int64) for indices in np.nonzero(states.T >= 0)[::-1])
    at = states[frames, ions].astype(np.int64)
    cell = np.round(fractional[frames, ions] - sites[at]).astype(np.int64)
    if minimal_residence > 0:
        keep = _long_stays(ions, at, cell, frames, minimal_residence)
        frames, ions, at, cell = frames[keep], ions[keep], at[keep], cell[keep]
    changed = (at[1:] != at[:-1]) | (cell[1:] != cell[:-1]).any(axis=1)
    before = np.flatnonzero(changed & (ions[1:] == ions[:-1]))
    after = before + 1
    return JumpTable(
        replica=np.full(len(before), replica, dtype=np.int64),
        ion=ions[before],
        start=at[before],
        destination=at[after],
        image=cell[after] - cell[before],
        start_frame=frames[before],
        stop_frame=frames[after],
    )


def _long_stays(
    ions: IntArray, at: IntArray, cell: IntArray, frames: IntArray, minimal_residence: int
) -> npt.NDArray[np.bool_]:
    """Whether each record belongs to a long stay, (k,); the first stay of an ion counts, as its start is unknown."""
    if not len(at):
        return np.zeros(0, dtype=bool)
    new_ion = np.concatenate([[True], ions[1:] != ions[:-1]])
    new = new_ion | np.concatenate([[False], (at[1:] != at[:-1]) | (cell[1:] != cell[:-1]).any(axis=1)])
    stay = np.cumsum(new) - 1
    first = np.flatnonzero(new)
    last = np.concatenate([first[1:] - 1, [len(at) - 1]])
    lasts = (frames[last] - frames[first] >= minimal_residence) | new_ion[first]
    long: npt.NDArray[np.bool_] = lasts[stay]
    return long


def stays(table: JumpTable, n_frames: int, n_ions: int) -> IntArray:
    """Number the stays of each ion: jumps begun so far in each frame, -1 between sites, (n, M)."""
    begun = np.zeros((n_frames + 1, n_ions), dtype=np.int64)
    np.add.at(begun, (table.start_frame + 1, table.ion), 1)
    ended = np.zeros((n_frames + 1, n_ions), dtype=np.int64)
    np.add.at(ended, (table.stop_frame, table.ion), 1)
    count, arrived = np.cumsum(begun, axis=0)[:-1], np.cumsum(ended, axis=0)[:-1]
    numbers: IntArray = np.where(count == arrived, count, -1)
    return numbers
