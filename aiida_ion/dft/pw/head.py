"""The head of a pw.x output: cell, atoms, species, and units of length."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from ase import units
from ase.data import atomic_masses, atomic_numbers

from aiida_ion.dft.pw.tables import FloatArray

#: Names of hydrogen's isotopes -> element and mass, g/mol.
ISOTOPES = {"D": ("H", 2.01410178), "T": ("H", 3.01604928)}
#: Tolerance between cell and stated volume: the axes have six digits.
VOLUME_TOLERANCE = 1e-3


@dataclass(frozen=True)
class PwHead:
    """The crystal of a run.

    :param labels: the species of each of N atoms, as named in the input.
    :param symbols: element of each atom.
    :param masses: shape (N,), g/mol, from the output, else from ASE.
    :param cell: shape (3, 3), angstrom, rows are the vectors.
    :param alat_A: the lattice parameter ``alat``, angstrom.
    :param positions: shape (N, 3), angstrom, from the input; a restarted run starts elsewhere.
    """

    labels: list[str]
    symbols: list[str]
    masses: FloatArray
    cell: FloatArray
    alat_A: float
    positions: FloatArray

    def in_angstrom(self, positions: FloatArray, unit: str) -> FloatArray:
        """Convert positions, shape (..., N, 3), from any unit of pw.x to angstrom.

        :param unit: that of the card ATOMIC_POSITIONS; pw.x uses ``alat`` if there is none.
        :raises ValueError: for a unit that pw.x does not have.
        """
        return in_angstrom(positions, unit, self.cell, self.alat_A)


def in_angstrom(positions: FloatArray, unit: str, cell: FloatArray, alat_A: float | None) -> FloatArray:
    """Convert positions, shape (..., N, 3), from any unit of pw.x to angstrom.

    :param cell: shape (3, 3), angstrom.
    :param alat_A: lattice parameter, angstrom; ``None`` if no unit needs it.
    :raises ValueError: for a unit that pw.x does not have.
    """
    if unit == "angstrom":
        return positions
    if unit == "crystal":
        fractional: FloatArray = positions @ cell
        return fractional
    lengths = {"bohr": units.Bohr, "alat": alat_A, "": alat_A}
    length = lengths.get(unit)
    if length is None:
        raise ValueError(f"its positions are in {unit!r}; angstrom, bohr, alat and crystal are read")
    scaled: FloatArray = positions * length
    return scaled


def read_head(lines: Sequence[str]) -> PwHead:
    """Read the lines before the first self-consistent calculation.

    :raises ValueError: if cell or atoms are missing or inconsistent.
    """
    head = "".join(lines)
    alat_A = _lattice_parameter(head)
    axes = re.findall(r"a\([123]\) = \(([^)]*)\)", head)[:3]
    n_atoms = re.search(r"number of atoms/cell\s+=\s+(\d+)", head)
    if alat_A is None or len(axes) != 3 or n_atoms is None:
        raise ValueError("its head lacks cell or atoms")
    cell = alat_A * _vectors(axes)
    _check_volume(head, cell)
    rows = _sites(head, int(n_atoms[1]))
    labels = [label for label, _ in rows]
    species = read_species(head)
    elements = {label: element_of(label, species) for label in dict.fromkeys(labels)}
    masses = {label: _mass(label, symbol, species) for label, symbol in elements.items()}
    return PwHead(
        labels=labels,
        symbols=[elements[label] for label in labels],
        masses=np.array([masses[label] for label in labels]),
        cell=cell,
        alat_A=alat_A,
        positions=alat_A * _vectors([place for _, place in rows]),
    )


def _lattice_parameter(head: str) -> float | None:
    """Return the lattice parameter, from celldm(1) if it agrees, since it has more digits."""
    alat = re.search(r"lattice parameter \(alat\)\s+=\s+(\d+\.\d+) ", head)
    if alat is None:
        return None
    more = re.search(r"celldm\(1\)=\s*(\d+\.\d+) ", head)
    exact = float(more[1]) if more is not None else np.nan
    given = float(alat[1])
    return float(exact if abs(exact - given) <= 1e-4 else given) * float(units.Bohr)


def _vectors(texts: Sequence[str]) -> FloatArray:
    try:
        return np.array([text.split() for text in texts], dtype=float).reshape(-1, 3)
    except ValueError as error:
        raise ValueError("its head holds cell or positions that are not numbers") from error


def _check_volume(head: str, cell: FloatArray) -> None:
    volume = abs(float(np.linalg.det(cell)))
    stated = re.search(r"unit-cell volume\s+=\s+(\d+\.\d+) ", head)
    if stated is None:
        return
    expected = float(stated[1]) * units.Bohr**3
    if not abs(volume - expected) <= VOLUME_TOLERANCE * expected:
        raise ValueError(f"its axes span {volume:.1f} angstrom^3 but it states a volume of {expected:.1f} angstrom^3")


def _sites(head: str, n_atoms: int) -> list[tuple[str, str]]:
    """Return label and position, in alat, of each atom."""
    begin = head.find("positions (alat units)")
    matches = re.findall(r"^\s+(\d+)\s+(\S+)\s+tau\(\s*\d+\) = \(([^)]*)\)", head[max(begin, 0) :], re.MULTILINE)
    rows = matches[:n_atoms]
    in_order = all(int(number) == row for row, (number, _, _) in enumerate(rows, 1))
    if begin < 0 or len(rows) != n_atoms or not in_order:
        raise ValueError(f"its head does not list its {n_atoms} atoms in order")
    return [(label, place) for _, label, place in rows]


def read_species(head: str) -> dict[str, tuple[str, float]]:
    """Return the element of the pseudopotential and the mass (g/mol) of each species."""
    begin = head.find("atomic species   valence    mass     pseudopotential")
    species: dict[str, tuple[str, float]] = {}
    for line in head[begin:].splitlines()[1:] if begin >= 0 else []:
        row = re.match(r"\s+(\S+)\s+\d+\.\d+\s+(\d+\.\d+)\s+([A-Za-z]+)", line)
        if row is None:
            break
        species[row[1]] = (row[3], float(row[2]))
    return species


def element_of(label: str, species: Mapping[str, tuple[str, float]]) -> str:
    """Return the element of a species, from its pseudopotential, else from its label.

    A label is an element in any case, followed by a number, a letter, or `_` or `-` and anything (pw.x, card
    ATOMIC_SPECIES).

    :raises ValueError: if neither is an element.
    """
    for text in (species[label][0] if label in species else "", label[:2], label[:1]):
        symbol = text.capitalize()
        if atomic_numbers.get(symbol, 0) > 0:
            return symbol
        if symbol in ISOTOPES:
            return ISOTOPES[symbol][0]
    raise ValueError(f"its species {label!r} is not an element, and nothing else in the output names one")


def _mass(label: str, symbol: str, species: Mapping[str, tuple[str, float]]) -> float:
    """Return the mass of a species, g/mol: as stated, else that of its element."""
    if label in species and species[label][1] > 0:
        return species[label][1]
    isotope = ISOTOPES.get(label[:1].upper()) if symbol == "H" else None
    return isotope[1] if isotope is not None else float(atomic_masses[atomic_numbers[symbol]])
