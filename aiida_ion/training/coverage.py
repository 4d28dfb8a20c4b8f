"""What a dataset covers: distances, temperatures, volumes and compositions. A run that leaves it extrapolates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
from ase import Atoms
from ase.neighborlist import neighbor_list

from aiida_ion.training.frames import LabelledFrame, elements_of, of_split

#: Pairs are looked for up to this distance, and further where there are none, angstrom.
FIRST_CUTOFF_A, LAST_CUTOFF_A, GROWTH = 4.0, 13.5, 1.5


def coverage(frames: Sequence[LabelledFrame]) -> dict[str, Any]:
    """Return what frames cover, for the attributes of a dataset.

    :returns: ``compositions`` (each a mapping of elements to numbers), ``temperatures_K``, ``volumes_A3_atom``
        ([smallest, largest]) of all frames, and ``closest_pairs_A`` of the train split.
    """
    volumes = [abs(float(np.linalg.det(frame.cell))) / len(frame.symbols) for frame in frames]
    compositions = {tuple(frame.composition.items()): frame.composition for frame in frames}
    return {
        "compositions": [compositions[key] for key in sorted(compositions)],
        "temperatures_K": sorted({frame.temperature_K for frame in frames if frame.temperature_K is not None}),
        "volumes_A3_atom": [min(volumes), max(volumes)],
        "closest_pairs_A": closest_pairs(of_split(frames, "train") or frames),
    }


def closest_pairs(frames: Sequence[LabelledFrame]) -> dict[str, float]:
    """Return the shortest distance of each pair of elements over frames, angstrom, periodic images included.

    :returns: by names such as ``Li-O``, elements in alphabetical order; a pair that is nowhere within 13.5 angstrom is
        left out.
    """
    closest: dict[str, float] = {}
    every_pair = {pair_name(*pair) for pair in combinations_with_replacement(elements_of(frames), 2)}
    cutoff = FIRST_CUTOFF_A
    while cutoff <= LAST_CUTOFF_A and every_pair - set(closest):
        missing = every_pair - set(closest)
        for frame in frames:
            for name, distance in _closest_in(frame, cutoff, missing).items():
                closest[name] = min(distance, closest.get(name, np.inf))
        cutoff *= GROWTH
    return dict(sorted(closest.items()))


def _closest_in(frame: LabelledFrame, cutoff_A: float, names: Set[str]) -> Mapping[str, float]:
    """Return the shortest distance of some pairs in a frame; only their elements are looked at."""
    symbols = np.array(frame.symbols)
    chosen = np.isin(symbols, sorted({element for name in names for element in name.split("-")}))
    atoms = Atoms(symbols[chosen], positions=frame.positions[chosen], cell=frame.cell, pbc=True)
    first, second, distance = neighbor_list("ijd", atoms, cutoff_A)
    symbols = symbols[chosen]
    shortest: dict[str, float] = {}
    for name in sorted(names):
        one, other = name.split("-")
        mine = distance[(symbols[first] == one) & (symbols[second] == other)]
        if len(mine):
            shortest[name] = float(mine.min())
    return shortest


def pair_name(one: str, other: str) -> str:
    """Return the name of a pair of elements, such as ``Li-O``."""
    return "-".join(sorted((one, other)))
