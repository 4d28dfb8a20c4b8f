"""The programs that train a surrogate and predict with it, as they run on a compute machine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.synthetic.springs import synthetic_dataset
from tests.runners.conftest import place
from tests.runners.in_process import run_here

INPUTS: dict[str, Any] = {
    "protocol": "baseline",
    "settings": {"n_epochs": 6, "scalars": 4, "vectors": 2, "n_samplings": 2},
    "n_folds": 2,
    "controls": False,
    "seed": 3,
    "device": "cpu",
    "said": {"temperature_K": 1000.0},
}


def folder_with(folder: Path, program: str, inputs: dict[str, Any], n_materials: int = 12) -> Path:
    folder.mkdir()
    place(folder, program)
    dataset = synthetic_dataset(n_materials)
    np.savez(folder / "dataset.npz", **dataset.arrays)  # type: ignore[arg-type]
    (folder / "inputs.json").write_text(json.dumps({"materials": dataset.materials, **inputs}))
    return folder


def environment() -> dict[str, str]:
    """Return an environment in which our package is only what lies beside the program."""
    return {**os.environ, "PYTHONPATH": "", "PYTHONSAFEPATH": ""}


def run(folder: Path, program: str) -> dict[str, Any]:
    assert run_here(program, folder) == 0
    results: dict[str, Any] = json.loads((folder / "results.json").read_text())
    return results


def run_alone(folder: Path, program: str) -> dict[str, Any]:
    """Run it in a process of its own, with nothing of our package but what lies beside it."""
    done = subprocess.run(
        [sys.executable, "-m", f"aiida_ion.runners.{program}"],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    results: dict[str, Any] = json.loads((folder / "results.json").read_text())
    return results


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = folder_with(tmp_path_factory.mktemp("train") / "run", "surrogate.train", INPUTS)
    assert run_alone(folder, "surrogate.train")["status"] == "finished"
    return folder


def test_a_training_says_what_it_found(trained: Path) -> None:
    results = json.loads((trained / "results.json").read_text())
    assert results["settings"]["n_epochs"] == 6
    assert {"torch", "e3nn", "safetensors"} < set(results["versions"])
    assert [one["arm"] for one in results["arms"]] == [
        "model",
        "mean",
        "composition_forest",
        "short_md_same_calls",
        "short_md_slope",
    ]
    assert results["metrics"]["n_materials"] == 12
    assert results["n_parameters"] > 100
    assert results["cost"]["device"] == "cpu"
    with np.load(trained / "report.npz", allow_pickle=False) as report:
        assert report["predicted"].shape == (12,)
        assert report["train_loss"].shape == (2, 2)
    progress = json.loads((trained / "progress.json").read_text())
    assert progress["step"] == progress["n_steps"] == 12


def test_a_model_predicts_new_materials(trained: Path, tmp_path: Path) -> None:
    folder = folder_with(tmp_path / "predict", "surrogate.predict", {}, n_materials=5)
    (folder / "model.safetensors").write_bytes((trained / "model.safetensors").read_bytes())
    results = run_alone(folder, "surrogate.predict")
    assert results["status"] == "finished"
    assert results["said"]["temperature_K"] == 1000.0
    assert len(results["reasons"]) == 5
    with np.load(folder / "predictions.npz", allow_pickle=False) as values:
        assert values["interval95"].shape == (5, 2)
        assert (values["interval95"][:, 0] < values["log10_slope"]).all()


@pytest.mark.slow
def test_a_training_goes_on_after_it_was_stopped(trained: Path, tmp_path: Path) -> None:
    """The end is the same to the last bit, whether by a signal or by the wall time, and whenever it was."""
    folder = folder_with(tmp_path / "stopped", "surrogate.train", {**INPUTS, "max_seconds": 0.01})
    results = run(folder, "surrogate.train")
    assert results["status"] == "walltime"
    assert "of 12 epochs" in results["message"]
    (folder / "inputs.json").write_text(
        json.dumps({**json.loads((folder / "inputs.json").read_text()), "max_seconds": None})
    )
    command = [sys.executable, "-m", "aiida_ion.runners.surrogate.train"]
    (folder / "progress.json").unlink(missing_ok=True)
    process = subprocess.Popen(command, cwd=folder, env=environment())
    while process.poll() is None and not (folder / "progress.json").exists():
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 0
    assert json.loads((folder / "results.json").read_text())["status"] == "terminated"
    assert run_alone(folder, "surrogate.train")["status"] == "finished"
    assert (folder / "model.safetensors").read_bytes() == (trained / "model.safetensors").read_bytes()
    with np.load(folder / "report.npz") as ours, np.load(trained / "report.npz") as theirs:
        assert all(np.array_equal(ours[name], theirs[name], equal_nan=True) for name in theirs.files)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"protocol": "fast"}, "no protocol 'fast'"),
        ({"settings": {"epochs": 3}}, "unknown setting epochs"),
        ({"n_folds": 40}, "40 folds need as many groups"),
        ({"split": "luck"}, "split must be one of"),
        ({"materials": []}, None),
        ({"materials": [{}]}, "1 materials are described"),
    ],
)
def test_bad_input_ends_before_anything_is_trained(tmp_path: Path, changes: dict[str, Any], said: str | None) -> None:
    folder = folder_with(tmp_path / "bad", "surrogate.train", {**INPUTS, **changes, "max_seconds": 1.0})
    results = run(folder, "surrogate.train")
    if said is None:
        assert results["status"] in ("finished", "walltime")
    else:
        assert results["status"] == "invalid_input"
        assert said in results["message"]


def test_a_hostile_model_is_refused(tmp_path: Path) -> None:
    folder = folder_with(tmp_path / "hostile", "surrogate.predict", {})
    (folder / "model.safetensors").write_bytes(b"\x80\x04cposix\nsystem\n(S'touch trapped'\ntR.")
    results = run(folder, "surrogate.predict")
    assert results["status"] == "invalid_input"
    assert "not a safetensors file" in results["message"]
    assert not (folder / "trapped").exists()
