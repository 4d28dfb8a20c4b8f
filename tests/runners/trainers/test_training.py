"""Trainings as they run on a compute machine: seeds, zero of energy, labels, kills, and the finished file."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aiida_ion.training.extxyz import ExtxyzKeys, read_extxyz
from aiida_ion.training.frames import SPLITS
from tests.runners.conftest import ENVIRONMENT, place
from tests.runners.trainers.conftest import Training, frames_of, validation_rmse

TEST: dict[str, Any] = {"family": "sevenn", "protocol": "test", "seed": 3}
SEVENN = {"name": "sevenn"}
#: Environment and plan of a training of each family, and the settings of its parent.
FAMILIES = {
    "mace": ("mace", {"family": "mace", "protocol": "test"}, None),
    "allegro": ("nequip", {"family": "allegro", "protocol": "test"}, None),
    "nequip": ("nequip", {"family": "nequip", "protocol": "test"}, None),
    "chgnet": ("chgnet", {"family": "chgnet", "protocol": "test"}, {"name": "chgnet"}),
}


def wait_for_epoch(training: Training, process: Any, timeout_s: float = 120.0) -> None:
    path, end = training.path / "progress.json", time.monotonic() + timeout_s
    while time.monotonic() < end and process.poll() is None:
        if path.exists() and json.loads(path.read_text())["step"] >= 1:
            return
        time.sleep(0.1)
    raise AssertionError(f"no epoch was done: {process.communicate()[1] if process.poll() is not None else 'waiting'}")


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


def test_frames_without_forces_are_refused(training: Any) -> None:
    wrong = training("sevenn").write(TEST, frames_of(), keys=ExtxyzKeys(forces="force"))
    results = wrong.run()
    assert results["status"] == "invalid_input" and "train.extxyz" in results["message"]
    assert "forces" in results["message"] and not (wrong.path / "trainer").exists()


@pytest.mark.slow
def test_a_parent_that_lacks_an_element_is_refused(training: Any) -> None:
    frames = frames_of()
    for split, each in frames.items():
        frames[split] = [type(frame)(**{**vars(frame), "symbols": ["Rn", "Po", "Po"]}) for frame in each]
    results = training("sevenn").write({"family": "sevenn"}, frames, parent=SEVENN).run()
    assert results["status"] == "element_unknown" and "does not know Po, Rn" in results["message"]


@pytest.mark.slow
def test_the_zero_of_energy_changes_no_weight_and_a_seed_gives_one_file(training: Any) -> None:
    """300 eV per atom planted: the same weights, the same forces, and energies that are higher by just that."""
    runs = {}
    for name, offset in (("plain", 0.0), ("again", 0.0), ("planted", 300.0)):
        runs[name] = training("sevenn", name).write(TEST, frames_of(offset), parent=SEVENN)
        assert runs[name].run()["status"] == "finished"
    sha256 = {name: run.results()["files"]["potential"]["sha256"] for name, run in runs.items()}
    assert sha256["plain"] == sha256["again"] != sha256["planted"]
    arrays = {name: run.arrays("predictions.npz") for name, run in runs.items()}
    assert np.array_equal(arrays["plain"]["predicted_forces"], arrays["planted"]["predicted_forces"])
    raised = (arrays["planted"]["predicted_energies"] - arrays["plain"]["predicted_energies"]) / 3
    assert raised == pytest.approx(np.full(8, 300.0), abs=1e-4)  # in single precision
    constants = [runs[name].results()["constants_eV"] for name in ("plain", "planted")]
    assert constants[1] == pytest.approx({key: value + 300.0 for key, value in constants[0].items()}, abs=1e-7)
    assert np.array_equal(
        runs["plain"].arrays("curve.npz")["train_loss"], runs["planted"].arrays("curve.npz")["train_loss"]
    )
    other = training("sevenn", "other").write(TEST | {"seed": 4}, frames_of(), parent=SEVENN)
    assert other.run()["files"]["potential"]["sha256"] != sha256["plain"]


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGKILL])
def test_killed_in_an_epoch(training: Any, sent: signal.Signals) -> None:
    """A signal that announces the end keeps the best epoch; one that kills leaves nothing running."""
    plan = TEST | {"settings": {"n_epochs": 100_000}}
    run = training("sevenn").write(plan, frames_of())
    process = run.start()
    wait_for_epoch(run, process)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    os.kill(process.pid, sent)
    process.communicate(timeout=120)
    time.sleep(1.0)
    assert children and not any(lives(int(pid)) for pid in children)
    if sent == signal.SIGKILL:
        assert not (run.path / "results.json").exists()
        return
    results = run.results()
    assert results["status"] == results["stop_reason"] == "terminated" and 1 <= results["n_epochs"] < 100_000
    assert validation_rmse(run, frames_of()) == pytest.approx(
        run.arrays("curve.npz")["validation_force_rmse_eV_A"][int(results["best_epoch"]) - 1], rel=1e-3
    )


@pytest.mark.slow
def test_the_wall_time_ends_a_training_with_its_best_epoch(training: Any) -> None:
    plan = {"family": "mace", "protocol": "test", "settings": {"n_epochs": 100_000}}
    run = training("mace").write(plan, frames_of(), max_seconds=110.0)
    results = run.run()
    assert results["status"] == "walltime" and results["cost"]["wall_time_s"] < 110.0
    assert "train on with this potential as the parent" in results["message"]
    curve = run.arrays("curve.npz")
    assert curve["validation_loss"][int(results["best_epoch"]) - 1] == curve["validation_loss"].min()
    assert (run.path / results["files"]["potential"]["name"]).is_file()


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_the_finished_file_has_the_errors_of_the_best_epoch(training: Any, family: str) -> None:
    """What is loaded as molecular dynamics does is what the trainer validated, and its zero is that of the labels."""
    environment, plan, parent = FAMILIES[family]
    frames = frames_of(-300.0)
    run = training(environment).write(plan, frames, parent=parent)
    results = run.run()
    assert results["status"] == "finished", results["message"]
    assert results["labels"]["train"] == {"frames": 4, "energies": 4, "forces": 36, "stresses": 0}
    best = run.arrays("curve.npz")["validation_force_rmse_eV_A"][int(results["best_epoch"]) - 1]
    assert validation_rmse(run, frames) == pytest.approx(best, rel=2e-3)
    errors = run.arrays("predictions.npz")["predicted_energies"][:4] / 3 - np.array(
        [frame.energy_eV / 3 for frame in frames["train"]]
    )
    assert np.abs(errors).max() < 2.0
    assert results["n_weights"] > 100 and results["engine"]["dtype"] in ("float32", "float64")


@pytest.mark.slow
@pytest.mark.parametrize("family", ["sevenn", "chgnet"])
def test_stress_has_sign_and_unit_of_the_trainer(training: Any, family: str) -> None:
    """Labels of the parent itself, stress among them, leave nothing to learn; with its sign reversed they do."""
    run = training(family)
    place(run.path, "trainers.train")
    program = Path(__file__).with_name("label_with_parent.py")
    environment = ENVIRONMENT | {"PYTHONPATH": str(run.path)}
    subprocess.run([run.python, program, family, run.path], check=True, env=environment, capture_output=True)
    settings = {"n_epochs": 1, "learning_rate": 1e-12, "batch_size": 1, "stress_weight": 1.0}
    plan = {"family": family, "settings": settings}
    losses = []
    for sign in (1.0, -1.0):
        frames = {split: read_extxyz((run.path / f"{split}.extxyz").read_text()) for split in SPLITS}
        if sign < 0:
            frames = {
                split: [replace(frame, stress=-frame.stress) for frame in each if frame.stress is not None]
                for split, each in frames.items()
            }
        results = run.write(plan, frames, parent={"name": family}, stress=True).run()
        assert results["trains_on_stress"] and results["labels"]["train"]["stresses"] == 2
        losses.append(run.arrays("curve.npz")["validation_loss"][0])
    assert losses[0] < 1e-5
    assert losses[1] > 1e-3
