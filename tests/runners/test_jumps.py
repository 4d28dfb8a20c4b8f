"""The jumps program as a job runs it: a process of its own in a folder of files."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("gemdat")

import aiida_ion.runners.jumps as program
from tests.analysis.jumps.hopper import Hopper
from tests.runners.conftest import ENVIRONMENT, place


def write_folder(folder: Path, **changes: object) -> None:
    """Two segments of one replica and the program with everything it imports, as a job has them."""
    hopper = Hopper(n_frames=2500)
    segment, symbols = hopper.segment(1)
    files = []
    for number, part in enumerate((slice(0, 900), slice(900, None))):
        names = {name: f"{name}_{number}.npy" for name in ("positions", "steps", "times", "cells")}
        np.save(folder / names["positions"], segment.positions[part])
        np.save(folder / names["steps"], np.arange(2500)[part] * 10)
        np.save(folder / names["times"], segment.times_ps[part])
        np.save(folder / names["cells"], segment.cells)
        files.append(names)
    inputs = {"replicas": [files], "symbols": symbols, "mobile_species": "Li", "temperature_K": 900.0}
    (folder / "inputs.json").write_text(json.dumps(inputs | changes), encoding="utf-8")


def run(folder: Path, *options: str) -> dict[str, Any]:
    command = [sys.executable, *options, *place(folder, "jumps")]
    done = subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (done.stdout, done.stderr) == ("", "")
    return json.loads((folder / "results.json").read_text(encoding="utf-8"))


def test_a_folder_becomes_a_jump_analysis(tmp_path: Path) -> None:
    """With warnings as errors: GEMDAT and its dependencies neither warn nor print."""
    write_folder(tmp_path)
    results = run(tmp_path, "-W", "error")
    assert results["status"] == "finished", results["message"]
    assert results["n_sites"] == 27
    assert results["jump_rate_1_ps"] == pytest.approx(0.9, rel=0.3)
    assert results["temperature_K"] == 900.0
    assert results["settings"]["sites"] == "auto"
    assert set(results["versions"]) >= {"python", "gemdat", "MDAnalysis", "spglib"}
    assert results["units"]["rate"] == "1/ps"
    with np.load(tmp_path / "arrays.npz", allow_pickle=False) as arrays:
        assert arrays["site_fractional_coordinates"].shape == (27, 3)
        assert arrays["transition_count"].sum() == results["n_jumps"]
        assert arrays["site_occupancy"].sum() == pytest.approx(16, rel=0.01)


def test_without_gemdat_it_says_what_to_install(tmp_path: Path) -> None:
    write_folder(tmp_path)
    (tmp_path / "gemdat.py").write_text("raise ImportError('No module named gemdat')\n")
    results = run(tmp_path)
    assert results["status"] == "engine_import_failed"
    assert "pip install aiida-ion[jumps]" in results["message"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"settings": {"radius": 1}}, "unknown jump setting radius"),
        ({"mobile_species": "Na"}, "there is no Na among Li, O"),
        ({"settings": {"sites": "structure"}}, "none is given"),
        ({"settings": {"equilibration_fs": 1e6}}, "are left after"),
    ],
)
def test_input_that_cannot_be_analysed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], message: str
) -> None:
    write_folder(tmp_path, **changes)
    monkeypatch.chdir(tmp_path)
    program.main()
    results = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert results["status"] == "invalid_input"
    assert message in results["message"]
