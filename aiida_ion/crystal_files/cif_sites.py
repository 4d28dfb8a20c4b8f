"""The atom sites of a CIF block: elements, positions and occupancies, and assumptions about them."""

from __future__ import annotations

import re
from collections.abc import Collection

import numpy as np

from aiida_ion.analysis.crystals.structure import DisorderedError
from aiida_ion.crystal_files.cif_text import INAPPLICABLE, UNKNOWN, Block
from aiida_ion.crystal_files.expansion import Site
from aiida_ion.crystal_files.numbers import coordinate, number
from aiida_ion.crystal_files.report import Reading
from aiida_ion.crystal_files.species import contradicts, element_of_label, element_of_type

#: Occupancy from which a site is full: occupancies are refined, and rounded.
FULL = 0.995
NOTHING = (UNKNOWN, INAPPLICABLE, "")
WATER = re.compile(r"(O[WwHh]|[Ww][Aa][Tt])")
AXES = ("x", "y", "z")
Row = dict[str, str]


def read_sites(
    block: Block, formula: Collection[str], reading: Reading, full_from: float = FULL, disordered: bool = False
) -> list[Site]:
    """Return the sites of a block.

    :param formula: the elements that the file states.
    :param reading: collects notes and caveats.
    :param full_from: occupancy from which a site counts as full.
    :param disordered: whether sites may be partly occupied.
    :raises ValueError: for sites without coordinates or element, and for partly occupied ones where they may not be.
    """
    rows = [row for row in _rows(block) if not _is_left_out(row, reading)]
    if not rows:
        raise ValueError("there are no atom sites in it")
    sites = [_site(row, formula, reading, full_from) for row in rows]
    if not disordered:
        _check_order(rows, sites, full_from)
        _check_disorder_groups(rows)
    water = [site.label for site in sites if WATER.match(site.label) and site.element == "O"]
    if water and all(site.element != "H" for site in sites):
        reading.caveats.append(
            f"the site {water[0]} is named like water or hydroxide, but there is no hydrogen in the file"
        )
    return sites


def _rows(block: Block) -> list[Row]:
    """Return the sites, each a mapping of items."""
    if block.column("_atom_site_fract_x") is None:
        if block.column("_atom_site_cartn_x") is not None:
            raise ValueError("its atoms have Cartesian coordinates; give a CIF with fractional ones")
        raise ValueError("there are no atom sites in it")
    columns = {
        name.removeprefix("_atom_site_"): values
        for name, values in block.items.items()
        if name.startswith("_atom_site_") and not name.startswith("_atom_site_aniso")
    }
    length = len(columns["fract_x"])
    missing = [axis for axis in AXES if f"fract_{axis}" not in columns]
    if missing:
        raise ValueError(f"its atom sites have no coordinate {missing[0]}")
    if "label" not in columns and "type_symbol" not in columns:
        raise ValueError("its atom sites have neither labels nor type symbols")
    if any(len(columns[f"fract_{axis}"]) != length for axis in AXES):
        raise ValueError("its atom sites have different numbers of x, y and z")
    columns = {name: values for name, values in columns.items() if len(values) == length}
    return [{name: values[index] for name, values in columns.items()} for index in range(length)]


def _name(row: Row) -> str:
    return row.get("label") or row.get("type_symbol") or "?"


def _is_left_out(row: Row, reading: Reading) -> bool:
    """Whether a site is empty: a dummy, or one with occupancy 0."""
    if row.get("calc_flag", "").lower() == "dum":
        reading.notes.append(f"the dummy site {_name(row)} (_atom_site_calc_flag dum) was left out")
        return True
    occupancy = row.get("occupancy", "1")
    if occupancy not in NOTHING and number(occupancy, f"the occupancy of {_name(row)}") == 0.0:
        reading.notes.append(f"the site {_name(row)} has occupancy 0 and was left out")
        return True
    return False


def _site(row: Row, formula: Collection[str], reading: Reading, full_from: float) -> Site:
    name = _name(row)
    if any(row[f"fract_{axis}"] in NOTHING for axis in AXES):
        raise ValueError(f"the site {name} has no coordinates")
    place = np.array([coordinate(row[f"fract_{axis}"], f"coordinate {axis} of {name}") for axis in AXES])
    attached = row.get("attached_hydrogens", "0")
    if attached not in NOTHING and number(attached, f"the attached hydrogens of {name}") > 0:
        reading.caveats.append(
            f"the site {name} carries {attached} hydrogen atoms without coordinates "
            "(_atom_site_attached_hydrogens); add them to the file"
        )
    multiplicity = row.get("symmetry_multiplicity", UNKNOWN)
    return Site(
        label=name,
        element=_element(row, formula, reading),
        place=place,
        occupancy=_occupancy(row, formula, reading, full_from),
        multiplicity=int(multiplicity) if multiplicity.isdigit() else None,
    )


def _element(row: Row, formula: Collection[str], reading: Reading) -> str:
    symbol, label = row.get("type_symbol", UNKNOWN), row.get("label", "")
    if symbol not in NOTHING:
        element = element_of_type(symbol, f"the type of the site {_name(row)}", reading.notes)
        if contradicts(label, element):
            sentence = f"the site {label} has the type {symbol}: the type was used"
            (reading.notes if element in formula else reading.caveats).append(sentence)
        return element
    result = element_of_label(label, formula)
    if result is None:
        raise ValueError(f"the site {_name(row)} has no type symbol, and its label does not name one element")
    if "type_symbol" in row:
        reading.notes.append(f"the site {label} has the type {symbol!r} and was read as {result} because of its label")
    if label[:1].upper() in ("D", "T") and result == "H":
        reading.notes.append(f"{label} was read as hydrogen: it has the mass of H in the simulation")
    return result


def _occupancy(row: Row, formula: Collection[str], reading: Reading, full_from: float) -> float:
    text = row.get("occupancy", "1")
    if text in NOTHING:
        sentence = f"the site {_name(row)} has the occupancy {text!r} and was treated as full"
        (reading.notes if text == INAPPLICABLE or formula else reading.caveats).append(sentence)
        return 1.0
    value = number(text, f"the occupancy of {_name(row)}")
    if not 0.0 < value < 1.0 + (1.0 - FULL):
        raise ValueError(f"the occupancy of {_name(row)} is {value:g}; it must be from 0 to 1")
    if full_from <= value < 1.0 - 1e-6:
        reading.notes.append(f"the site {_name(row)} has the occupancy {value:g} and was treated as full")
    return 1.0 if value >= full_from else value


def _check_order(rows: list[Row], sites: list[Site], full_from: float) -> None:
    partial = [site for site in sites if site.occupancy < full_from]
    if partial:
        where = ", ".join(f"{part:.3f}" for part in partial[0].place)
        raise DisorderedError(
            f"disordered: the site {partial[0].label} at ({where}) holds {partial[0].element}:"
            f"{partial[0].occupancy:g} and {len(partial)} of {len(rows)} sites are partly occupied; order the "
            "structure first (aiida-ion order)"
        )


def _check_disorder_groups(rows: list[Row]) -> None:
    """Refuse alternative sites; some files give them an occupancy of 1."""
    groups: dict[str, set[str]] = {}
    for row in rows:
        group = row.get("disorder_group", INAPPLICABLE)
        if group not in NOTHING:
            groups.setdefault(row.get("disorder_assembly", INAPPLICABLE), set()).add(group)
    several = [members for members in groups.values() if len(members) > 1]
    if several:
        raise ValueError(
            f"disordered: its sites are alternatives of each other (_atom_site_disorder_group "
            f"{', '.join(sorted(several[0]))}); keep one of them"
        )
