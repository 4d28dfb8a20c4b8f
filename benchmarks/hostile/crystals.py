"""Files of crystals that are wrong, odd or damaged, and what is right for each: a crystal, or one sentence.

``python -m benchmarks.hostile.crystals`` tries all of them and counts inputs, clear errors, tracebacks and what was
accepted in silence.
"""

from __future__ import annotations

import gzip
import io
import json
import re
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ase import Atoms
from ase.build import bulk
from ase.io import write
from pymatgen.core import Structure
from pymatgen.io.ase import AseAtomsAdaptor

from aiida_ion.crystal_files.read import read_crystal
from aiida_ion.crystal_files.report import lines_of


@dataclass(frozen=True)
class Hostile:
    """One file.

    :param name: what is wrong with it.
    :param file: its name.
    :param content: its bytes.
    :param formula: contents of the cell, such as ``Li8O4``, where it is to be read; empty where it is to be refused.
    :param words: that must stand in what is said of it: in the error, or in the report.
    """

    name: str
    file: str
    content: bytes
    formula: str = ""
    words: str = ""


LITHIA = [("Li1", "Li", "0.25 0.25 0.25"), ("O1", "O", "0 0 0")]
SALT = [("Li1", "Li", "0 0 0"), ("Cl1", "Cl", "0.5 0.5 0.5")]
FM3M = "_symmetry_space_group_name_H-M 'F m -3 m'\n_symmetry_Int_Tables_number 225\n"
HEAD = "label type_symbol fract_x fract_y fract_z"


def cif(
    sites: list[tuple[str, str, str]] = LITHIA,
    symmetry: str = FM3M,
    edges: str = "4.62 4.62 4.62",
    angles: str = "90 90 90",
    extra: str = "",
    columns: dict[str, list[str]] | None = None,
    head: str = HEAD,
) -> str:
    """Return a CIF of Li2O, or with what is given in the place of that."""
    text = "data_x\n"
    text += "".join(f"_cell_length_{name} {value}\n" for name, value in zip("abc", edges.split(), strict=True))
    names = ("alpha", "beta", "gamma")
    text += "".join(f"_cell_angle_{name} {value}\n" for name, value in zip(names, angles.split(), strict=True))
    text += symmetry + extra + "loop_\n" + "".join(f"_atom_site_{name}\n" for name in [*head.split(), *(columns or {})])
    for index, site in enumerate(sites):
        text += " ".join([*(word for word in site if word), *(values[index] for values in (columns or {}).values())])
        text += "\n"
    return text


def typed(symbol: str, label: str = "Li1") -> str:
    """Return Li2O with another type symbol of lithium."""
    return cif([(label, symbol, "0.25 0.25 0.25"), LITHIA[1]])


def salt(symmetry: str, extra: str = "", edges: str = "5.13 5.13 5.13", angles: str = "90 90 90") -> str:
    """Return LiCl by its two sites and a statement of its symmetry."""
    return cif(SALT, symmetry, edges, angles, extra)


def operations(*texts: str) -> str:
    """Return a loop of symmetry operations."""
    return "loop_\n_symmetry_equiv_pos_as_xyz\n" + "".join(f"'{text}'\n" for text in texts)


def poscar(
    scale: str = "1.0",
    cell: str = "4.62 0 0\n0 4.62 0\n0 0 4.62",
    species: str = "Li O\n8 4",
    mode: str = "Direct",
    places: str | None = None,
    tail: str = "",
    comment: str = "lithium oxide",
) -> str:
    """Return a POSCAR of Li2O, or with what is given in the place of that."""
    lines = LITHIA_PLACES if places is None else places
    return f"{comment}\n{scale}\n{cell}\n{species}\n{mode}\n{lines}\n{tail}"


LITHIA_PLACES = "\n".join(
    [f"{x} {y} {z}" for x in (0.25, 0.75) for y in (0.25, 0.75) for z in (0.25, 0.75)]
    + ["0 0 0", "0 0.5 0.5", "0.5 0 0.5", "0.5 0.5 0"]
)


def symmetries() -> Iterator[Hostile]:
    """Symmetry that is lost, odd, or contradicts the rest of the file."""
    hall, symbol, number = "_space_group_name_Hall", "_symmetry_space_group_name_H-M", "_symmetry_Int_Tables_number"
    right = {
        "Hall symbol alone": f"{hall} '-F 4 2 3'\n",
        "Hall symbol in lower case": "_symmetry_space_group_name_Hall '-f 4 2 3'\n",
        "symbol without spaces": f"{symbol} Fm-3m\n",
        "old cubic symbol": f"{symbol} 'F m 3 m'\n",
        "old cubic symbol with a suffix": f"{symbol} 'Fm3m :r'\n",
        "suffix that it does not have": f"{symbol} 'F m -3 m :1'\n",
        "number alone": f"{number} 225\n",
        "number with uncertainty": f"{number} 225(1)\n",
        "names of the newer dictionary": "_space_group_name_H-M_alt 'F m -3 m'\n_space_group_IT_number 225\n",
        "names with dots": "_space_group.name_H-M_alt 'F m -3 m'\n",
        "names in capitals": "_SYMMETRY_SPACE_GROUP_NAME_H-M 'F m -3 m'\n",
        "symbol of another group than the number": f"{symbol} 'P m -3 m'\n{number} 225\n",
        "Hall symbol of another group": f"{hall} '-P 4 2 3'\n{symbol} 'F m -3 m'\n",
        "formula with brackets": f"{symbol} 'F m -3 m'\n_chemical_formula_sum '(Li Cl)1'\n",
        "unknown symbol beside a number": f"{symbol} 'weird'\n{number} 225\n",
    }
    for name, text in right.items():
        yield Hostile(name, "x.cif", salt(text).encode(), "Li4Cl4")
    p1 = operations("x,y,z")
    lost = {
        "no symmetry, Z and formula": (
            "",
            "_cell_formula_units_Z 4\n_chemical_formula_sum 'Cl Li'\n",
            "formula times Z",
        ),
        "no symmetry, density": ("", "_exptl_crystal_density_diffrn 2.09\n", "density"),
        "no symmetry, nothing stated": ("", "", "far too empty"),
        "P1 beside formula and Z": (p1, "_cell_formula_units_Z 4\n_chemical_formula_sum 'Cl Li'\n", "formula times Z"),
        "unknown symbol": (f"{symbol} 'Q q q'\n", "", "is not known"),
        "no such number": (f"{number} 231\n", "", "no space group number"),
        "a list that is no group": (operations("x,y,z", "-x,y+1/2,z", "y,z,x"), "", "not a group"),
        "an operation that is none": (operations("x,y,z", "x,y"), "", "is not a symmetry operation"),
        "an operation that stretches": (operations("x,y,z", "2*x,y,z"), "", "is not a symmetry operation"),
        "code as an operation": (operations("x,y,__import__('os')"), "", "is not a symmetry operation"),
        "formula of another compound": (FM3M, "_chemical_formula_sum 'Li Br'\n", "the file states"),
        "formula with hydrogen": (FM3M, "_chemical_formula_sum 'Li Cl H2 O'\n", "the file states"),
        "another Z": (FM3M, "_cell_formula_units_Z 8\n_chemical_formula_sum 'Cl Li'\n", "formula times Z"),
        "another volume": (FM3M, "_cell_volume 250.0\n", "cell volume"),
        "another density": (FM3M, "_exptl_crystal_density_diffrn 1.5\n", "density"),
        "another weight": (FM3M, "_cell_formula_units_Z 4\n_chemical_formula_weight 60.1\n", "mass of the cell"),
    }
    for name, (text, extra, words) in lost.items():
        yield Hostile(name, "x.cif", salt(text, extra).encode(), "", words)
    yield Hostile("P1 listed beside a symbol", "x.cif", salt(p1 + FM3M).encode(), "Li4Cl4", "not 1 symmetry operation")
    yield Hostile("centring left out of the list", "x.cif", _without_centring().encode(), "Li4Cl4", "192 symmetry")
    wrong_cell = salt(FM3M, edges="5.13 5.13 6.0")
    yield Hostile("a cell without the symmetry", "x.cif", wrong_cell.encode(), "", "does not have the symmetry")
    spinel = cif(
        [("Mg1", "Mg", "0.125 0.125 0.125"), ("Al1", "Al", "0.5 0.5 0.5"), ("O1", "O", "0.2624 0.2624 0.2624")],
        f"{symbol} 'F d -3 m'\n",
        "8.08 8.08 8.08",
    )
    yield Hostile("origin not stated, one is possible", "x.cif", spinel.encode(), "Mg8Al16O32", ":2")
    stated = "_chemical_formula_sum 'Al2 Mg O4'\n_cell_formula_units_Z 8\n"
    at_one = cif(
        [("Mg1", "Mg", "0 0 0"), ("Al1", "Al", "0.625 0.625 0.625"), ("O1", "O", "0.3876 0.3876 0.3876")],
        f"{symbol} 'F d -3 m'\n",
        "8.08 8.08 8.08",
        extra=stated,
    )
    yield Hostile("origin not stated, the formula says it", "x.cif", at_one.encode(), "Mg8Al16O32", ":1")
    origin_s = at_one.replace("'F d -3 m'", "'F d -3 m S'")
    yield Hostile("origin 1 as S", "x.cif", origin_s.encode(), "Mg8Al16O32", ":1")
    rhombohedral = cif(
        [("Li1", "Li", "0 0 0"), ("Co1", "Co", "0.5 0.5 0.5"), ("O1", "O", "0.24 0.24 0.24")],
        f"{symbol} 'R -3 m'\n",
        "4.957 4.957 4.957",
        "32.99 32.99 32.99",
    )
    yield Hostile("rhombohedral axes not stated", "x.cif", rhombohedral.encode(), "Li1Co1O2", ":R")
    hexagonal = cif(
        [("Li1", "Li", "0 0 0"), ("Co1", "Co", "0 0 0.5"), ("O1", "O", "0 0 0.24")],
        f"{symbol} 'R -3 m'\n",
        "2.816 2.816 14.05",
        "90 90 120",
    )
    yield Hostile("hexagonal axes not stated", "x.cif", hexagonal.encode(), "Li3Co3O6", ":H")
    wrong_axes = hexagonal.replace("'R -3 m'", "'R -3 m :R'")
    yield Hostile(
        "rhombohedral symbol on a hexagonal cell", "x.cif", wrong_axes.encode(), "", "does not have the symmetry"
    )


def _without_centring() -> str:
    from aiida_ion.crystal_files.symmetry import _table

    texts = next(entry["symops"] for entry in _table() if entry["universal_h_m"] == "P m -3 m")
    return salt(operations(*texts) + FM3M, "_cell_formula_units_Z 4\n_chemical_formula_sum 'Cl Li'\n")


def species() -> Iterator[Hostile]:
    """Names of elements that are none, or are written otherwise."""
    for symbol, words in {
        "7Li": "usual mass",
        "?": "by its label",
        ".": "by its label",
        "Li1+": "",
        "Li+": "",
        "Li+1": "",
        "LI": "",
        "li": "",
        "Li0": "",
        "Li1.00+": "",
    }.items():
        yield Hostile(f"type {symbol}", "x.cif", typed(symbol).encode(), "Li8O4", words)
    for symbol in ("Vac", "X", "Wat", "OH", "M", "Lx", "Li1/3", "Q", "Dum", "NH4", "NO3", "OH2"):
        yield Hostile(f"type {symbol}", "x.cif", typed(symbol).encode(), "", "not an element")
    yield Hostile("another element in the label", "x.cif", typed("Li", "Na1").encode(), "", "is of type Li")
    yield Hostile(
        "label alone",
        "x.cif",
        cif([("Li1", "", "0.25 0.25 0.25"), ("O1", "", "0 0 0")], head="label fract_x fract_y fract_z").encode(),
        "Li8O4",
    )
    yield Hostile("label that names nothing", "x.cif", typed("?", "M1").encode(), "", "does not name one element")
    yield Hostile("label that names two elements", "x.cif", typed("?", "CA1").encode(), "", "does not name one element")
    yield Hostile(
        "deuterium",
        "x.cif",
        cif([("Li1", "Li", "0 0 0"), ("D1", "D", "0.5 0.5 0.5")], edges="4.08 4.08 4.08").encode(),
        "Li4H4",
        "mass of H",
    )
    yield Hostile(
        "tritium by its label",
        "x.cif",
        cif([("Li1", "Li", "0 0 0"), ("T1", "?", "0.5 0.5 0.5")], edges="4.08 4.08 4.08").encode(),
        "Li4H4",
        "mass of H",
    )


def sites() -> Iterator[Hostile]:
    """Occupancies, hydrogens, dummies, coordinates."""

    def with_column(name: str, *values: str) -> bytes:
        return cif(columns={name: list(values)}).encode()

    yield Hostile("occupancy .", "x.cif", with_column("occupancy", ".", "1.0"), "Li8O4", "taken as full")
    yield Hostile("occupancy ?", "x.cif", with_column("occupancy", "?", "1.0"), "", "taken as full")
    yield Hostile("occupancy 1.000(2)", "x.cif", with_column("occupancy", "1.000(2)", "1"), "Li8O4")
    yield Hostile("occupancy 0.998", "x.cif", with_column("occupancy", "0.998(5)", "1"), "Li8O4", "taken as full")
    for value, words in {
        "0.5": "disordered",
        "1.5": "must be from 0 to 1",
        "-1": "must be",
        "full": "not a number",
        "nan": "not a number",
        "0,5": "decimal point",
    }.items():
        yield Hostile(f"occupancy {value}", "x.cif", with_column("occupancy", value, "1.0"), "", words)
    yield Hostile("attached hydrogen", "x.cif", with_column("attached_hydrogens", "0", "1"), "", "hydrogen atoms")
    yield Hostile("two disorder groups", "x.cif", with_column("disorder_group", "1", "2"), "", "alternatives")
    yield Hostile("wrong multiplicity", "x.cif", with_column("symmetry_multiplicity", "4", "4"), "", "gives 8 atoms")
    dummy = cif([*LITHIA, ("Q1", "X", "? ? ?")], columns={"calc_flag": ["d", "d", "dum"]})
    yield Hostile("a dummy site", "x.cif", dummy.encode(), "Li8O4", "was left out")
    empty = cif([*LITHIA, ("Na1", "Na", "0.5 0.5 0.5")], columns={"occupancy": ["1", "1", "0"]})
    yield Hostile("a site with occupancy 0", "x.cif", empty.encode(), "Li8O4", "was left out")
    yield Hostile("a site twice", "x.cif", cif([*LITHIA, ("Li2", "Li", "0.25 0.25 0.25")]).encode(), "", "closer than")
    yield Hostile(
        "a site and its image", "x.cif", cif([*LITHIA, ("Li2", "Li", "0.75 0.75 0.75")]).encode(), "", "closer"
    )
    near = cif([("Li1", "Li", "0.2502 0.2502 0.2502"), LITHIA[1]])
    yield Hostile("rounded special position", "x.cif", near.encode(), "Li8O4")
    far = cif([("Li1", "Li", "0.28 0.25 0.25"), LITHIA[1]])
    yield Hostile("beside a special position", "x.cif", far.encode(), "", "closer than 0.5")
    for value, words in {
        "?": "no coordinates",
        ".": "no coordinates",
        "x": "not a number",
        "nan": "not a number",
        "inf": "not a number",
        "1e400": "finite",
        "2.5e1": "not a fractional",
        "0,25": "decimal point",
        "4.6A": "not a number",
    }.items():
        yield Hostile(
            f"coordinate {value}", "x.cif", cif([("Li1", "Li", f"{value} 0.25 0.25"), LITHIA[1]]).encode(), "", words
        )
    yield Hostile("coordinates 1/4", "x.cif", cif([("Li1", "Li", "1/4 1/4 1/4"), LITHIA[1]]).encode(), "Li8O4")
    minus = cif([("Li1", "Li", "\u22120.25 0.25 0.25"), LITHIA[1]])
    yield Hostile("a minus that is not ASCII", "x.cif", minus.encode(), "Li8O4", "minus")
    yield Hostile(
        "Cartesian sites", "x.cif", cif(head="label type_symbol Cartn_x Cartn_y Cartn_z").encode(), "", "Cartesian"
    )
    yield Hostile(
        "no z",
        "x.cif",
        cif([(*site[:2], "0 0") for site in LITHIA], head=HEAD.removesuffix(" fract_z")).encode(),
        "",
        "no coordinate z",
    )
    bond = "loop_\n_geom_bond_atom_site_label_1\n_geom_bond_atom_site_label_2\n_geom_bond_distance\nLi1 O1 {}\n"
    yield Hostile("the bond that it states", "x.cif", cif(extra=bond.format("2.0005(3)")).encode(), "Li8O4")
    yield Hostile("another bond", "x.cif", cif(extra=bond.format("1.62")).encode(), "", "its nearest Li and O")


def cells() -> Iterator[Hostile]:
    """Cells that are none, or are in another unit."""
    for edges, words in {
        "462 462 462": "picometre",
        "0.462 0.462 0.462": "angstrom apart",
        "-4.62 4.62 4.62": "above zero",
        "0 4.62 4.62": "above zero",
        "? 4.62 4.62": "not a number",
        "nan 4.62 4.62": "not a number",
        "1e400 4.62 4.62": "not a finite",
        "4,62 4.62 4.62": "decimal point",
        "8.73 8.73 8.73": "far too empty",
        "2.445 2.445 2.445": "apart",
        "1e9 1e9 1e9": "far too empty",
    }.items():
        yield Hostile(f"edges {edges}", "x.cif", cif(edges=edges).encode(), "", words)
    for angles, words in {
        "1.5708 1.5708 1.5708": "radians",
        "0 0 0": "make no cell",
        "90 90 200": "make no cell",
        "60 60 120": "make no cell",
        "90 90 91": "does not have the symmetry",
        "-90 90 90": "make no cell",
    }.items():
        yield Hostile(f"angles {angles}", "x.cif", cif(angles=angles).encode(), "", words)
    many = [(f"Li{n}", "Li", f"{n % 97 / 97:.4f} {n % 89 / 89:.4f} {n % 83 / 83:.4f}") for n in range(20_000)]
    yield Hostile("20,000 general sites in Fm-3m", "x.cif", cif(many, edges="90 90 90").encode(), "", "more than")


def texts() -> Iterator[Hostile]:
    """Encodings, line ends, blocks, broken syntax."""
    good = cif()
    yield Hostile("byte order mark", "x.cif", b"\xef\xbb\xbf" + good.encode(), "Li8O4")
    yield Hostile("UTF-16", "x.cif", good.encode("utf-16"), "Li8O4")
    yield Hostile("Latin-1", "x.cif", cif(extra="_publ_author 'M\xfcller'\n").encode("latin-1"), "Li8O4", "Latin-1")
    yield Hostile("Windows line ends", "x.cif", good.replace("\n", "\r\n").encode(), "Li8O4")
    yield Hostile("old line ends of Macintosh", "x.cif", good.replace("\n", "\r").encode(), "Li8O4")
    yield Hostile("compressed", "x.cif.gz", gzip.compress(good.encode()), "Li8O4")
    yield Hostile("damaged compression", "x.cif.gz", gzip.compress(good.encode())[:40], "", "cannot be read")
    yield Hostile("a bomb", "x.cif.gz", gzip.compress(b"\n" * 60_000_000), "", "larger than")
    yield Hostile(
        "capital keywords", "x.cif", good.replace("data_", "DATA_").replace("loop_", "LOOP_").encode(), "Li8O4"
    )
    two = good + good.replace("data_x", "data_y").replace("4.62", "4.80")
    yield Hostile("two crystals", "x.cif", two.encode(), "", "2 crystals (x, y)")
    yield Hostile("two blocks of one name", "x.cif", (good + good).encode(), "", "2 crystals")
    yield Hostile(
        "a block without atoms before it",
        "x.cif",
        ("data_global\n_audit_x 1\n" + good).encode(),
        "Li8O4",
        "hold no atoms",
    )
    yield Hostile("no block", "x.cif", good.replace("data_x\n", "").encode(), "", "first data block")
    yield Hostile("empty", "x.cif", b"", "", "empty")
    yield Hostile("blank", "x.cif", b" \n\n", "", "empty")
    yield Hostile("zeros", "x.cif", bytes(1000), "", "not a text file")
    yield Hostile("a picture", "x.cif", b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "", "not a text file")
    yield Hostile("a web page", "x.cif", b"<!DOCTYPE html><html><body>404</body></html>", "", "first data block")
    yield Hostile("cut within the sites", "x.cif", good.encode()[:-5], "", "whole number of rows")
    stated = cif(extra="_chemical_formula_sum 'Li2 O'\n")
    yield Hostile("cut between two sites", "x.cif", stated.encode()[:-11], "", "the file states")
    yield Hostile("a text without end", "x.cif", (good + "_a\n;\nabc\n").encode(), "", "has no end")
    yield Hostile("an item twice", "x.cif", cif(extra="_cell_length_a 5.0\n").encode(), "", "is there twice")
    yield Hostile("a stray value", "x.cif", cif(extra="_b 1 stray\n").encode(), "", "belongs to no item")
    yield Hostile(
        "no cell",
        "x.cif",
        "\n".join(line for line in good.split("\n") if "_cell_" not in line).encode(),
        "",
        "cell length",
    )
    yield Hostile("no sites", "x.cif", good.split("loop_")[0].encode(), "", "no atom sites")
    yield Hostile(
        "magnetic", "x.cif", cif(extra="_space_group_symop_magn_operation.xyz x,y,z,+1\n").encode(), "", "magnetic"
    )
    yield Hostile("magnetic by its name", "x.mcif", good.encode(), "", "magnetic")
    yield Hostile("modulated", "x.cif", cif(extra="_cell_modulation_dimension 1\n").encode(), "", "modulated")
    yield Hostile("escape codes", "x.cif", cif(extra="_a '\x1b[31m'\n").encode(), "", "not a text file")


def poscars() -> Iterator[Hostile]:
    """POSCARs of other versions, and damaged ones."""

    def read(name: str, text: str, formula: str = "Li8O4", words: str = "", file: str = "POSCAR") -> Hostile:
        return Hostile(f"POSCAR: {name}", file, text.encode(), formula, words)

    yield read("as it should be", poscar())
    yield read("by its ending", poscar(), file="cell.vasp")
    yield read("VASP 4 without names", poscar(species="8 4"), "", "VASP 4")
    yield read("VASP 4 with names in the first line", poscar(species="8 4", comment="Li O"), words="first line")
    yield read("VASP 4 with a formula in the first line", poscar(species="8 4", comment="Li2O"), "", "VASP 4")
    named = "\n".join(f"{line} {'Li' if n < 8 else 'O'}" for n, line in enumerate(LITHIA_PLACES.split("\n")))
    yield read("VASP 4 with names behind the positions", poscar(species="8 4", places=named))
    yield read("names of POTCARs", poscar(species="Li_sv O/1a2b3c\n8 4"))
    yield read("a species that is none", poscar(species="Li Vac\n8 4"), "", "not an element")
    yield read("a negative scale", poscar(scale="-98.611", cell="1 0 0\n0 1 0\n0 0 1"))
    cartesian = "\n".join(" ".join(str(4.62 * float(x)) for x in line.split()) for line in LITHIA_PLACES.split("\n"))
    yield read("Cartesian", poscar(mode="Cartesian", places=cartesian))
    unit = "\n".join(" ".join(str(float(x)) for x in line.split()) for line in LITHIA_PLACES.split("\n"))
    yield read(
        "a negative scale with Cartesian positions",
        poscar(scale="-98.611", cell="1 0 0\n0 1 0\n0 0 1", mode="k", places=unit),
    )
    yield read("three scales", poscar(scale="4.62 4.62 4.62", cell="1 0 0\n0 1 0\n0 0 1"))
    yield read("a scale of 0", poscar(scale="0"), "", "is not possible")
    yield read("no scale", poscar(scale="x"), "", "line 2")
    moving = "\n".join(f"{line} T T F" for line in LITHIA_PLACES.split("\n"))
    yield read("selective dynamics", poscar(mode="Selective dynamics\nDirect", places=moving), words="every atom moves")
    speeds = "\n" + "\n".join(["0.1 0 0"] * 12)
    yield read("velocities", poscar(tail=speeds), words="velocities")
    yield read("left-handed", poscar(cell="0 4.62 0\n4.62 0 0\n0 0 4.62"), words="left-handed")
    yield read("a flat cell", poscar(cell="4.62 0 0\n4.62 0 0\n0 0 4.62"), "", "no volume")
    yield read("a row too few", poscar(places="\n".join(LITHIA_PLACES.split("\n")[:-1])), "", "12 atoms and has 11")
    yield read("a row too many", poscar(places=LITHIA_PLACES + "\n0.1 0.1 0.1"), "", "12 atoms and has 13")
    yield read(
        "touching numbers", poscar(places=LITHIA_PLACES.replace("0.25 0.25 0.25", "-0.25-0.25-0.25")), "", "3 numbers"
    )
    yield read("asterisks", poscar(places=LITHIA_PLACES.replace("0.25 0.25 0.25", "*** 0.25 0.25", 1)), "", "3 numbers")
    yield read("nan", poscar(places=LITHIA_PLACES.replace("0.25 0.25 0.25", "nan 0.25 0.25", 1)), "", "3 numbers")
    yield read("no mode", poscar(mode="0.25 0.25 0.25"), "", "'Direct' or 'Cartesian'")
    yield read("Cartesian positions as direct", poscar(places=cartesian), "", "are they Cartesian")
    yield read("1e11 atoms", poscar(species="Li O\n100000000000 4"), "", "more than")
    yield read("negative counts", poscar(species="Li O\n-8 4"), "", "above zero")
    yield read("more names than counts", poscar(species="Li O S\n8 4"), "", "names 3 species")
    yield read("cut", "\n".join(poscar().split("\n")[:5]), "", "too few lines")
    yield read("in nanometre", poscar(scale="0.1"), "", "apart")
    yield read("in bohr", poscar(scale="1.8897"), "", "far too empty")


def other_formats() -> Iterator[Hostile]:
    """Formats that ASE and pymatgen read."""
    lithia = bulk("Li2O", "fluorite", a=4.62, cubic=True)
    lithia = Atoms(
        "Li8O4",
        cell=lithia.cell,
        pbc=True,
        scaled_positions=[[float(x) for x in line.split()] for line in LITHIA_PLACES.split("\n")],
    )

    def text(atoms: Atoms | list[Atoms], ase_format: str, **more: object) -> bytes:
        file = io.StringIO()
        write(file, atoms, format=ase_format, **more)
        return file.getvalue().encode()

    yield Hostile("extxyz", "x.extxyz", text(lithia, "extxyz"), "Li8O4")
    yield Hostile("extxyz by the name of xyz", "x.xyz", text(lithia, "extxyz"), "Li8O4")
    yield Hostile("two frames", "x.extxyz", text([lithia, lithia], "extxyz"), "Li8O4", "frame 2 of 2, the last")
    slab = lithia.copy()
    slab.pbc = (True, True, False)
    yield Hostile("a slab", "x.extxyz", text(slab, "extxyz"), "", "not periodic along all three")
    molecule = Atoms("H2O", positions=[[0, 0, 0.76], [0, 0, -0.76], [0.6, 0, 0]])
    yield Hostile("xyz without a cell", "x.xyz", text(molecule, "xyz"), "", "no periodic cell")
    dummy = lithia.copy()
    dummy.numbers[0] = 0
    yield Hostile("a dummy atom", "x.extxyz", text(dummy, "extxyz"), "", "not an element")
    moving = lithia.copy()
    moving.set_momenta([[0.1, 0, 0]] * 12)
    yield Hostile(
        "velocities",
        "x.extxyz",
        text(moving, "extxyz", columns=["symbols", "positions", "momenta"]),
        "Li8O4",
        "velocities",
    )
    yield Hostile("a cut frame", "x.extxyz", text(lithia, "extxyz")[:-80], "", "as many lines")
    yield Hostile(
        "a number of atoms too large",
        "x.extxyz",
        b'99999999999\nLattice="4 0 0 0 4 0 0 0 4"\nLi 0 0 0\n',
        "",
        "as many lines",
    )
    yield Hostile(
        "nan in a position", "x.extxyz", b'1\nLattice="4 0 0 0 4 0 0 0 4" pbc="T T T"\nLi nan 0 0\n', "", "not a number"
    )
    left = lithia.copy()
    left.set_cell(lithia.cell[[1, 0, 2]])
    yield Hostile("left-handed extxyz", "x.extxyz", text(left, "extxyz"), "Li8O4", "left-handed")
    yield Hostile("a traj that is none", "x.traj", b"not a trajectory", "", "cannot be read")
    yield Hostile("a pickle as traj", "x.traj", b"\x80\x04\x95\x10\x00\x00\x00", "", "cannot be read")
    yield Hostile("no input of pw.x", "x.in", b"hello\n", "", "no &SYSTEM")
    yield Hostile("a broken input of pw.x", "x.pwi", b"&SYSTEM\n ibrav=0, nat=3\n/\n", "", "cannot be read")
    yield Hostile("an empty vasprun.xml", "vasprun.xml", b"<modeling></modeling>", "", "cannot be read")
    yield Hostile("entities", "vasprun.xml", b'<!DOCTYPE x [<!ENTITY a "b">]><modeling>&a;</modeling>', "", "entities")
    yield Hostile("a molecule's file", "x.pdb", b"ATOM\n", "", "PDB")
    yield Hostile("an unknown ending", "x.foo", b"hello", "", "does not say a format")
    yield Hostile("no ending", "crystal", b"hello", "", "does not say a format")
    structure: Structure = AseAtomsAdaptor.get_structure(lithia)
    yield Hostile("JSON of pymatgen", "x.json", json.dumps(structure.as_dict()).encode(), "Li8O4")
    charged = structure.copy()
    charged.add_oxidation_state_by_element({"Li": 1, "O": -2})
    yield Hostile("oxidation states", "x.json", json.dumps(charged.as_dict()).encode(), "Li8O4", "oxidation states")
    mixed = structure.copy()
    mixed[0] = {"Li": 0.5, "Na": 0.5}
    yield Hostile("a shared site in JSON", "x.json", json.dumps(mixed.as_dict()).encode(), "", "disordered")
    other = json.dumps(structure.as_dict() | {"@module": "os.path", "@class": "join"})
    yield Hostile("JSON of another class", "x.json", other.encode(), "", "not a structure of pymatgen")
    yield Hostile("JSON of anything", "x.json", b'{"a": [1, 2, {"b": null}]}', "", "")
    yield Hostile("deep JSON", "x.json", b"[" * 100_000, "", "not JSON")


GROUPS: tuple[Callable[[], Iterator[Hostile]], ...] = (
    *(symmetries, species, sites, cells, texts, poscars),
    other_formats,
)


def files() -> list[Hostile]:
    """Return all of them."""
    return [one for group in GROUPS for one in group()]


def outcome(one: Hostile, folder: Path) -> str:
    """Return ``right``, or what is wrong with how a file is read.

    :param folder: where it is written.
    """
    path = folder / one.file
    path.write_bytes(one.content)
    try:
        report = read_crystal(path).report
    except ValueError as error:
        message = str(error)
        if one.formula:
            return f"refused: {message}"
        clear = "\n" not in message and message.startswith(one.file) and one.words in message
        return "right" if clear else f"unclear: {message}"
    except Exception as error:  # counted
        return f"traceback: {type(error).__name__}: {error}"
    words = "\n".join(lines_of(report.attributes()))
    if not one.formula:
        return f"silent: {words}"
    return "right" if report.formula == one.formula and one.words in words else f"wrong: {words}"


def inputs(folder: Path) -> list[object]:
    """Return those to be refused, as ``benchmarks/hostile.py`` collects them."""
    from benchmarks.hostile.hostile_input import HostileInput

    def reader(one: Hostile, number: int) -> Callable[[], object]:
        path = folder / f"crystal_{number:03}" / one.file
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(one.content)
        return lambda: read_crystal(path)

    return [
        HostileInput(f"crystal file: {one.name} ({number})", reader(one, number), re.escape(one.words))
        for number, one in enumerate(files())
        if not one.formula
    ]


def main() -> int:
    """Try all, print what is not right, and count."""
    counts: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as folder:
        for one in files():
            signal.alarm(60)  # none may take a minute
            found = outcome(one, Path(folder))
            kind = found.partition(":")[0]
            counts[kind] = counts.get(kind, 0) + 1
            if found != "right":
                print(f"{one.name}: {found}")
    refused = sum(not one.formula for one in files())
    print(f"{len(files())} files, {refused} to be refused: {counts}")
    return int(set(counts) != {"right"})


if __name__ == "__main__":
    sys.exit(main())
