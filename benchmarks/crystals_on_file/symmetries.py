"""Symmetry that is lost, odd, or contradicts the rest of the file."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.crystals_on_file.makers import FM3M, Hostile, cif, operations, salt


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
        "unknown symbol": (f"{symbol} 'Q q q'\n", "", "is unknown"),
        "no such number": (f"{number} 231\n", "", "no space group number"),
        "a list that is not a group": (operations("x,y,z", "-x,y+1/2,z", "y,z,x"), "", "not a group"),
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
