"""Sites of CIFs: elements, occupancies, hydrogens, dummies, coordinates."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.crystals_on_file.makers import HEAD, LITHIA, Hostile, cif, typed


def species() -> Iterator[Hostile]:
    """Names of elements that are none, or are written otherwise."""
    for symbol, words in {
        "7Li": "usual mass",
        "?": "because of its label",
        ".": "because of its label",
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
    yield Hostile("another element in the label", "x.cif", typed("Li", "Na1").encode(), "", "has the type Li")
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
        "tritium because of its label",
        "x.cif",
        cif([("Li1", "Li", "0 0 0"), ("T1", "?", "0.5 0.5 0.5")], edges="4.08 4.08 4.08").encode(),
        "Li4H4",
        "mass of H",
    )


def sites() -> Iterator[Hostile]:
    """Occupancies, hydrogens, dummies, coordinates."""

    def with_column(name: str, *values: str) -> bytes:
        return cif(columns={name: list(values)}).encode()

    yield Hostile("occupancy .", "x.cif", with_column("occupancy", ".", "1.0"), "Li8O4", "treated as full")
    yield Hostile("occupancy ?", "x.cif", with_column("occupancy", "?", "1.0"), "", "treated as full")
    yield Hostile("occupancy 1.000(2)", "x.cif", with_column("occupancy", "1.000(2)", "1"), "Li8O4")
    yield Hostile("occupancy 0.998", "x.cif", with_column("occupancy", "0.998(5)", "1"), "Li8O4", "treated as full")
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
    water = cif([LITHIA[0], ("OW1", "O", "0 0 0")])
    yield Hostile("water without hydrogen", "x.cif", water.encode(), "", "named like water")
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
