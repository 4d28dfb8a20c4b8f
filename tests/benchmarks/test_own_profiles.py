"""The benchmarks that are commands in a profile of their own, at the size of a toy, so that they do not rot."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ENGINES, engine_environment

FOLDER = Path(__file__).parents[2] / "benchmarks"

#: One short run of four cells of 24 atoms.
VACANCIES = {
    "concentrations": [1 / 16, 2 / 16],
    "cells": 1,
    "seeds": [1],
    "max_atoms": 30,
    "min_width_A": 5.0,
    "temperatures_K": [1500],
    "longest_ps": 6.0,
    "shortest_ps": 3.0,
    "equilibration_ps": 1.0,
}
#: A student that is cold enough to survive what little it learnt.
ARGYRODITE = {
    "ordered_temperatures_K": [200, 300],
    "exchanged_temperatures_K": [200, 300],
    "members": 2,
    "ordered_ps": 1.0,
    "exchanged_ps": 1.0,
    "equilibration_ps": 0.1,
    "student": {
        "max_temperature_K": 300.0,
        "n_train_steps": 60,
        "n_validation_steps": 5,
        "n_test_steps": 20,
        "generate": {"n_rattled": 10, "n_strained": 4},
        "push": {"max_frames": 2, "fractions": [0.9]},
        "explore_ps": 0.04,
        "acceptance_ps": 0.1,
        "n_seeds": 2,
        "n_spread_frames": 0,
        "max_loops": 1,
    },
    "student_settings": {"radial_2": 4, "radial_3": 3, "angular_3": 2, "equations_per_descriptor": 1.0},
}


def run(script: str, folder: Path, settings: dict[str, Any], *more: str) -> str:
    """Return what a benchmark prints; its end must be a good one."""
    environment = {name: value for name, value in os.environ.items() if name != "AIIDA_PATH"}
    done = subprocess.run(
        [
            *(sys.executable, str(FOLDER / script), "--engines", str(ENGINES), "--folder", str(folder)),
            *("--set", json.dumps(settings), *more),
        ],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.mark.slow
def test_vacancies(tmp_path: Path) -> None:
    engine_environment("lammps")
    shown = run("vacancies.py", tmp_path, VACANCIES)
    assert shown.count("2 draws gave") + shown.count("1 draws gave") == 2
    # Runs this short may be bounds alone: the conductivities of all three cells are stated either way.
    points = r"^ +(?:0|0\.0625|0\.125): .*mS/cm.*$"
    assert re.search(r"^\d+ K: ", shown, re.MULTILINE) and len(re.findall(points, shown, re.MULTILINE)) == 3
    assert (tmp_path / "conductivity.html").stat().st_size > 1e6
    again = run("vacancies.py", tmp_path, VACANCIES)
    assert "all cells are there" in again
    # Nothing is computed twice.
    assert re.findall(points, again, re.MULTILINE) == re.findall(points, shown, re.MULTILINE)


@pytest.mark.slow
def test_argyrodite(tmp_path: Path) -> None:
    engine_environment("lammps")
    engine_environment("sevenn")
    shown = run("argyrodite.py", tmp_path, ARGYRODITE)
    assert "SevenNet 7net-0 by POD" in shown
    rows = re.findall(r"^\| (\d+) \| ", shown, re.MULTILINE)
    assert rows == ["200", "300"]
    assert "the student is registered" in run("argyrodite.py", tmp_path, ARGYRODITE, "--stages", "student")


@pytest.mark.parametrize("script", ["vacancies.py", "argyrodite.py"])
def test_unknown_settings_are_refused(script: str, tmp_path: Path) -> None:
    words = [sys.executable, str(FOLDER / script), "--folder", str(tmp_path), "--set", '{"temperature": 300}']
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "there is no setting temperature; choose from" in done.stderr
    assert not list(tmp_path.iterdir())
