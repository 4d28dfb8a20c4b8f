"""A crystal checked against its file: composition, number of formula units, volume, density, bonds."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ase.data import atomic_masses, atomic_numbers
from pymatgen.core.structure import Structure

from aiida_ion.analysis.crystals.nearest import shortest_between
from aiida_ion.crystal_files.cif_text import Block
from aiida_ion.crystal_files.expansion import Atoms, Site
from aiida_ion.crystal_files.numbers import number
from aiida_ion.crystal_files.stated import StatedContents
from aiida_ion.units import G_CM3_PER_U_A3

#: Largest difference of equal formulas, as half the sum of differences of atomic fractions.
SAME_COMPOSITION = 0.01
#: Relative differences that are reported, and that indicate another crystal.
WORTH_A_WORD, ANOTHER_CRYSTAL = 0.01, 0.05
#: Mass difference of deuterium and hydrogen, u.
DEUTERIUM_U = 1.006


def disagreements(
    counts: Mapping[str, int], volume_A3: float, stated: StatedContents, notes: list[str] | None = None
) -> list[str]:
    """Return contradictions between a file's statements and its atoms, one sentence each.

    :param counts: atoms of each element in the cell.
    :param notes: collects smaller differences.
    """
    notes = [] if notes is None else notes
    sentences = [*_composition(counts, stated), *_formula_units(counts, stated)]
    sentences += _compare("cell volume", "A^3", volume_A3, stated.volume_A3, notes)
    extra = stated.n_deuterium * (stated.z or 0.0) * DEUTERIUM_U
    mass = sum(atomic_masses[atomic_numbers[name]] * count for name, count in counts.items())
    density = (mass + extra) * G_CM3_PER_U_A3 / volume_A3
    if stated.density_g_cm3 is not None:
        sentences += _compare("density", "g/cm^3", density, stated.density_g_cm3, notes)
    if stated.weight is not None and stated.z is not None and not stated.formula:
        sentences += _compare("mass of the cell", "u", mass, stated.weight * stated.z, notes)
    return sentences


def multiplicity_disagreement(sites: list[Site], atoms: Atoms) -> str | None:
    """Return a sentence on a stated multiplicity that contradicts the atoms, or None."""
    for index, site in enumerate(sites):
        count = int((atoms.sites == index).sum())
        if site.multiplicity is not None and site.multiplicity != count:
            return f"the site {site.label} gives {count} atoms, the file states {site.multiplicity}"
    return None


def _composition(counts: Mapping[str, int], stated: StatedContents) -> list[str]:
    if not stated.formula:
        return []
    fractions = [
        {name: value / sum(part.values()) for name, value in part.items()} for part in (counts, stated.formula)
    ]
    names = {*counts, *stated.formula}
    difference = 0.5 * sum(abs(fractions[0].get(name, 0) - fractions[1].get(name, 0)) for name in names)
    if difference <= SAME_COMPOSITION:
        return []
    return [f"its atoms are {_words(counts)}, the file states {_words(stated.formula)}"]


def _formula_units(counts: Mapping[str, int], stated: StatedContents) -> list[str]:
    if not stated.formula or _composition(counts, stated):
        return []
    expected = {name: n * (stated.z or 1.0) for name, n in stated.formula.items()}
    n_atoms, n_expected = sum(counts.values()), sum(expected.values())
    if stated.z is None and n_atoms >= 0.98 * n_expected:
        return []  # a whole number of formula units, if nothing else is stated
    possible = [n_expected, sum(stated.cell_formula.values())]
    if any(abs(n_atoms - candidate) <= 0.02 * candidate for candidate in possible):
        return []
    return [f"its cell holds {_words(counts)}, the file states {_words(expected)} (formula times Z)"]


def _compare(what: str, unit: str, value: float, stated: float | None, notes: list[str]) -> list[str]:
    if stated is None:
        return []
    sentence = f"the {what} is {value:.4g} {unit}, the file states {stated:.4g}"
    difference = abs(value / stated - 1.0)
    if difference > ANOTHER_CRYSTAL:
        return [sentence]
    if difference > WORTH_A_WORD:
        notes.append(sentence)
    return []


def _words(counts: Mapping[str, float]) -> str:
    return " ".join(f"{name}{count:g}" for name, count in sorted(counts.items()))


def bond_disagreements(block: Block, sites: list[Site], structure: Structure) -> list[str]:
    """Return listed bonds that the atoms do not have: two elements further apart than stated."""
    names, distances = (block.column(f"_geom_bond_{name}") for name in ("atom_site_label_1", "distance"))
    others = block.column("_geom_bond_atom_site_label_2")
    if not names or not others or not distances or not len(names) == len(others) == len(distances):
        return []
    elements = {site.label: site.element for site in sites}
    shortest: dict[tuple[str, str], float] = {}
    for first, second, text in zip(names, others, distances, strict=True):
        if first in elements and second in elements and text not in ("?", "."):
            pair = tuple(sorted((elements[first], elements[second])))
            length = number(text, "a bond length")
            shortest[pair[0], pair[1]] = min(length, shortest.get((pair[0], pair[1]), length))
    return [sentence for pair, length in shortest.items() if (sentence := _bond(structure, pair, length))]


def _bond(structure: Structure, pair: tuple[str, str], length_A: float) -> str | None:
    symbols = [site.specie.symbol for site in structure]
    first = [index for index, symbol in enumerate(symbols) if symbol == pair[0]]
    second = [index for index, symbol in enumerate(symbols) if symbol == pair[1]]
    if not 0.3 < length_A < 5.0 or not first or not second:
        return None
    shortest = shortest_between(structure.lattice.matrix, structure.frac_coords, first, second, 2.0 * length_A)
    if abs(shortest / length_A - 1.0) <= ANOTHER_CRYSTAL:
        return None
    actual = f"{shortest:.3f}" if math.isfinite(shortest) else f"more than {2 * length_A:.1f}"
    return f"its nearest {pair[0]} and {pair[1]} are {actual} angstrom apart, the file states {length_A:.3f}"
