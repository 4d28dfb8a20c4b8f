"""Configurations for labels: displaced and strained copies of a crystal, and frames with one pair pushed together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import ClassVar, NamedTuple

import numpy as np
from ase import Atoms
from ase.neighborlist import neighbor_list
from numpy.typing import NDArray

from aiida_ion.settings.lists import Many
from aiida_ion.settings.rules import MAX_SEED, Number
from aiida_ion.settings.schema import Settings, number, setting, whole
from aiida_ion.settings.values import SettingsError
from aiida_ion.training.coverage import pair_name

FloatArray = NDArray[np.float64]
#: Pairs are looked for up to these distances, one after the other, angstrom.
CUTOFFS_A = (4.0, 6.0, 9.0, 13.5)
#: So many pairs of a kind are tried before a push is given up.
MAX_TRIED = 20


@dataclass(frozen=True)
class GenerateSettings(Settings):
    """Displaced and strained copies of a crystal."""

    what: ClassVar[str] = "setting of generated frames"

    n_rattled: int = whole(12, help="Copies of the cell as it is, atoms displaced", least=0, most=10_000)
    n_strained: int = whole(12, help="Copies in strained cells, atoms displaced too", least=0, most=10_000)
    smallest_A: float = number(
        0.05, help="Smallest standard deviation of a Cartesian component", above=0.0, most=1.0, unit="angstrom"
    )
    largest_A: float = number(0.15, help="Largest one; copies are spread evenly", above=0.0, most=1.0, unit="angstrom")
    strain: float = number(
        0.015, help="Components of the strain are drawn evenly from minus to plus this", least=0.0, most=0.2
    )
    seed: int = whole(1, help="Seed", least=0, most=MAX_SEED)

    def check_together(self) -> None:
        """Refuse no frames at all, and limits in the wrong order.

        :raises SettingsError: saying which.
        """
        if not self.n_rattled + self.n_strained:
            raise SettingsError("n_rattled and n_strained are both 0: that is no frame")
        if self.smallest_A > self.largest_A:
            raise SettingsError(f"smallest_A = {self.smallest_A:g} is above largest_A = {self.largest_A:g}")


@dataclass(frozen=True)
class PushSettings(Settings):
    """Frames with one pair pushed together."""

    what: ClassVar[str] = "setting of pushed pairs"

    fractions: list[float] = setting(
        Many(
            item=Number(above=0.3, below=1.0),
            most=20,
            help="Distances to push to, as fractions of the closest of that pair of elements seen",
        ),
        [0.95, 0.85, 0.75],
    )
    max_frames: int = whole(
        50, help="Frames that are looked at, evenly spread over all trajectories", least=1, most=10_000
    )
    seed: int = whole(1, help="Seed of the frame that each pair is taken from", least=0, most=MAX_SEED)


class Pushed(NamedTuple):
    """A frame with one pair pushed together.

    :param frame: index of the frame it was made from.
    :param pair: such as ``Li-O``.
    :param atoms: the two atoms.
    :param distance_A: their distance now, angstrom.
    :param positions: of all atoms, (N, 3), angstrom.
    """

    frame: int
    pair: str
    atoms: tuple[int, int]
    fraction: float
    distance_A: float
    positions: FloatArray


def strains(n: int, largest: float, seed: int) -> FloatArray:
    """Return symmetric strains, (n, 3, 3), whose components are drawn evenly from minus to plus the largest."""
    drawn = np.random.default_rng([seed, 1]).uniform(-largest, largest, size=(n, 3, 3))
    upper = np.triu(drawn)
    symmetric: FloatArray = upper + np.triu(drawn, 1).transpose(0, 2, 1)
    return symmetric


def amplitudes(n: int, smallest_A: float, largest_A: float) -> list[float]:
    """Return n standard deviations, evenly spread, angstrom."""
    return [float(value) for value in np.linspace(smallest_A, largest_A, n)] if n else []


def pushed_pairs(
    symbols: Sequence[str], positions: FloatArray, cells: FloatArray, settings: PushSettings
) -> tuple[list[Pushed], list[str]]:
    """Push one pair of each kind together in each of several frames; the other atoms stay where they are.

    Both atoms move by half along the line between them. A pair whose atoms would come closer to a third atom than the
    smallest fraction allows is left for the next one.

    :param symbols: element of each of N atoms.
    :param positions: (n, N, 3), angstrom; ``cells`` (n, 3, 3).
    :returns: a frame for each kind of pair and fraction, and what was left out, in words.
    """
    frames = [Atoms(symbols, positions=one, cell=cell, pbc=True) for one, cell in zip(positions, cells, strict=True)]
    closest = closest_seen(frames)
    rng = np.random.default_rng(settings.seed)
    found: list[Pushed] = []
    left_out: list[str] = []
    for one, other in combinations_with_replacement(sorted(set(symbols)), 2):
        name = pair_name(one, other)
        if name not in closest:
            left_out.append(f"{name}: no such pair within {CUTOFFS_A[-1]:g} angstrom")
            continue
        for fraction in settings.fractions:
            start = int(rng.integers(len(frames)))
            order = [(start + shift) % len(frames) for shift in range(len(frames))]
            pushed = _push(frames, order, name, fraction, closest, min(settings.fractions))
            if pushed is None:
                left_out.append(f"{name} at {fraction:g}: every pair tried comes too close to a third atom")
            else:
                found.append(pushed)
    return found, left_out


def closest_seen(frames: Sequence[Atoms]) -> dict[str, float]:
    """Return the shortest distance between two different atoms of each pair of elements, over frames, angstrom."""
    closest: dict[str, float] = {}
    kinds = {pair_name(*pair) for pair in combinations_with_replacement(sorted(set(frames[0].symbols)), 2)}
    for cutoff in CUTOFFS_A:
        missing = kinds - set(closest)
        for atoms in frames if missing else ():
            for name in missing:
                pairs = _pairs(atoms, name, cutoff)
                if pairs:
                    closest[name] = min(pairs[0][0], closest.get(name, np.inf))
    return closest


def _push(
    frames: Sequence[Atoms],
    order: Sequence[int],
    name: str,
    fraction: float,
    closest: Mapping[str, float],
    smallest_fraction: float,
) -> Pushed | None:
    """Return the first frame, in an order, in which a pair of this kind can be pushed."""
    target_A = fraction * closest[name]
    for index in order[:MAX_TRIED]:
        atoms = frames[index]
        pairs = next((pairs for cutoff in CUTOFFS_A if (pairs := _pairs(atoms, name, cutoff))), [])
        for distance, i, j, vector in pairs[:MAX_TRIED]:
            if distance <= target_A:
                continue
            moved = atoms.positions.copy()
            step = 0.5 * (1.0 - target_A / distance) * np.array(vector)
            moved[i] += step
            moved[j] -= step
            if not _crowded(atoms, moved, (i, j), closest, smallest_fraction):
                return Pushed(index, name, (i, j), fraction, target_A, moved)
    return None


def _pairs(atoms: Atoms, name: str, cutoff_A: float) -> list[tuple[float, int, int, FloatArray]]:
    """Return pairs of different atoms of a kind, closest first: distance, both atoms, vector from one to the other."""
    one, other = name.split("-")
    first, second, distances, vectors = neighbor_list("ijdD", atoms, cutoff_A)
    symbols = np.array(atoms.symbols)
    mine = (symbols[first] == one) & (symbols[second] == other) & (first != second)
    mine &= (first < second) | (one != other)
    rows = np.flatnonzero(mine)
    rows = rows[np.argsort(distances[rows], kind="stable")]
    return [(float(distances[k]), int(first[k]), int(second[k]), vectors[k]) for k in rows]


def _crowded(
    atoms: Atoms, positions: FloatArray, pair: tuple[int, int], closest: Mapping[str, float], fraction: float
) -> bool:
    """Whether one of two moved atoms is closer to a third than a fraction of the closest of that kind seen."""
    moved = Atoms(atoms.symbols, positions=positions, cell=atoms.cell, pbc=True)
    symbols = atoms.get_chemical_symbols()
    first, second, distances = neighbor_list("ijd", moved, max(closest.values()))
    for i, j, distance in zip(first, second, distances, strict=True):
        third = i in pair and j not in pair
        if third and distance < fraction * closest.get(pair_name(symbols[i], symbols[j]), 0.0):
            return True
    return False
