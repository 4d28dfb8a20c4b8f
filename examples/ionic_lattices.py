"""Lattices of the ionic models: immobile frameworks, and the sites that lithium can take in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from ase import Atoms

Points = tuple[tuple[float, float, float], ...]


@dataclass(frozen=True)
class Lattice:
    """A family of materials.

    :param cell: lengths (in units of the first) and angles (degree) of the conventional cell.
    :param sites: fractional positions of ``X`` (anions), ``M`` (immobile cations) and ``Li`` in it.
    :param spacing: distance of neighbouring anions in units of the first length.
    :param multiples: how often the cell is repeated.
    :param fills: parts of the lithium sites that may be taken.
    :param charge_M: formal charge of the immobile cation, e.
    :param sizes: the drawn size of lithium, as a part of its distance to an anion: what makes it slow or fast.
    """

    cell: tuple[float, float, float, float, float, float]
    sites: Mapping[str, Points]
    spacing: float
    multiples: tuple[int, int, int]
    fills: tuple[float, ...]
    sizes: tuple[float, float]
    charge_M: float = 0.0


FCC: Points = ((0, 0, 0), (0.5, 0.5, 0), (0.5, 0, 0.5), (0, 0.5, 0.5))


def _shifted(points: Points, x: float, y: float, z: float) -> Points:
    return tuple(((a + x) % 1.0, (b + y) % 1.0, (c + z) % 1.0) for a, b, c in points)


_TETRAHEDRA = _shifted(FCC, 0.25, 0.25, 0.25), _shifted(FCC, 0.75, 0.75, 0.75)
_OCTAHEDRA = _shifted(FCC, 0.5, 0.5, 0.5)
_BCC_TETRAHEDRA: Points = tuple(
    point
    for a in (0.25, 0.75)
    for point in ((0.5, a, 0.0), (0.0, a, 0.5), (a, 0.5, 0.0), (a, 0.0, 0.5), (0.5, 0.0, a), (0.0, 0.5, a))
)
_HCP: Points = ((1 / 3, 2 / 3, 0.25), (2 / 3, 1 / 3, 0.75))
_HCP_TETRAHEDRA: Points = tuple((x, y, (z + dz) % 1.0) for x, y, z in _HCP for dz in (0.375, 0.625))
_CUBIC = (1.0, 1.0, 1.0, 90.0, 90.0, 90.0)
_HEXAGONAL = (1.0, 1.0, 1.633, 90.0, 90.0, 120.0)
_CLOSE = 0.5**0.5
_FACES: Points = ((0.5, 0.5, 0), (0.5, 0, 0.5), (0, 0.5, 0.5))

LATTICES: Mapping[str, Lattice] = {
    "antifluorite": Lattice(
        _CUBIC,
        {"X": FCC, "Li": _TETRAHEDRA[0] + _TETRAHEDRA[1]},
        _CLOSE,
        (2, 2, 2),
        (1.0, 0.97, 0.9, 0.75, 0.6, 0.5, 0.4, 0.3),
        (0.72, 1.1),
    ),
    "zincblende": Lattice(
        _CUBIC, {"X": FCC, "Li": _TETRAHEDRA[0]}, _CLOSE, (2, 2, 2), (1.0, 0.94, 0.8, 0.6), (0.75, 1.1)
    ),
    "rocksalt": Lattice(_CUBIC, {"X": FCC, "Li": _OCTAHEDRA}, _CLOSE, (2, 2, 2), (1.0, 0.94, 0.8, 0.6), (0.6, 0.92)),
    "wurtzite": Lattice(
        _HEXAGONAL, {"X": _HCP, "Li": _HCP_TETRAHEDRA[::2]}, 1.0, (3, 3, 2), (1.0, 0.94, 0.8, 0.6), (0.75, 1.05)
    ),
    "hcp": Lattice(_HEXAGONAL, {"X": _HCP, "Li": _HCP_TETRAHEDRA}, 1.0, (3, 3, 2), (0.25, 0.4, 0.5, 0.6), (0.75, 1.02)),
    "CsCl": Lattice(
        _CUBIC,
        {"X": ((0, 0, 0),), "M": ((0.5, 0.5, 0.5),), "Li": _BCC_TETRAHEDRA},
        1.0,
        (3, 3, 3),
        (1 / 12, 0.125, 1 / 6),
        (0.8, 1.18),
        charge_M=-0.5,
    ),
    "antiperovskite": Lattice(
        _CUBIC,
        {"X": ((0, 0, 0),), "M": ((0.5, 0.5, 0.5),), "Li": _FACES},
        1.0,
        (3, 3, 3),
        (1.0, 0.97, 0.9, 0.8, 0.67),
        (0.6, 0.85),
        charge_M=-1.0,
    ),
    "stuffed fluorite": Lattice(
        _CUBIC,
        {"M": FCC, "X": _TETRAHEDRA[0] + _TETRAHEDRA[1], "Li": _OCTAHEDRA},
        0.5,
        (2, 2, 2),
        (0.25, 0.5, 0.75, 1.0),
        (0.35, 0.6),
        charge_M=2.0,
    ),
    "half Heusler": Lattice(
        _CUBIC,
        {"X": FCC, "M": _TETRAHEDRA[0], "Li": _TETRAHEDRA[1]},
        _CLOSE,
        (2, 2, 2),
        (0.5, 0.7, 0.9, 1.0),
        (0.4, 0.75),
        charge_M=1.0,
    ),
    "halide": Lattice(
        _CUBIC,
        {"X": FCC, "M": ((0.5, 0.5, 0.5),), "Li": _OCTAHEDRA[1:] + _TETRAHEDRA[0]},
        _CLOSE,
        (2, 2, 2),
        (0.2, 0.3, 0.4),
        (0.65, 1.08),
        charge_M=2.0,
    ),
    "spinel": Lattice(
        _CUBIC,
        {"X": FCC, "M": _OCTAHEDRA[:2], "Li": _TETRAHEDRA[0] + _TETRAHEDRA[1]},
        _CLOSE,
        (2, 2, 2),
        (0.125, 0.2, 0.3, 0.4),
        (0.7, 1.05),
        charge_M=1.5,
    ),
}


def build(
    lattice: Lattice, spacing_A: float, fill: float, names: Mapping[str, str], random: np.random.Generator
) -> Atoms:
    """Return a supercell with lithium on a part of its sites.

    :param spacing_A: distance of neighbouring anions, angstrom.
    :param fill: part of the lithium sites that is taken.
    :param names: element that stands for ``X`` and ``M``.
    :param random: chooses the sites that stay empty.
    """
    cell = [*(np.array(lattice.cell[:3]) * spacing_A / lattice.spacing), *lattice.cell[3:]]
    kinds = []
    for kind, points in lattice.sites.items():
        sites = Atoms([names.get(kind, kind)] * len(points), scaled_positions=points, cell=cell, pbc=True)
        sites = sites.repeat(lattice.multiples)
        n_taken = round(fill * len(sites)) if kind == "Li" else len(sites)
        kinds.append(sites[np.sort(random.permutation(len(sites))[:n_taken])])
    kinds.sort(key=lambda atoms: atoms.symbols[0] == "Li")
    return sum(kinds[1:], start=kinds[0])
