"""What the lists are made of: one file, and a CIF and a POSCAR of Li2O with something else in them."""

from __future__ import annotations

from dataclasses import dataclass


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
