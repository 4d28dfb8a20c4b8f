"""The framework as units that must stay in place: polyanions as a whole, all other atoms individually.

A rotating polyanion moves its outer atoms by several angstrom while the crystal stays solid and its centre at rest.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from ase.data import atomic_numbers, covalent_radii

from aiida_ion.analysis.checks.sampled_frames import FloatArray, IntArray, SampledFrames, neighbours
from aiida_ion.settings.md import NON_METALS

#: Atoms closer than this multiple of the sum of their covalent radii are bonded, unless both are metals.
BOND_RATIO = 1.25
#: Parts of a run over which positions are averaged.
N_WINDOWS = 20
#: First search radius for neighbours of the same kind, and the smallest distance assigned to coinciding units,
#: angstrom.
FIRST_REACH_A, NEAREST_A = 12.0, 0.5


@dataclass(frozen=True)
class Bonds:
    """Pairs of framework atoms bonded at the start.

    :param first: indices of atoms, (b,).
    :param second: likewise.
    :param images: cell vectors to add to the second, (b, 3).
    """

    first: IntArray
    second: IntArray
    images: IntArray

    def __len__(self) -> int:
        return len(self.first)

    def lengths_A(self, positions: FloatArray, cells: FloatArray) -> FloatArray:  # noqa: N802
        """Length of every bond in every frame, angstrom, (n, b).

        :param positions: unwrapped, angstrom, (n, N, 3). :param cells: angstrom, (n, 3, 3).
        """
        shifts = np.einsum("bi,tij->tbj", self.images.astype(float), cells)
        lengths: FloatArray = np.linalg.norm(positions[:, self.second] + shifts - positions[:, self.first], axis=2)
        return lengths


@dataclass(frozen=True)
class Units:
    """Units of the framework.

    :param kinds: formula of each unit, (u,).
    :param centres: unwrapped, angstrom, (n, u, 3), of the units joined across cell faces.
    :param spacing_A: median distance to the nearest unit of the same kind at the start, for each kind.
    """

    kinds: npt.NDArray[np.str_]
    centres: FloatArray
    spacing_A: dict[str, float]

    def of(self, kind: str) -> FloatArray:
        """Centres of one kind, angstrom, (n, k, 3)."""
        chosen: FloatArray = self.centres[:, self.kinds == kind]
        return chosen


def covalent_radii_A(symbols: tuple[str, ...]) -> FloatArray:  # noqa: N802
    """Covalent radius of each atom, angstrom, (N,) (Cordero et al. 2008, as ASE has them)."""
    radii: FloatArray = np.array([covalent_radii[atomic_numbers[symbol]] for symbol in symbols])
    return radii


def find_bonds(sampled: SampledFrames) -> Bonds:
    """Find the bonds within the framework in the first frame."""
    chosen = np.flatnonzero(sampled.is_framework)
    symbols = tuple(sampled.symbols[k] for k in chosen)
    if not symbols:
        return Bonds(*(np.zeros(shape, dtype=np.int64) for shape in ((0,), (0,), (0, 3))))
    radii, metal = covalent_radii_A(symbols), np.array([symbol not in NON_METALS for symbol in symbols])
    reach = 2.0 * BOND_RATIO * float(radii.max())
    first, second, images, distances = neighbours(sampled.positions[0, chosen], sampled.cells[0], reach)
    bonded = distances < BOND_RATIO * (radii[first] + radii[second])
    bonded &= ~(metal[first] & metal[second])
    bonded &= first <= second  # each bond appears from either end, bonds to an atom's own image twice
    return Bonds(chosen[first[bonded]], chosen[second[bonded]], images[bonded])


def find_units(sampled: SampledFrames, bonds: Bonds) -> Units:
    """Split the framework into polyanions and single atoms.

    Atoms joined by bonds are one unit if it is finite; in a network that extends through the whole crystal each atom is
    its own unit.
    """
    chosen = np.flatnonzero(sampled.is_framework)
    units = [unit for group in _components(chosen, bonds) for unit in group]
    centres = np.empty((len(sampled.positions), len(units), 3))
    kinds = []
    for number, unit in enumerate(units):
        atoms = np.array(list(unit))
        shifts = np.einsum("ai,tij->taj", np.array(list(unit.values()), dtype=float), sampled.cells)
        centres[:, number] = (sampled.positions[:, atoms] + shifts).mean(axis=1)
        kinds.append(_formula([sampled.symbols[atom] for atom in atoms]))
    names = np.array(kinds, dtype=np.str_)
    start = centres[: max(1, len(centres) // N_WINDOWS)].mean(axis=0)
    spacing = {kind: _spacing(start[names == kind], sampled.cells[0]) for kind in sorted(set(kinds))}
    return Units(names, centres, spacing)


def _components(atoms: IntArray, bonds: Bonds) -> list[list[dict[int, tuple[int, ...]]]]:
    """Units of each connected group: a single one with the image of each atom, or separate atoms if it is infinite."""
    joined: dict[int, list[tuple[int, IntArray]]] = {int(atom): [] for atom in atoms}
    for first, second, image in zip(bonds.first, bonds.second, bonds.images, strict=True):
        joined[int(first)].append((int(second), image))
        joined[int(second)].append((int(first), -image))
    groups: list[list[dict[int, tuple[int, ...]]]] = []
    seen: set[int] = set()
    for start in joined:
        if start in seen:
            continue
        unit, endless = _follow(start, joined)
        seen |= set(unit)
        groups.append([{atom: (0, 0, 0)} for atom in unit] if endless else [unit])
    return groups


def _follow(start: int, joined: dict[int, list[tuple[int, IntArray]]]) -> tuple[dict[int, tuple[int, ...]], bool]:
    """The atoms connected to a start atom, each with its image, and whether any atom is reached in two images."""
    images: dict[int, tuple[int, ...]] = {start: (0, 0, 0)}
    waiting, endless = [start], False
    while waiting:
        atom = waiting.pop()
        for other, image in joined[atom]:
            there = tuple(int(a + b) for a, b in zip(images[atom], image, strict=True))
            if other not in images:
                images[other] = there
                waiting.append(other)
            endless = endless or images[other] != there
    return images, endless


def _formula(symbols: list[str]) -> str:
    return "".join(f"{symbol}{n if n > 1 else ''}" for symbol, n in sorted(Counter(symbols).items()))


def _spacing(centres: FloatArray, cell: FloatArray) -> float:
    """Median distance to the nearest unit of the same kind, including a unit's own images, angstrom."""
    farthest = 1.01 * float(np.linalg.norm(cell, axis=1).min())  # the unit's own image lies within this
    reach = min(FIRST_REACH_A, farthest)
    nearest = np.full(len(centres), np.inf)
    while True:
        first, _, _, distances = neighbours(centres, cell, reach)
        np.minimum.at(nearest, first, distances)
        if reach >= farthest or np.isfinite(nearest).all():
            return max(float(np.median(nearest)), NEAREST_A)
        reach = min(2.0 * reach, farthest)
