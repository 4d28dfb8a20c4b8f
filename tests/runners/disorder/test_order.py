"""The program that orders a crystal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aiida_ion.runners.disorder.order import body
from aiida_ion.runners.output import run_program

CRYSTAL = {
    "cell_A": [[4.0, 0, 0], [0, 4.0, 0], [0, 0, 8.0]],
    "occupancies": [{"Li": 0.5}, {"Li": 0.5}, {"Cl": 1.0}],
    "fractional": [[0, 0, 0], [0, 0, 0.5], [0.5, 0.5, 0.25]],
    "labels": ["Li1", "Li2", "Cl1"],
}


def run(folder: Path, inputs: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.chdir(folder)
    (folder / "inputs.json").write_text(json.dumps(inputs))
    assert run_program(body) == 0
    return dict(json.loads((folder / "results.json").read_text()))


def test_cells_and_their_description_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {"max_atoms": 16, "n_orderings": 3, "sweeps": 10, "min_width_A": 0.0}
    results = run(tmp_path, {"crystal": CRYSTAL, "settings": settings}, monkeypatch)
    assert results["status"] == "finished"
    cells = json.loads((tmp_path / "orderings.json").read_text())
    assert len(cells) == len(results["ensemble"]["members"])
    for cell in cells:
        assert cell["symbols"].count("Li") == cell["symbols"].count("Cl")


def test_a_charged_crystal_is_refused_with_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crystal = CRYSTAL | {"occupancies": [{"Li": 0.5}, {"Li": 0.9}, {"Cl": 1.0}]}
    results = run(tmp_path, {"crystal": crystal, "settings": {}}, monkeypatch)
    assert results["status"] == "invalid_input"
    assert "+0.40 e" in results["message"]
