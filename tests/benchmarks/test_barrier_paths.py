"""The loaders of published migration paths, on files of their formats, and the scores."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import json
import sys
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.io import write

FOLDER = Path(__file__).parents[2] / "benchmarks"
SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look there
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def paths() -> ModuleType:
    return load("barrier_paths")


def xlsx(path: Path, rows: list[list[str | float]]) -> None:
    words = [cell for row in rows for cell in row if isinstance(cell, str)]
    lines = []
    for number, row in enumerate(rows, start=1):
        cells = []
        for column, cell in zip("ABCDEFGHIJ", row, strict=False):
            kind, value = (' t="s"', words.index(cell)) if isinstance(cell, str) else ("", cell)
            cells.append(f'<c r="{column}{number}"{kind}><v>{value}</v></c>')
        lines.append(f'<row r="{number}">{"".join(cells)}</row>')
    with zipfile.ZipFile(path, "w") as archive:
        items = "".join(f"<si><t>{word}</t></si>" for word in words)
        archive.writestr("xl/sharedStrings.xml", f'<sst xmlns="{SHEET}">{items}</sst>')
        sheet = f'<worksheet xmlns="{SHEET}"><sheetData>{"".join(lines)}</sheetData></worksheet>'
        archive.writestr("xl/worksheets/sheet1.xml", sheet)


def test_paths_of_the_literature_have_two_ends_and_their_row(paths: ModuleType, tmp_path: Path) -> None:
    header: list[str | float] = ["CLASS", "XC", "SPACE GROUP", "sys_name", "MIGRATION BARRIER(eV)", "MACE-RELAX"]
    xlsx(tmp_path / "TABULATION-GIT-HUB.xlsx", [header, ["OXIDES", "GGA", "Fm-3m", "Li2O_1", 0.25, 0.31]])
    places = [[0.9 + 0.05 * i, 0.5, 0.5] for i in range(5)]
    cell = {
        "lattice_mat": (8 * np.eye(3)).tolist(),
        "coords": [*places, [0, 0, 0], [0.5, 0, 0]],
        "elements": ["Li"] * 6 + ["O"],
        "cartesian": False,
    }
    entry = {"class": "OXIDES", "sys_name": "Li2O_1", "target": 0.25, "atoms": cell}
    big = {**entry, "sys_name": "other", "atoms": {**cell, "coords": [*cell["coords"], [0.2, 0.2, 0.2]]}}
    big["atoms"]["elements"] = [*cell["elements"], "O"]
    (tmp_path / "RAW-Em-5-images-TRAIN.json").write_text(json.dumps([big, entry]))
    first, second = paths.literature(tmp_path)
    assert (first.key, second.key) == ("001_Li2O_1", "000_other")
    assert (first.species, first.reference_eV, len(first.start)) == ("Li", 0.25, 3)
    np.testing.assert_allclose(first.end.positions[0] - first.start.positions[0], [1.6, 0, 0])
    np.testing.assert_allclose(first.end.positions[1:], first.start.positions[1:])
    assert first.about["mace_relaxed_eV"] == 0.31
    assert second.about["mace_relaxed_eV"] is None
    bent = {**cell, "coords": [[0, 0, 0], [0.1, 0, 0], [0.2, 0.1, 0], [0.3, 0, 0], [0.4, 0, 0], [0.5, 0.5, 0.5]]}
    with pytest.raises(ValueError, match="not the places of one ion"):
        paths.ends_of({**bent, "elements": ["Li"] * 5 + ["O"]})


def test_the_archive_of_nebdft2k_must_be_the_published_one(paths: ModuleType, tmp_path: Path) -> None:
    start = Atoms("OLiX", positions=[[0, 0, 0], [2, 0, 0], [3, 0, 0]], cell=[6, 6, 6], pbc=True)
    end = start.copy()
    end.positions[1, 0] = 4.0
    text = io.StringIO()
    write(text, [start, end], format="extxyz")
    archive = tmp_path / "nebDFT2k.zip"
    with zipfile.ZipFile(archive, "w") as content:
        content.writestr(
            "nebDFT2k/nebDFT2k_index.csv", "material_id,edge_id,_split,em\nmp-1,e1,test,0.5\nmp-2,e2,train,1\n"
        )
        content.writestr("nebDFT2k/e1_init.xyz", text.getvalue())
    with pytest.raises(ValueError, match="it is not the published file"):
        paths.neb_dft_2k(archive)
    (path,) = paths.neb_dft_2k(archive, hashlib.sha256(archive.read_bytes()).hexdigest())
    assert (path.key, path.species, path.moving, path.reference_eV, len(path.start)) == ("e1", "Li", 1, 0.5, 2)


def test_failures_count_as_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    barriers = load("barriers")
    records: list[dict[str, Any]] = [
        {"verdict": "converged", "reference_eV": 0.3, "forward_eV": 0.4, "reverse_eV": 0.2},
        {"verdict": "converged", "reference_eV": 0.8, "forward_eV": 0.4, "reverse_eV": 0.4},
        {"verdict": "converged", "reference_eV": 1.0, "forward_eV": 1.1, "reverse_eV": 1.1},
        {"verdict": "fell_back", "reference_eV": 0.2},
    ]
    values = [barriers.barrier_of(record) for record in records]
    assert values == [0.4, 0.4, 1.1, None]
    words = barriers.row("all", records, values).split()
    # Name, paths, failed, MAE of the others, median of all, worse than 1 eV, right at 0.5 eV, rank correlation.
    assert words[:7] == ["all", "4", "1", "0.200", "0.250", "25%", "50%"]
    assert barriers.row("none", records, [None] * 4).split()[-2:] == ["0%", "nan"]
    assert capsys.readouterr().out == ""
