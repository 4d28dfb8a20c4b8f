"""A batch of replicas: each is the run that it would be alone, and none of them disturbs another."""

from __future__ import annotations

import json
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from aiida_ion.runners.dynamics.batch import BatchRun
from aiida_ion.runners.dynamics.coroutine import Coroutine
from tests.runners.conftest import ARGON, EMT, Folder, md_settings
from tests.runners.dynamics.batches import assert_same_run, continued, replica, write_batch
from tests.runners.test_md import wait_for

HOT_LJ = {"temperature_K": 80.0, "timestep_fs": 4.0, "n_steps": 30}
Replicas = dict[str, tuple[str, Mapping[str, Any]]]


def argon(repeat: int = 2, a: float = 5.3) -> Atoms:
    atoms: Atoms = bulk("Ar", "fcc", a=a, cubic=True).repeat((repeat, 1, 1))
    atoms.rattle(0.05, seed=3)
    return atoms


def mixed() -> tuple[dict[str, Atoms], Replicas]:
    """Return cells of other sizes, and runs of other temperatures, thermostats, lengths and seeds."""
    cells = {"small": argon(), "large": argon(3)}
    replicas: Replicas = {
        "csvr": ("small", md_settings(**HOT_LJ)),
        "langevin": ("large", md_settings(**HOT_LJ, thermostat="langevin", keep=["velocities", "forces"])),
        "chain": ("small", md_settings(**HOT_LJ | {"temperature_K": 40.0}, thermostat="nose_hoover", seed=8)),
        "nve": ("large", md_settings(**HOT_LJ | {"n_steps": 17}, ensemble="nve")),
    }
    return cells, replicas


def test_each_replica_is_the_single_run_to_the_last_bit(tmp_path: Path) -> None:
    cells, replicas = mixed()
    together = write_batch(tmp_path / "together", cells, replicas, potential=ARGON, atoms_at_once=1000)
    results = together.run("batch_md")
    assert results["status"] == "finished", results["message"]
    assert sum(one["share"] for one in results["replicas"].values()) == pytest.approx(1.0)
    assert results["cost"]["n_steps"] == 3 * 30 + 17
    for key, (cell, md) in replicas.items():
        alone = Folder(tmp_path / key).write(cells[cell], md=md, potential=ARGON)
        own = alone.run()
        assert_same_run(replica(together, key), alone)
        for name in ("status", "message", "n_frames", "n_thermo", "last_step", "initial_velocities"):
            assert results["replicas"][key][name] == own[name]
    forces = replica(together, "langevin").array("forces")
    assert forces.shape == (7, 12, 3) and np.abs(forces).max() > 0


def test_noise_does_not_depend_on_the_company(tmp_path: Path) -> None:
    cells, replicas = mixed()
    whole = write_batch(tmp_path / "whole", cells, replicas, potential=ARGON, atoms_at_once=1000)
    whole.run("batch_md")
    for key in ("csvr", "langevin"):
        alone = write_batch(tmp_path / key, cells, {key: replicas[key]}, potential=ARGON)
        alone.run("batch_md")
        assert_same_run(replica(alone, key), replica(whole, key))


def test_refill_keeps_to_the_budget_of_atoms(tmp_path: Path) -> None:
    cells, replicas = mixed()
    whole = write_batch(tmp_path / "whole", cells, replicas, potential=ARGON, atoms_at_once=1000)
    n_rounds = whole.run("batch_md")["n_rounds"]
    refilled = write_batch(tmp_path / "refilled", cells, replicas, potential=ARGON, atoms_at_once=20)
    results = refilled.run("batch_md")
    assert results["status"] == "finished" and results["atoms_at_once"] == 20
    # Of 8, 12, 8 and 12 atoms two fit: the third starts when the first has ended.
    assert results["n_rounds"] > 1.4 * n_rounds
    for key in replicas:
        assert_same_run(replica(refilled, key), replica(whole, key))


def test_a_bad_replica_leaves_and_the_others_go_on(tmp_path: Path) -> None:
    cells = {name: bulk("Cu", cubic=True).repeat((2, 1, 1)) for name in ("good", "clash", "iron")}
    cells["clash"].positions[1] = cells["clash"].positions[0] + [0.8, 0.0, 0.0]
    cells["iron"].symbols[:] = "Fe"
    md = md_settings(temperature_K=300.0, n_steps=20)
    replicas: Replicas = {
        "clash": ("clash", md),
        "good": ("good", md),
        "iron": ("iron", md),
        "refused": ("good", {**md, "thermostat": "none_such"}),
        "other": ("good", {**md, "seed": 9}),
    }
    folder = write_batch(tmp_path / "run", cells, replicas, potential=EMT, atoms_at_once=100)
    results = folder.run("batch_md")
    statuses = {key: one["status"] for key, one in results["replicas"].items()}
    assert results["status"] == "finished"
    assert statuses == {
        "clash": "exploded",
        "good": "finished",
        "iron": "element_unknown",
        "refused": "invalid_input",
        "other": "finished",
    }
    assert "exploded at step 0" in results["replicas"]["clash"]["message"]
    assert "none_such" in results["replicas"]["refused"]["message"]
    alone = Folder(tmp_path / "alone").write(cells["good"], md=md, potential=EMT)
    alone.run()
    assert_same_run(replica(folder, "good"), alone)


def test_a_watched_replica_that_leaves_its_training_frames(tmp_path: Path) -> None:
    md = md_settings(**HOT_LJ)
    folder = write_batch(tmp_path / "run", {"a": argon()}, {"one": ("a", md), "two": ("a", md)}, potential=ARGON)
    inputs = json.loads((folder.path / "inputs.json").read_text())
    inputs["replicas"][0]["closest_allowed_A"] = {"Ar-Ar": 3.7}
    (folder.path / "inputs.json").write_text(json.dumps(inputs))
    results = folder.run("batch_md")
    assert results["replicas"]["one"]["status"] == "left_training"
    assert results["replicas"]["two"]["status"] == "finished"


def test_out_of_wall_time_and_on_again(tmp_path: Path) -> None:
    cells, replicas = mixed()
    whole = write_batch(tmp_path / "whole", cells, replicas, potential=ARGON, atoms_at_once=20)
    whole.run("batch_md")
    # A batch that is told to end before its first step leaves the state of its start, and what waited as it was.
    first = write_batch(tmp_path / "first", cells, replicas, potential=ARGON, atoms_at_once=20)
    ended = _stopped_after(first, 14)
    statuses = [one["status"] for one in ended["replicas"].values()]
    assert ended["status"] == "terminated" and "terminated" in statuses and "waiting" in statuses
    started = [key for key, one in ended["replicas"].items() if one["status"] == "terminated"]
    second = write_batch(tmp_path / "second", cells, replicas, potential=ARGON, atoms_at_once=1000)
    continued(first, second, started)
    results = second.run("batch_md")
    assert results["status"] == "finished"
    for key in replicas:
        states = [replica(one, key).restart() for one in (second, whole)]
        own = {"start_step", "writes_start", "n_frames", "n_thermo"}
        assert [name for name in states[0].keys() - own if not np.array_equal(states[0][name], states[1][name])] == []
        parts = [replica(one, key) for one in (first, second) if (replica(one, key).path / "steps.npy").exists()]
        for name in ("positions", "thermo"):
            joined = np.concatenate([part.array(name) for part in parts])
            np.testing.assert_array_equal(joined, replica(whole, key).array(name))
    assert results["replicas"]["csvr"]["start_step"] == ended["replicas"]["csvr"]["last_step"] > 0


def _stopped_after(folder: Folder, n_rounds: int) -> dict[str, Any]:
    """Run a batch that receives a signal after some evaluations."""
    evaluate, seen = BatchRun._evaluate, []

    def counted(self: BatchRun) -> Any:
        seen.append(1)
        if len(seen) == n_rounds:
            signal.raise_signal(signal.SIGTERM)
        return evaluate(self)

    with patch.object(BatchRun, "_evaluate", counted):
        return folder.run("batch_md")


def test_wall_time_ends_a_batch_in_time(tmp_path: Path) -> None:
    md = md_settings(**HOT_LJ | {"n_steps": 10**7})
    folder = write_batch(
        tmp_path / "run", {"a": argon()}, {"one": ("a", md), "two": ("a", md)}, potential=ARGON, max_seconds=1.0
    )
    results = folder.run("batch_md")
    assert results["status"] == "walltime" and results["cost"]["wall_time_s"] < 10.0
    for key, one in results["replicas"].items():
        assert one["status"] == ("waiting" if key == "two" and not one["n_steps"] else "walltime")
    state = replica(folder, "one").restart()
    assert int(state["step"]) == results["replicas"]["one"]["last_step"] > 0
    assert len(replica(folder, "one").array("thermo")) == int(state["n_thermo"]) == int(state["step"]) + 1


@pytest.mark.slow
def test_a_killed_batch_leaves_states_that_fit_their_arrays(tmp_path: Path) -> None:
    md = md_settings(**HOT_LJ | {"n_steps": 10**7}, restart_every_seconds=0.2)
    folder = write_batch(
        tmp_path / "run", {"a": argon()}, {"one": ("a", md), "two": ("a", md)}, potential=ARGON, atoms_at_once=100
    )
    process = folder.start("batch_md")

    def has_gone_on() -> bool:
        assert process.poll() is None
        paths = [replica(folder, key).path / "restart.npz" for key in ("one", "two")]
        return all(path.exists() for path in paths) and all(
            int(replica(folder, key).restart()["step"]) > 0 for key in ("one", "two")
        )

    wait_for(has_gone_on)
    process.kill()
    process.wait()
    for key in ("one", "two"):
        state, thermo = replica(folder, key).restart(), replica(folder, key).array("thermo")
        assert int(thermo["step"][int(state["n_thermo"]) - 1]) == int(state["step"])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"replicas": []}, "lacks 'replicas'"),
        ({"replicas": [{"key": "../up", "structure": "a", "md": {}}]}, "other characters"),
        ({"replicas": [{"key": "x", "structure": "b", "md": {}}]}, "no structure 'b'"),
        ({"replicas": [{"key": "x", "structure": "a", "md": {}}] * 2}, "two replicas"),
        ({"atoms_at_once": 0}, "atoms_at_once"),
        ({"potential": {"name": "import", "model": "ase.calculators.lj:LennardJones"}}, "does not evaluate batches"),
    ],
)
def test_a_batch_that_cannot_start(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    inputs = {"potential": ARGON, "replicas": [{"key": "x", "structure": "a", "md": md_settings()}]} | change
    results = write_batch(tmp_path / "run", {"a": argon()}, {}, **inputs).run("batch_md")
    assert results["status"] == "invalid_input" and words in results["message"]


@pytest.mark.slow
def test_temperature_kinetic_energy_and_conserved_energy(tmp_path: Path) -> None:
    """Of four atoms 9 degrees of freedom count; with 12 a thermostat would be a third too hot."""
    cell = argon(1)
    md = md_settings(temperature_K=40.0, timestep_fs=4.0, n_steps=700, thermostat_time_fs=50.0)
    runs: Replicas = {f"nvt_{seed}": ("a", {**md, "seed": seed}) for seed in range(8)}
    runs |= {f"nve_{seed}": ("a", {**md, "seed": seed, "ensemble": "nve", "timestep_fs": 2.0}) for seed in range(2)}
    folder = write_batch(tmp_path / "run", {"a": cell}, runs, potential=ARGON, atoms_at_once=100)
    assert folder.run("batch_md")["status"] == "finished"
    temperatures = np.array(
        [replica(folder, f"nvt_{seed}").array("thermo")["temperature_K"][100:] for seed in range(8)]
    )
    assert temperatures.mean() == pytest.approx(40.0, rel=0.1)
    # A gamma distribution: of 9 quadratic terms the relative spread is the root of 2/9, its skewness that of 8/9.
    assert temperatures.std() / temperatures.mean() == pytest.approx(np.sqrt(2.0 / 9.0), rel=0.15)
    skewness = np.mean(((temperatures - temperatures.mean()) / temperatures.std()) ** 3)
    assert skewness == pytest.approx(np.sqrt(8.0 / 9.0), abs=0.4)
    for seed in range(2):
        thermo = replica(folder, f"nve_{seed}").array("thermo")
        total = thermo["potential_energy_eV"] + thermo["kinetic_energy_eV"]
        drift_eV_ps = np.polyfit(thermo["step"] * 2e-3, total, 1)[0]
        assert abs(drift_eV_ps) / 4 < 1e-5 and np.ptp(total) / 4 < 5e-5


def test_a_coroutine_waits_and_raises() -> None:
    seen: list[int] = []

    def body() -> None:
        seen.append(1)
        routine.wait()
        seen.append(2)
        raise ValueError("three")

    routine = Coroutine(body)
    assert seen == []
    routine.resume()
    assert seen == [1] and not routine.has_ended
    with pytest.raises(ValueError, match="three"):
        routine.resume()
    assert seen == [1, 2] and routine.has_ended
