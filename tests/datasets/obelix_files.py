"""A small OBELiX, written by hand, and where the real one is."""

from __future__ import annotations

import csv
import io
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest

from aiida_ion.datasets.obelix import COLUMNS

VALUE = "Ionic conductivity (S cm-1)"


def row(name: str, formula: str, value: str, **more: str) -> dict[str, str]:
    """Return a line of the table."""
    text = dict.fromkeys(COLUMNS, "") | {"ID": name, "Reduced Composition": formula, "True Composition": formula}
    return text | {VALUE: value, "DOI": "10.1000/a|10.1000/b", "Checked": "1"} | more


def cif(sites: list[tuple[str, float, float, float, float]], lengths: tuple[float, float, float]) -> str:
    """Return a structure file in P1.

    :param sites: element, fractional coordinates, occupancy.
    :param lengths: edges of an orthogonal cell, angstrom.
    """
    edges = "".join(f"_cell_length_{axis} {length}\n" for axis, length in zip("abc", lengths, strict=True))
    angles = "".join(f"_cell_angle_{angle} 90\n" for angle in ("alpha", "beta", "gamma"))
    names = ("type_symbol", "label", "fract_x", "fract_y", "fract_z", "occupancy")
    loop = "loop_\n" + "".join(f"_atom_site_{name}\n" for name in names)
    lines = "".join(f"{element} {element}{n} {x} {y} {z} {o}\n" for n, (element, x, y, z, o) in enumerate(sites))
    return f"data_made\n_symmetry_space_group_name_H-M 'P 1'\n{edges}{angles}{loop}{lines}"


LITHIUM_FLUORIDE = [
    *[("Li", *place, 1.0) for place in ((0, 0, 0), (0, 0.5, 0.5), (0.5, 0, 0.5), (0.5, 0.5, 0))],
    *[("F", *place, 1.0) for place in ((0.5, 0, 0), (0, 0.5, 0), (0, 0, 0.5), (0.5, 0.5, 0.5))],
]
EDGES = (4.03, 4.03, 4.03)
ANTIFLUORITE = [
    *[("O", *place, 1.0) for place in ((0, 0, 0), (0, 0.5, 0.5), (0.5, 0, 0.5), (0.5, 0.5, 0))],
    *[("Li", x, y, z, 1.0) for x in (0.25, 0.75) for y in (0.25, 0.75) for z in (0.25, 0.75)],
]
ROWS = [
    row("aaa", "LiF", "1.0e-12", **{"ICSD ID": "41409.0", "Family": "halide"}),
    row("bbb", "LiCl", "<1E-10"),
    row("ccc", "LiF", "2e-6", **{"IC (Total)": "2e-06", "IC (Bulk)": "5e-06", "close match": "Yes"}),
    row("ddd", "LiF", "3e-7", **{"IC (Bulk)": "3e-07"}),
    row("eee", "Li2O", "4e-8"),
    row("fff", "LiF", "5e-9"),
    row("ggg", "Li2O", "1e-9", **{"ICSD ID": "54368.0"}),
]
CIFS = {
    "aaa": cif(LITHIUM_FLUORIDE, EDGES),
    "bbb": cif([("Cl" if element == "F" else element, *rest) for element, *rest in LITHIUM_FLUORIDE], (5.1, 5.1, 5.1)),
    "ccc": cif([(*site[:4], 0.97 if site[0] == "F" else 1.0) for site in LITHIUM_FLUORIDE], EDGES),
    "ddd": cif([(*site[:4], 0.5) for site in LITHIUM_FLUORIDE], EDGES),
    "eee": cif(LITHIUM_FLUORIDE, EDGES),
    "ggg": cif(ANTIFLUORITE, (4.62, 4.62, 4.62)),
}


def table(rows: list[dict[str, Any]]) -> str:
    """Return the text of `all.csv`."""
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def write_dataset(folder: Path, rows: list[dict[str, Any]] | None = None, cifs: dict[str, str] | None = None) -> Path:
    """Write `all.csv` and `all_cifs.zip` into a folder and return it."""
    folder.mkdir(exist_ok=True)
    (folder / "all.csv").write_text(table(rows or ROWS))
    with zipfile.ZipFile(folder / "all_cifs.zip", "w") as archive:
        for name, text in (CIFS if cifs is None else cifs).items():
            archive.writestr(f"all_randomized_cifs/{name}.cif", text)
    return folder


def real_dataset() -> Path:
    """Return the folder of the published data; skip, with the reason, where it is not there."""
    given = os.environ.get("AIIDA_ION_SHARED_DATA")
    folder = (Path(given) if given else Path(__file__).parents[3] / "shared" / "data") / "obelix"
    if not (folder / "all.csv").is_file():
        pytest.skip(f"no OBELiX data in {folder}: set AIIDA_ION_SHARED_DATA to the folder that holds obelix/all.csv")
    return folder
