"""Plausibility of frames as those of a crystal: cell, density, order of the atoms."""

from __future__ import annotations

import numpy as np
from ase.data import atomic_masses, atomic_numbers
from numpy.typing import NDArray

from aiida_ion.trajectory_files.frames import FileFrames
from aiida_ion.trajectory_files.run_facts import OVERRIDE
from aiida_ion.trajectory_files.wrapping import Steps, apart
from aiida_ion.units import G_CM3_PER_U_A3

#: Mass density, g/cm^3: a warning beyond the inner two, an error beyond the outer two.
DENSITIES = (0.01, 0.15, 25.0, 60.0)
#: Number of frames at which the order of the atoms is checked.
LOOKED_AT = 8
#: Atoms compared with all others of their element at a time.
MOST_ATOMS = 2000
#: Atoms that swap places move more than this along an axis, angstrom: no two atoms are this close.
SWAP_A = 0.35
#: An atom is at a site if it is closer than this fraction of the distance between atoms of its element.
NEAR_PART = 0.25
#: Fewest atoms of an element to distinguish order from chance.
FEWEST_ALIKE = 4
#: Total number of pairs of atoms compared.
MOST_PAIRS = 2e9
#: Allowed fraction of the atoms of an element that are closer to another atom's previous position than to their own.
MOST_SWAPPED = 0.5
#: Relative change of the volume that causes a warning.
VOLUME_CHANGE = 0.1


def check_frames(frames: FileFrames, name: str, override_file: bool = False) -> list[str]:
    """Return remarks on the frames of a file.

    :raises ValueError: if they cannot be frames of a periodic crystal with identified atoms.
    """
    remarks = []
    if not np.isfinite(frames.cells).all():
        raise ValueError(f"{name}: the cell of a frame is not finite")
    volumes = np.abs(np.linalg.det(frames.cells))
    if (volumes < 1e-3).any():
        raise ValueError(f"{name}: no periodic cell; a diffusivity needs a crystal")
    if not all(frames.pbc):
        axes = ", ".join(axis for axis, periodic in zip("abc", frames.pbc, strict=True) if not periodic)
        text = f"{name} states that it is not periodic along {axes}; a diffusivity needs a crystal"
        if not override_file:
            raise ValueError(f"{text}; {OVERRIDE} treats it as periodic")
        remarks.append(f"WARNING: {text}; it is treated as periodic ({OVERRIDE}).")
    remarks += _density(frames, float(volumes.mean()), name)
    change = float(volumes.max() / volumes.min() - 1)
    if change > VOLUME_CHANGE:
        remarks.append(f"WARNING: {name}: the volume of the cell changes by {change:.0%} within the run.")
    return remarks


def _density(frames: FileFrames, volume_A3: float, name: str) -> list[str]:
    mass = float(sum(atomic_masses[atomic_numbers[symbol]] for symbol in frames.symbols))
    density = mass / volume_A3 * G_CM3_PER_U_A3
    lowest, low, high, highest = DENSITIES
    if low <= density <= high:
        return []
    text = f"{name}: the density is {density:.3g} g/cm3 ({volume_A3:.5g} A^3 for {len(frames.symbols)} atoms)"
    if not lowest <= density <= highest:
        raise ValueError(f"{text}, which no crystal has: are lengths and elements right?")
    return [f"WARNING: {text}, which is unusual for a crystal: are lengths (angstrom) and elements right?"]


def check_order(frames: FileFrames, steps: Steps, name: str, override_file: bool = False) -> list[str]:
    """Return remarks on the order of the atoms, which must not change between frames.

    Without ids it is known only if every atom stays closer to its own position than to that of any other.

    :param steps: statistics of the steps between frames.
    :raises ValueError: if the order changes, or may change without ids.
    """
    if frames.ordered or len(frames) < 2:
        return []
    if frames.ordered is None:
        looked_at = np.unique(np.linspace(1, len(frames) - 1, LOOKED_AT).astype(int))
    else:
        looked_at = np.flatnonzero(steps.largest_A > SWAP_A) + 1
        most = max(LOOKED_AT, int(MOST_PAIRS / len(frames.symbols) / min(len(frames.symbols), MOST_ATOMS)))
        looked_at = looked_at[:: -(-len(looked_at) // most)] if len(looked_at) > most else looked_at
    swapped = np.array([_swapped(frames, row) for row in looked_at])
    if frames.ordered is None:
        if not float(np.median(swapped)) > MOST_SWAPPED:
            return []
        text = f"{name}: most atoms are closer to another atom's position in the previous frame than to their own"
        advice = "their order seems to change; write them with ids, or in a fixed order"
    else:
        if not (swapped > 0).any():
            return [f"{name}: the atoms have no ids, but none comes near another's position: the order is fixed."]
        text = (
            f"{name}: the atoms have no ids, and their order changes or cannot be followed (at frame "
            f"{looked_at[int(np.argmax(swapped > 0))]})"
        )
        advice = "write 'dump ... custom ... id type element x y z'"
    if not override_file:
        raise ValueError(f"{text}; {advice}")
    return [f"WARNING: {text}; the order is kept as it is ({OVERRIDE})."]


def _swapped(frames: FileFrames, row: int) -> float:
    """Return the fraction of atoms closer to another's position, for the element with the smallest such fraction."""
    before, after, cell = frames.positions[row - 1], frames.positions[row], frames.cells[row]
    parts = []
    for symbol in dict.fromkeys(frames.symbols):
        mine = np.flatnonzero([other == symbol for other in frames.symbols])
        if len(mine) < (FEWEST_ALIKE if frames.ordered is None else 2):
            continue
        chosen = mine if len(mine) <= MOST_ATOMS else mine[:: -(-len(mine) // MOST_ATOMS)]
        # With rarely stored frames atoms come near each other's positions by chance, but seldom this close.
        spacing_A = float(abs(np.linalg.det(cell)) / len(mine)) ** (1 / 3)
        within_A = NEAR_PART * spacing_A if frames.ordered is None else np.inf
        parts.append(_nearer_to_another(before[mine], after[chosen], np.searchsorted(mine, chosen), cell, within_A))
    if not parts:
        return 0.0
    return min(parts) if frames.ordered is None else max(parts)


def _nearer_to_another(
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    own: NDArray[np.int64],
    cell: NDArray[np.float64],
    within_A: float,
) -> float:
    """Return the fraction of atoms closer to another's position than to their own, and within some distance of it.

    :param before: shape (M, 3), angstrom.
    :param after: shape (K, 3), angstrom, new positions of K of them.
    :param own: shape (K,), the row of each in ``before``.
    :param within_A: that distance, angstrom.
    """
    n_other = 0
    for low in range(0, len(after), 64):
        block = slice(low, low + 64)
        distances = np.linalg.norm(apart(before[None], after[block, None], cell), axis=2)
        n_other += int(((distances.argmin(axis=1) != own[block]) & (distances.min(axis=1) < within_A)).sum())
    return n_other / len(after)
