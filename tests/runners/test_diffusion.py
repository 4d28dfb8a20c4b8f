"""The diffusion program as a job runs it: a process of its own in a folder of files."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import aiida_ion.runners.diffusion as program
from tests.analysis.synthetic import D_CM2_S, brownian, crystal
from tests.runners.conftest import ENVIRONMENT, place


def write_folder(folder: Path, mobile: np.ndarray, **changes: object) -> None:
    """Two segments of one replica, float32, as the MD runner leaves them."""
    segment, symbols = crystal(mobile)
    files = []
    for number, part in enumerate((slice(0, 200), slice(200, None))):
        names = {name: f"{name}_{number}.npy" for name in ("positions", "steps", "times", "cells")}
        n_frames = len(segment.times_ps[part])
        np.save(folder / names["positions"], segment.positions[part])
        np.save(folder / names["steps"], np.arange(len(segment.times_ps))[part] * 50)
        np.save(folder / names["times"], segment.times_ps[part])
        np.save(folder / names["cells"], np.repeat(segment.cells[None], n_frames, axis=0))
        files.append(names)
    inputs = {
        "replicas": [files],
        "symbols": symbols,
        "mobile_species": "Li",
        "charges": {"Li": 1.0, "O": -2.0},
        "target_temperature_K": 800.0,
        "settings": {"collective": False},
    }
    (folder / "inputs.json").write_text(json.dumps(inputs | changes), encoding="utf-8")


def run(folder: Path) -> dict:
    finished = subprocess.run(
        [sys.executable, *place(folder, "diffusion")],
        cwd=folder,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    assert not (folder / "results.json.part").exists()
    return json.loads((folder / "results.json").read_text(encoding="utf-8"))


def test_a_run_that_moved(tmp_path):
    write_folder(tmp_path, brownian(1, 600))
    results = run(tmp_path)
    assert results["status"] == "finished"
    assert results["verdict"] == "moved"
    assert results["tracer_diffusivity_cm2_s"] == pytest.approx(D_CM2_S, rel=0.4)
    assert (results["temperature_K"], results["target_temperature_K"]) == (800.0, 800.0)
    assert "temperature_mean_K" not in results
    assert results["settings"]["n_lags"] == 30
    assert results["units"]["diffusivity"] == "cm^2/s"
    assert set(results["versions"]) >= {"python", "kinisi", "numpy", "scipy"}
    assert results["cost"]["wall_time_s"] > 0
    with np.load(tmp_path / "arrays.npz", allow_pickle=False) as arrays:
        assert set(arrays.files) >= {"lag_times_ps", "msd_A2", "msd_std_A2", "tracer_diffusivity_samples_cm2_s"}
        draws = arrays["tracer_diffusivity_samples_cm2_s"]
        assert np.median(draws) == pytest.approx(results["tracer_diffusivity_cm2_s"], rel=0.02)


def run_here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict:
    """The same without the seconds that a new process takes to import kinisi."""
    monkeypatch.chdir(folder)
    program.main()
    return json.loads((folder / "results.json").read_text(encoding="utf-8"))


def test_a_run_that_did_not(tmp_path, monkeypatch):
    write_folder(tmp_path, brownian(1, 600, diffusivity_A2_ps=0.0))
    results = run_here(tmp_path, monkeypatch)
    assert results["status"] == "finished"
    assert results["verdict"] == "bound"
    assert results["tracer_diffusivity_cm2_s"] is None
    assert results["tracer_diffusivity_upper_bound_cm2_s"] > 0
    assert results["message"] == results["reason"]
    with np.load(tmp_path / "arrays.npz", allow_pickle=False) as arrays:
        assert "tracer_diffusivity_samples_cm2_s" not in arrays.files


def add_thermo(folder: Path, **arrays: np.ndarray) -> None:
    """Thermo of 6000 steps in two segments: 900 K for the first 2 ps, 812 K from then on."""
    steps = np.arange(6000)
    values = {
        "steps": steps,
        "temperature": np.where(steps < 1000, 900.0, 812.0).astype(np.float32),
        "potential_energy": np.full(6000, -100.0),
        "conserved_energy": np.full(6000, np.nan),
    } | arrays
    segments = []
    for number, part in enumerate((slice(0, 2000), slice(2000, None))):
        files = {name: f"thermo_{name}_{number}.npy" for name in values}
        for name, value in values.items():
            np.save(folder / files[name], value[part])
        segments.append({"timestep_fs": 2.0, "ensemble": "nvt", "files": files})
    inputs = json.loads((folder / "inputs.json").read_text())
    inputs |= {"thermo": [segments], "settings": {"collective": False, "equilibration_fs": 2000.0}}
    (folder / "inputs.json").write_text(json.dumps(inputs), encoding="utf-8")


def test_thermo_is_joined_and_its_temperature_measured_after_equilibration(tmp_path, monkeypatch):
    write_folder(tmp_path, brownian(1, 600))
    add_thermo(tmp_path, max_force=np.ones(6000))
    (replica,) = program.load_thermo(tmp_path, program.read_inputs(tmp_path, program.REQUIRED))
    assert replica.times_ps[[0, -1]] == pytest.approx([0.0, 11.998])
    assert (replica.n_atoms, replica.ensemble, replica.conserved_energy_eV) == (50, "nvt", None)
    assert replica.max_force_eV_A is not None
    assert len(replica.after(2000.0).times_ps) == 5000
    results = run_here(tmp_path, monkeypatch)
    assert results["temperature_K"] == results["temperature_mean_K"] == pytest.approx(812.0)
    assert results["target_temperature_K"] == 800.0
    assert results["temperature_drift_K"] == pytest.approx(0.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": np.zeros(6000)}, "do not increase"),
        ({"temperature": np.full(6000, np.inf)}, "temperature_K holds a number that is not finite"),
        ({"charge_current": np.zeros(6000)}, "charge_current_e_A_fs has shape (2000,), not (2000, 3)"),
        ({"max_force": np.array([{"a": 1}] * 6000, dtype=object)}, "thermo_max_force_0.npy cannot be read"),
    ],
)
def test_thermo_that_cannot_be_used(tmp_path, monkeypatch, change, message):
    write_folder(tmp_path, brownian(1, 300))
    add_thermo(tmp_path, **change)
    results = run_here(tmp_path, monkeypatch)
    assert results["status"] == "invalid_input"
    assert message in results["message"]


def spoil_positions(folder: Path) -> None:
    (folder / "positions_1.npy").write_bytes(b"\x93NUMPY nothing")


def pickle_cells(folder: Path) -> None:
    np.save(folder / "cells_0.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)


def double_a_frame(folder: Path) -> None:
    times = np.load(folder / "times_1.npy")
    np.save(folder / "times_1.npy", times - 0.1)


def explode(folder: Path) -> None:
    positions = np.load(folder / "positions_0.npy")
    positions[-1, 3, 0] = np.nan
    np.save(folder / "positions_0.npy", positions)


def repeat_steps(folder: Path) -> None:
    np.save(folder / "steps_0.npy", np.zeros(200, dtype=np.int64))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / "times_0.npy").unlink(), "times_0.npy cannot be read"),
        (spoil_positions, "positions_1.npy cannot be read"),
        (pickle_cells, "cells_0.npy cannot be read"),
        (double_a_frame, "a frame is doubled"),
        (explode, "not finite"),
        (repeat_steps, "steps must increase"),
        (lambda folder: (folder / "inputs.json").write_text("{"), "inputs.json cannot be read"),
        (lambda folder: (folder / "inputs.json").write_text('{"symbols": []}'), "inputs.json lacks replicas"),
    ],
)
def test_input_that_cannot_be_analysed(tmp_path, monkeypatch, spoil, message):
    write_folder(tmp_path, brownian(1, 300))
    spoil(tmp_path)
    results = run_here(tmp_path, monkeypatch)
    assert results["status"] == "invalid_input"
    assert message in results["message"]
    assert "\n" not in results["message"]
    assert not (tmp_path / "arrays.npz").exists()


def test_a_segment_without_cells(tmp_path, monkeypatch):
    write_folder(tmp_path, brownian(1, 300), replicas=[[{"positions": "positions_0.npy", "times": "times_0.npy"}]])
    assert "no file for its cells" in run_here(tmp_path, monkeypatch)["message"]


def test_unknown_setting(tmp_path, monkeypatch):
    write_folder(tmp_path, brownian(1, 300), settings={"lags": 3})
    assert "unknown diffusion setting lags" in run_here(tmp_path, monkeypatch)["message"]
