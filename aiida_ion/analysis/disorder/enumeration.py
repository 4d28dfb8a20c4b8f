"""Every arrangement of a small lattice, and which of them symmetry makes equal."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
import spglib

from aiida_ion.analysis.disorder.crystal import SYMPREC_A, spglib_call
from aiida_ion.analysis.disorder.lattice import EMPTY, Lattice, States
from aiida_ion.analysis.disorder.refusal import OrderingRefused

IntArray = npt.NDArray[np.int64]
Arrangements = npt.NDArray[np.int8]

#: More arrangements than this are drawn and not enumerated.
MAX_ARRANGEMENTS = 20_000
#: Up to so many are counted for every ensemble.
MAX_COUNTED = 2000


@dataclass(frozen=True)
class Classes:
    """Arrangements that symmetry does not make equal.

    :param states: one of each class, (classes, n).
    :param degeneracies: arrangements in each class, (classes,).
    """

    states: Arrangements
    degeneracies: IntArray


def log10_arrangements(lattice: Lattice) -> float:
    """Return the decimal logarithm of the number of arrangements, without any rule of distances."""
    return sum(math.log10(number) for number in _choices(lattice))


def _choices(lattice: Lattice) -> Iterator[int]:
    filled = 0
    for index, numbers in enumerate(lattice.contents):
        left = int((lattice.orbit_of == index).sum())
        for number in numbers.values():
            yield math.comb(left, number)
            left -= number
            filled += number
    n_open, n_mobile = _open_numbers(lattice)
    yield math.comb(n_open, n_mobile)


def _open_numbers(lattice: Lattice) -> tuple[int, int]:
    """Return the free places of the mobile ions, and the ions on them."""
    taken = _taken(lattice, lattice.open_places)
    rest = len(lattice.filled) - _taken(lattice, lattice.filled)
    return len(lattice.open_places) - taken, lattice.n_mobile - rest


def _taken(lattice: Lattice, places: IntArray) -> int:
    orbits = set(lattice.orbit_of[places].tolist())
    return sum(sum(lattice.contents[orbit].values()) for orbit in orbits)


def enumerate_arrangements(lattice: Lattice, most: int = MAX_ARRANGEMENTS) -> Arrangements:
    """Return all arrangements with the right numbers, (m, n), without any rule of distances.

    :raises OrderingRefused: for more than ``most``.
    """
    if log10_arrangements(lattice) > math.log10(most) + 1e-9:
        raise OrderingRefused(
            "size", f"10^{log10_arrangements(lattice):.1f} arrangements are more than the {most} that can be enumerated"
        )
    states = [np.zeros(len(lattice.places), dtype=np.int8)]
    for index, numbers in enumerate(lattice.contents):
        for element, number in sorted(numbers.items()):
            kind = 1 + lattice.elements.index(element)
            own = np.flatnonzero(lattice.orbit_of == index)
            states = [new for state in states for new in _filled(state, own, number, kind)]
    return np.array([new for state in states for new in _with_mobile(lattice, state)])


def _filled(state: States, places: IntArray, number: int, kind: int) -> Iterator[States]:
    free = places[state[places] == EMPTY]
    for chosen in combinations(free.tolist(), number):
        new = state.copy()
        new[list(chosen)] = kind
        yield new


def _with_mobile(lattice: Lattice, state: States) -> Iterator[States]:
    state = state.copy()
    rest = lattice.filled[state[lattice.filled] == EMPTY]
    state[rest] = lattice.mobile
    return _filled(state, lattice.open_places, lattice.n_mobile - len(rest), lattice.mobile)


def symmetry_permutations(lattice: Lattice) -> IntArray:
    """Return where each symmetry operation of the lattice of places puts each place, (operations, n)."""
    data = spglib_call(spglib.get_symmetry, (lattice.cell, lattice.places, lattice.orbit_of), symprec=SYMPREC_A)
    if data is None:
        return np.arange(len(lattice.places))[None]
    permutations = []
    for rotation, translation in zip(data["rotations"], data["translations"], strict=True):
        steps = (lattice.places @ rotation.T + translation)[:, None] - lattice.places[None]
        steps -= np.rint(steps)
        distances_A = np.linalg.norm(steps @ lattice.cell, axis=2)
        index = distances_A.argmin(axis=1)
        if distances_A.min(axis=1).max() < 10.0 * SYMPREC_A and len(set(index.tolist())) == len(index):
            permutations.append(index)
    return np.array(permutations, dtype=np.int64)


def classes_of(states: Arrangements, permutations: IntArray) -> Classes:
    """Return one arrangement of each class, and how many are in it.

    :param states: all arrangements, (m, n).
    :param permutations: of :func:`symmetry_permutations`, (operations, n).
    """
    seen: dict[bytes, int] = {}
    firsts: list[int] = []
    degeneracies: list[int] = []
    for row, state in enumerate(states):
        key = state.tobytes()
        if key not in seen:
            for image in state[permutations]:
                seen[image.tobytes()] = len(firsts)
            firsts.append(row)
            degeneracies.append(0)
        degeneracies[seen[key]] += 1
    return Classes(states[firsts], np.array(degeneracies, dtype=np.int64))


def count_inequivalent(lattice: Lattice, most: int = MAX_COUNTED) -> int | None:
    """Return how many arrangements symmetry does not make equal; ``None`` where there are more than ``most`` in all."""
    if log10_arrangements(lattice) > math.log10(most):
        return None
    return len(classes_of(enumerate_arrangements(lattice, most), symmetry_permutations(lattice)).states)
