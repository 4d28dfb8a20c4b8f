"""Statements of a CIF about its crystal besides the atoms: formula, Z, volume, density, bonds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pymatgen.core.composition import Composition

from aiida_ion.crystal_files.cif_text import Block
from aiida_ion.crystal_files.numbers import number
from aiida_ion.crystal_files.species import ELEMENTS, ISOTOPES

PART = re.compile(r"([A-Z][a-z]?)(\d*\.?\d*)")


@dataclass(frozen=True)
class StatedContents:
    """Statements of a file; ``None`` or empty if absent.

    :param formula: atoms of each element in a formula unit.
    :param cell_formula: contents of the whole cell, if the program that wrote the file states these.
    :param z: formula units in the cell.
    :param volume_A3: of the cell, angstrom^3.
    :param density_g_cm3: from diffraction, g/cm^3.
    :param weight: of a formula unit, g/mol.
    :param n_deuterium: hydrogen atoms of a formula unit stated as D.
    """

    formula: Mapping[str, float] = field(default_factory=dict)
    cell_formula: Mapping[str, float] = field(default_factory=dict)
    z: float | None = None
    volume_A3: float | None = None
    density_g_cm3: float | None = None
    weight: float | None = None
    n_deuterium: float = 0.0


def read_stated(block: Block, notes: list[str]) -> StatedContents:
    """Read the statements of a block.

    :param notes: collects statements that cannot be read.
    """
    text = block.stated("_chemical_formula_sum") or ""
    formula = _formula(text, notes) if text else {}
    z = _number(block, notes, "_cell_formula_units_z")
    # pymatgen writes the whole cell as the sum, and Z of the structural formula.
    unit = _structural(block.stated("_chemical_formula_structural") or text)
    whole = z is not None and z > 1 and _equal(formula, {name: n * z for name, n in unit.items()})
    return StatedContents(
        formula=formula,
        cell_formula=formula if whole else {},
        z=z,
        volume_A3=_number(block, notes, "_cell_volume"),
        density_g_cm3=_number(block, notes, "_exptl_crystal_density_diffrn"),
        weight=_number(block, notes, "_chemical_formula_weight"),
        n_deuterium=sum(float(n or 1) for name, n in PART.findall(text) if name == "D"),
    )


def _number(block: Block, notes: list[str], name: str) -> float | None:
    text = block.stated(name)
    if text is None:
        return None
    try:
        value = number(text, name)
    except ValueError as error:
        notes.append(f"{error}; it was not compared")
        return None
    if value <= 0:
        notes.append(f"{name} is {value:g}; it was not compared")
        return None
    return value


def _formula(text: str, notes: list[str]) -> dict[str, float]:
    """Return the atoms of each element of a plain sum such as ``Li2 O`` or ``Li2O1``; empty for anything else."""
    plain = re.sub(r"[\s'~_]", "", text)
    atoms: dict[str, float] = {}
    parts = PART.findall(plain)
    if not parts or "".join(name + count for name, count in parts) != plain:
        parts = _with_brackets(text)
    for name, count in parts:
        element = ISOTOPES.get(name, name)
        if element not in ELEMENTS:
            parts = []
            break
        atoms[element] = atoms.get(element, 0.0) + float(count or 1)
    if not parts:
        notes.append(f"the formula {text!r} cannot be read and was not compared")
        return {}
    return atoms


def _with_brackets(text: str) -> list[tuple[str, str]]:
    """Return the atoms of a formula with brackets, such as ``Li (P O3)3``; empty if invalid."""
    try:
        return [(str(element), f"{count:.6g}") for element, count in Composition(text).items()]
    except (ValueError, KeyError):  # pymatgen raises these for a formula it cannot read
        return []


def _structural(text: str) -> dict[str, float]:
    """Return the atoms of the smallest whole formula, brackets resolved; empty if invalid."""
    try:
        reduced = Composition(text).reduced_composition
        return {element.symbol: float(count) for element, count in reduced.items()}
    except (ValueError, KeyError, AttributeError):  # pymatgen raises these for a formula it cannot read
        return {}


def _equal(first: Mapping[str, float], second: Mapping[str, float]) -> bool:
    names = {*first, *second}
    return bool(names) and all(abs(first.get(name, 0) - second.get(name, 0)) < 0.01 for name in names)
