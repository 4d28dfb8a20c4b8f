"""Published migration paths with barriers by DFT: pairs of ends that a potential is compared on.

``literature``: 559 of the 619 paths of arXiv:2508.06459 (repository sai-mat-group/predicting-migration-barriers,
MIT), each one cell in which the five places of the moving ion follow each other, so that the first and the last of them
are the ends. Charges of the cells, functionals and relaxation of the published ends differ from path to path.

``nebDFT2k``: one archive of LiTraj (A. Dembitskiy et al., npj Comput. Mater. 11, 131 (2025)), whose hash is checked.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from ase import Atoms
from ase.io import read

N_PLACES = 5
NEBDFT2K_SHA256 = "b7a99d89337902e9e1da319f57547170fdb132bf15bf6ffef03a0140e2207d7f"
SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


@dataclass(frozen=True)
class PublishedPath:
    """A published path.

    :param key: unique name.
    :param species: symbol of the moving ion.
    :param reference_eV: barrier by DFT.
    :param start, end: its ends, as published.
    :param moving: index of the ion.
    :param about: class, functional, space group, and barriers of others by their names.
    """

    key: str
    species: str
    reference_eV: float
    start: Atoms
    end: Atoms
    moving: int
    about: dict[str, Any]


def literature(folder: Path) -> list[PublishedPath]:
    """Return the paths of the literature, small cells first.

    :param folder: with ``RAW-Em-5-images-TRAIN.json`` and ``TABULATION-GIT-HUB.xlsx``.
    """
    rows = {}
    for row in table(folder / "TABULATION-GIT-HUB.xlsx"):
        rows.setdefault((row["sys_name"], round(float(row["MIGRATION BARRIER(eV)"]), 3)), row)
    paths = []
    for number, entry in enumerate(json.loads((folder / "RAW-Em-5-images-TRAIN.json").read_text())):
        row = rows.get((entry["sys_name"], round(float(entry["target"]), 3)), {})
        start, end = ends_of(entry["atoms"])
        paths.append(
            PublishedPath(
                key=f"{number:03d}_{entry['sys_name']}",
                species=str(start.symbols[0]),
                reference_eV=float(entry["target"]),
                start=start,
                end=end,
                moving=0,
                about={
                    "class": entry["class"],
                    "functional": row.get("XC"),
                    "space_group": row.get("SPACE GROUP"),
                    "mace_relaxed_eV": number_or_none(row.get("MACE-RELAX")),
                    "mace_unrelaxed_eV": number_or_none(row.get("MACE-NO-RELAX")),
                },
            )
        )
    return sorted(paths, key=lambda path: (len(path.start), path.key))


def ends_of(entry: dict[str, Any]) -> tuple[Atoms, Atoms]:
    """Return both ends of a cell whose first five atoms are the places of one ion.

    :raises ValueError: where these are not on a line.
    """
    if entry["cartesian"]:
        raise ValueError("Cartesian coordinates were not expected")
    fractions, symbols = np.array(entry["coords"], dtype=float), entry["elements"]
    places = fractions[:N_PLACES]
    steps = np.diff(places, axis=0)
    if len(set(symbols[:N_PLACES])) > 1 or np.abs(steps - steps[0]).max() > 1e-3:
        raise ValueError("the first five atoms are not the places of one ion")
    start = Atoms(
        [symbols[0], *symbols[N_PLACES:]],
        scaled_positions=np.concatenate([places[:1], fractions[N_PLACES:]]),
        cell=entry["lattice_mat"],
        pbc=True,
    )
    end = start.copy()
    end.positions[0] = places[-1] @ np.array(entry["lattice_mat"])
    return start, end


def table(path: Path) -> Iterator[dict[str, str]]:
    """Yield the rows of the first sheet of an .xlsx file by the names in its first row, with zip and XML alone."""
    with zipfile.ZipFile(path) as archive:
        shared = ElementTree.fromstring(archive.read("xl/sharedStrings.xml"))
        words = ["".join(text.text or "" for text in item.iter(f"{SHEET}t")) for item in shared.iter(f"{SHEET}si")]
        sheet = ElementTree.fromstring(archive.read("xl/worksheets/sheet1.xml"))
    names: dict[str, str] = {}
    for row in sheet.iter(f"{SHEET}row"):
        cells = {}
        for cell in row.iter(f"{SHEET}c"):
            value = cell.find(f"{SHEET}v")
            column = re.sub(r"\d", "", cell.get("r", ""))
            if value is not None and value.text is not None:
                cells[column] = words[int(value.text)] if cell.get("t") == "s" else value.text
        if not names:
            names = cells
        elif cells:
            yield {names[column]: text for column, text in cells.items() if column in names}


def number_or_none(text: str | None) -> float | None:
    """Return a number, None for a cell of the table that holds none."""
    try:
        return float(text) if text is not None else None
    except ValueError:
        return None


def neb_dft_2k(archive: Path, sha256: str = NEBDFT2K_SHA256) -> list[PublishedPath]:
    """Return the test paths of nebDFT2k, small cells first: the initial band, and the barrier by DFT.

    :param archive: ``nebDFT2k.zip``.
    :raises ValueError: where the file has another hash.
    """
    with archive.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    if digest != sha256:
        raise ValueError(f"{archive} has the sha256 {digest}, not {sha256}: it is not the published file")
    with zipfile.ZipFile(archive) as content:
        names = {Path(name).name: name for name in content.namelist()}
        index = next(name for name in names if name.endswith(".csv"))
        rows = list(csv.DictReader(io.StringIO(content.read(names[index]).decode())))
        paths = [_of_row(row, content, names) for row in rows if row.get("_split", "test") == "test"]
    return sorted(paths, key=lambda path: (len(path.start), path.key))


def _of_row(row: dict[str, str], content: zipfile.ZipFile, names: dict[str, str]) -> PublishedPath:
    text = content.read(names[f"{row['edge_id']}_init.xyz"]).decode()
    band: Any = read(io.StringIO(text), index=":", format="extxyz")
    start, end = (image[[atom.symbol != "X" for atom in image]] for image in (band[0], band[-1]))
    moving = int(np.linalg.norm(end.positions - start.positions, axis=1).argmax())
    about = {"class": "nebDFT2k", "material_id": row.get("material_id")}
    return PublishedPath(row["edge_id"], str(start.symbols[moving]), float(row["em"]), start, end, moving, about)
