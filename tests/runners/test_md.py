"""The MD program, run for real: what it writes, how it stops, and that it continues to the last bit."""

from __future__ import annotations

import json
import shutil
import signal
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from tests.runners.conftest import ARGON, EMT, Folder, engine_python, md_settings

MakeFolder = Callable[[str], Folder]
LONG = 10**7


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 300.0
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def save_starts(folder: Folder) -> Callable[[], bool]:
    return lambda: (folder.path / "progress.json").exists()


def assert_same_end(one: Folder, other: Folder) -> None:
    """Assert that two runs ended in the same state, hidden variables included."""
    left, right = one.restart(), other.restart()
    assert left.keys() == right.keys()
    own = {"start_step", "writes_start", "n_frames", "n_thermo"}
    different = [name for name in left.keys() - own if not np.array_equal(left[name], right[name])]
    assert different == []


def test_results_and_arrays(make_folder: MakeFolder, copper: Atoms) -> None:
    settings = md_settings(keep=["velocities", "forces"])
    folder = make_folder("run").write(copper, md=settings, potential=EMT, charges={"Cu": 1.0, "Ag": -2.0})
    results = folder.run()
    assert results["status"] == "finished"
    assert (results["start_step"], results["last_step"]) == (0, 40)
    assert (results["n_frames"], results["n_thermo"]) == (9, 41)
    assert results["cost"]["n_steps"] == 40 and results["cost"]["n_atoms"] == 32
    assert results["cost"]["peak_memory_MiB"] > 10 and results["cost"]["gpu_time_s"] == 0.0
    assert results["versions"]["ase"] and len(results["versions"]["runner_sha256"]) == 64
    np.testing.assert_array_equal(folder.array("steps"), np.arange(0, 41, 5))
    positions, velocities, thermo = (folder.array(name) for name in ("positions", "velocities", "thermo"))
    assert positions.dtype == velocities.dtype == folder.array("forces").dtype == np.float32
    assert positions.shape == (9, 32, 3)
    np.testing.assert_array_equal(thermo["step"], np.arange(41))
    np.testing.assert_allclose(positions[0], copper.positions, atol=1e-6)
    masses = copper.get_masses()
    # Kinetic energy in eV from amu (angstrom/fs)^2, and its temperature for 3N-3 degrees of freedom.
    kinetic = 0.5 * np.einsum("i,tij->t", masses, velocities.astype(float) ** 2) * 103.642697
    np.testing.assert_allclose(thermo["kinetic_energy_eV"][::5], kinetic, rtol=1e-5)
    np.testing.assert_allclose(thermo["temperature_K"][::5], 2 * kinetic / (93 * 8.617333e-5), rtol=1e-5)
    largest = np.linalg.norm(folder.array("forces"), axis=2).max(axis=1)
    np.testing.assert_allclose(thermo["max_force_eV_A"][::5], largest, rtol=1e-5)


def test_charge_current(make_folder: MakeFolder, copper: Atoms) -> None:
    settings = md_settings(keep=["velocities"], sample_every=1)
    charges = {"Cu": 1.0, "Ag": -2.0}
    folder = make_folder("run").write(copper, md=settings, potential=EMT, charges=charges)
    folder.run()
    each = np.array([charges[symbol] for symbol in copper.symbols])
    expected = np.einsum("i,tij->tj", each, folder.array("velocities"))
    current = folder.array("thermo")["charge_current_e_A_fs"]
    np.testing.assert_allclose(current, expected, atol=1e-6 * np.abs(expected).max() * 10)


@pytest.mark.parametrize("n_first", [17, 20])
def test_continuation_to_the_last_bit(make_folder: MakeFolder, copper: Atoms, n_first: int) -> None:
    whole = make_folder("whole").write(copper, md=md_settings(), potential=EMT)
    first = make_folder("first").write(copper, md=md_settings(n_steps=n_first), potential=EMT)
    second = make_folder("second").write(copper, md=md_settings(), potential=EMT)
    whole.run()
    first.run()
    shutil.copy(first.path / "restart.npz", second.path)
    results = second.run()
    assert (results["start_step"], results["last_step"], results["initial_velocities"]) == (n_first, 40, "restart")
    assert first.array("steps").max() <= n_first < second.array("steps").min()
    for name in ("steps", "positions", "thermo"):
        joined = np.concatenate([first.array(name), second.array(name)])
        np.testing.assert_array_equal(joined, whole.array(name))
    assert_same_end(whole, second)


def test_killed_run_continues_to_the_last_bit(make_folder: MakeFolder, argon: Atoms) -> None:
    settings = md_settings(temperature_K=50.0, n_steps=2500, restart_every_seconds=0.3)
    killed = make_folder("killed").write(argon, md=settings, potential=ARGON)
    process = killed.start()
    wait_for(lambda: (killed.path / "restart.npz").exists() and int(killed.restart()["step"]) > 0)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (killed.path / "results.json").exists()
    restart = killed.restart()
    step, n_frames, n_thermo = (int(restart[name]) for name in ("step", "n_frames", "n_thermo"))
    assert 0 < step < 2500
    np.testing.assert_array_equal(killed.array("steps")[:n_frames], np.arange(0, step + 1, 5))
    np.testing.assert_array_equal(killed.array("thermo")["step"][:n_thermo], np.arange(step + 1))
    elsewhere = make_folder("elsewhere").write(argon, md=settings, potential=ARGON)
    shutil.copy(killed.path / "restart.npz", elsewhere.path)
    before = {name: killed.array(name)[:n] for name, n in (("positions", n_frames), ("thermo", n_thermo))}
    whole = make_folder("whole").write(argon, md=settings, potential=ARGON)
    whole.run()
    elsewhere.run()
    for name, rows in before.items():
        joined = np.concatenate([rows, elsewhere.array(name)])
        np.testing.assert_array_equal(joined, whole.array(name))
    assert_same_end(whole, elsewhere)
    # Started again where it was killed, the run continues in its own arrays.
    results = killed.run()
    assert (results["start_step"], results["n_thermo"]) == (0, 2501)
    for name in ("steps", "positions", "thermo"):
        np.testing.assert_array_equal(killed.array(name), whole.array(name))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_signal_stops_the_run_whole(make_folder: MakeFolder, argon: Atoms, number: signal.Signals) -> None:
    folder = make_folder("run").write(argon, md=md_settings(temperature_K=50.0, n_steps=LONG), potential=ARGON)
    process = folder.start()
    wait_for(save_starts(folder))
    process.send_signal(number)
    assert process.wait(timeout=30) == 0
    results, restart = folder.results(), folder.restart()
    assert results["status"] == "terminated" and number.name in results["message"]
    assert int(restart["step"]) == results["last_step"] > 0
    assert len(folder.array("thermo")) == results["n_thermo"] == results["last_step"] + 1
    assert len(folder.array("positions")) == results["n_frames"] == results["last_step"] // 5 + 1
    progress = json.loads((folder.path / "progress.json").read_text())
    assert progress["n_steps"] == LONG and progress["steps_per_s"] > 0 and progress["seconds_left"] > 0


def test_walltime(make_folder: MakeFolder, argon: Atoms) -> None:
    settings = md_settings(temperature_K=50.0, n_steps=LONG)
    folder = make_folder("run").write(argon, md=settings, potential=ARGON, max_seconds=2.0)
    results = folder.run()
    assert results["status"] == "walltime"
    assert int(folder.restart()["step"]) == results["last_step"] > 0


def test_walltime_before_the_first_step_loses_nothing(make_folder: MakeFolder, argon: Atoms) -> None:
    settings = md_settings(temperature_K=50.0, n_steps=20)
    first = make_folder("first").write(argon, md=settings, potential=ARGON, max_seconds=0.001)
    assert first.run()["status"] == "walltime"
    assert first.array("steps").tolist() == [0]
    second = make_folder("second").write(argon, md=settings, potential=ARGON)
    shutil.copy(first.path / "restart.npz", second.path)
    second.run()
    assert second.array("steps").tolist() == [5, 10, 15, 20]


@pytest.mark.parametrize("cause", ["two atoms too close", "huge timestep", "too hot", "too near"])
def test_explosion(make_folder: MakeFolder, copper: Atoms, cause: str) -> None:
    changes: dict[str, Any] = {}
    if cause == "two atoms too close":
        copper.positions[1] = copper.positions[0] + 0.3
    elif cause == "huge timestep":
        changes = {"timestep_fs": 100.0, "ensemble": "nve", "n_steps": 500, "max_temperature_ratio": 1e9}
    elif cause == "too near":
        changes = {"min_distance_ratio": 1.25, "temperature_K": 2000.0, "n_steps": 200}
    else:
        changes = {"max_temperature_ratio": 0.01, "ensemble": "nve"}
    folder = make_folder("run").write(copper, md=md_settings(**changes), potential=EMT)
    results = folder.run()
    assert results["status"] == "exploded"
    assert len(folder.array("thermo")) == results["n_thermo"] and len(folder.array("steps")) == results["n_frames"]
    assert np.isfinite(folder.array("positions")).all()
    if cause == "two atoms too close":
        assert results["n_thermo"] == 0 and "step 0" in results["message"] and "relax" in results["message"]
        assert not (folder.path / "restart.npz").exists()
    else:
        assert results["n_thermo"] == results["last_step"] + 1 > 1
        assert (folder.array("thermo")["max_force_eV_A"] <= 100.0).all()
        assert int(folder.restart()["step"]) <= results["last_step"]
    assert ("times the sum of their radii apart" in results["message"]) == (cause == "too near")


BROKEN = """
import numpy as np
from ase.calculators.emt import EMT

class Broken(EMT):
    def __init__(self, after, how):
        super().__init__()
        self.left, self.how = after, how

    def calculate(self, *args, **kwargs):
        super().calculate(*args, **kwargs)
        self.left -= 1
        if self.left < 0 and self.how == "nan":
            self.results["forces"][0, 0] = np.nan
        if self.left < 0 and self.how == "raise":
            raise ValueError("the network is on fire")
        if self.left < 0 and self.how == "memory":
            raise MemoryError("no more")
"""


@pytest.mark.parametrize(
    ("how", "status"), [("nan", "exploded"), ("raise", "engine_failed"), ("memory", "out_of_memory")]
)
def test_broken_potential(make_folder: MakeFolder, copper: Atoms, how: str, status: str) -> None:
    potential = {"name": "import", "model": "broken:Broken", "kwargs": {"after": 8, "how": how}}
    folder = make_folder("run").write(copper, md=md_settings(), potential=potential)
    (folder.path / "broken.py").write_text(BROKEN)
    results = folder.run(fresh=True)  # a process that has imported torch counts other calls
    assert results["status"] == status and results["message"]
    assert results["n_thermo"] == len(folder.array("thermo")) == 8
    assert results["last_step"] == 7
    assert np.isfinite(folder.array("thermo")["potential_energy_eV"]).all()
    assert int(folder.restart()["step"]) <= 7


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"timestep_fs": 1.0}, "timestep_fs"),
        ({"thermostat": "langevin"}, "thermostat"),
        ({"temperature_K": 310.0}, "temperature_K"),
        ({"sample_every": 4}, "sample_every"),
        ({"n_steps": 2}, "n_steps"),
    ],
)
def test_restart_of_another_run(make_folder: MakeFolder, copper: Atoms, changes: dict[str, Any], word: str) -> None:
    first = make_folder("first").write(copper, md=md_settings(n_steps=3), potential=EMT)
    first.run()
    second = make_folder("second").write(copper, md=md_settings(**changes), potential=EMT)
    shutil.copy(first.path / "restart.npz", second.path)
    results = second.run()
    assert results["status"] == "invalid_input" and word in results["message"]


def test_restart_of_other_atoms_or_potential(make_folder: MakeFolder, copper: Atoms) -> None:
    first = make_folder("first").write(copper, md=md_settings(n_steps=3), potential=EMT)
    first.run()
    other = make_folder("other").write(copper, md=md_settings(), potential=ARGON)
    shutil.copy(first.path / "restart.npz", other.path)
    results = other.run()
    assert results["status"] == "invalid_input" and "'emt'" in results["message"]
    copper.symbols[5] = "Au"
    other.write(copper, md=md_settings(), potential=EMT)
    results = other.run()
    assert results["status"] == "invalid_input" and "other atoms" in results["message"]
    (other.path / "restart.npz").write_bytes(b"PK not a zip")
    results = other.run()
    assert results["status"] == "invalid_input" and "cannot be read" in results["message"]


@pytest.mark.parametrize(
    ("section", "changes", "word"),
    [
        ("md", {"n_steps": 0}, "n_steps"),
        ("md", {"timestep_fs": -1.0}, "timestep_fs"),
        ("md", {"thermostat": "berendsen"}, "thermostat"),
        ("md", {"surprise": 1}, "surprise"),
        ("potential", {"threads": 0}, "threads"),
        ("potential", {"dtype": "float16"}, "dtype"),
    ],
)
def test_invalid_input(
    make_folder: MakeFolder, copper: Atoms, section: str, changes: dict[str, Any], word: str
) -> None:
    inputs: dict[str, Any] = {"md": dict(md_settings()), "potential": dict(EMT)}
    inputs[section] |= changes
    results = make_folder("run").write(copper, **inputs).run()
    assert results["status"] == "invalid_input" and word in results["message"]


def test_missing_structure(make_folder: MakeFolder, copper: Atoms) -> None:
    folder = make_folder("run").write(copper, md=md_settings(), potential=EMT)
    (folder.path / "structure.json").unlink()
    results = folder.run()
    assert results["status"] == "invalid_input" and "structure.json" in results["message"]


def test_initial_velocities(make_folder: MakeFolder, copper: Atoms) -> None:
    velocities = np.random.default_rng(3).normal(scale=0.002, size=(32, 3))
    masses = copper.get_masses()[:, None]
    velocities -= (masses * velocities).sum(axis=0) / masses.sum()
    folder = make_folder("run").write(copper, md=md_settings(n_steps=1, keep=["velocities"]), potential=EMT)
    np.save(folder.path / "initial_velocities.npy", velocities)
    assert folder.run()["initial_velocities"] == "file"
    np.testing.assert_allclose(folder.array("velocities")[0], velocities, rtol=1e-6)
    np.save(folder.path / "initial_velocities.npy", velocities + 0.001)
    (folder.path / "restart.npz").unlink()
    assert "drift" in folder.run()["initial_velocities"]
    np.testing.assert_allclose(folder.array("velocities")[0], velocities, rtol=1e-5, atol=1e-9)
    np.save(folder.path / "initial_velocities.npy", velocities[:5])
    (folder.path / "restart.npz").unlink()
    assert folder.run()["status"] == "invalid_input"


def test_positions_are_unwrapped(make_folder: MakeFolder, argon: Atoms) -> None:
    argon.positions += 40.0
    folder = make_folder("run").write(argon, md=md_settings(temperature_K=50.0), potential=ARGON)
    folder.run()
    assert np.abs(folder.array("positions") - argon.positions).max() < 2.0


@pytest.mark.slow
def test_sevennet_continuation_to_the_last_bit(make_folder: MakeFolder) -> None:
    python = engine_python("sevenn")
    atoms = bulk("LiF", "rocksalt", a=4.0)
    settings = {"timestep_fs": 1.0, "sample_every": 2}
    folders = {}
    for name, n_steps in (("whole", 10), ("first", 4), ("second", 10)):
        folder = make_folder(name).write(
            atoms, md=md_settings(n_steps=n_steps, **settings), potential={"name": "sevenn"}
        )
        if name == "second":
            shutil.copy(folders["first"].path / "restart.npz", folder.path)
        assert folder.run(python=python)["status"] == "finished"
        folders[name] = folder
    for name in ("positions", "thermo"):
        joined = np.concatenate([folders["first"].array(name), folders["second"].array(name)])
        np.testing.assert_array_equal(joined, folders["whole"].array(name))
    assert_same_end(folders["whole"], folders["second"])
