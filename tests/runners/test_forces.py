"""The forces program, run for real: what it writes, how it stops, and that batches give the calculator's numbers."""

from __future__ import annotations

import hashlib
import json
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT

from tests.runners.conftest import ARGON, ENVIRONMENT, Folder, engine_python, place
from tests.runners.conftest import EMT as EMT_POTENTIAL

MakeFolder = Callable[[str], Folder]


def shaken(atoms: Atoms, n_frames: int, stretch: float = 0.0) -> list[Atoms]:
    """Return frames of the same atoms, each rattled in its own way and its cell stretched a little more."""
    frames = []
    for seed in range(n_frames):
        frame = atoms.copy()
        frame.set_cell(frame.cell * (1.0 + stretch * seed), scale_atoms=True)
        frame.rattle(0.05, seed=seed)
        frames.append(frame)
    return frames


def write(folder: Folder, structures: Sequence[Atoms], **inputs: Any) -> Folder:
    arrays = {
        "numbers": structures[0].numbers,
        "positions": np.array([atoms.positions for atoms in structures]),
        "cells": np.array([atoms.cell.array for atoms in structures]),
    }
    np.savez(folder.path / "frames.npz", **arrays)
    (folder.path / "inputs.json").write_text(json.dumps({"potential": EMT_POTENTIAL} | inputs))
    return folder


def write_mixed(folder: Folder, structures: Sequence[Atoms], **inputs: Any) -> Folder:
    """Write frames of different atoms."""
    offsets = np.cumsum([0, *map(len, structures)])
    arrays = {
        "numbers": np.concatenate([atoms.numbers for atoms in structures]),
        "positions": np.concatenate([atoms.positions for atoms in structures]),
        "cells": np.array([atoms.cell.array for atoms in structures]),
        "offsets": offsets,
    }
    np.savez(folder.path / "frames.npz", **arrays)
    (folder.path / "inputs.json").write_text(json.dumps({"potential": EMT_POTENTIAL} | inputs))
    return folder


def test_results_and_arrays(make_folder: MakeFolder, copper: Atoms) -> None:
    frames = shaken(copper, 5, stretch=0.01)
    folder = write(make_folder("run"), frames)
    results = folder.run("forces")
    assert (results["status"], results["n_frames"], results["batch_size"]) == ("finished", 5, 1)
    assert results["evaluated_by"] == "ase_calculator" and results["warnings"] == []
    assert (results["cost"]["n_steps"], results["cost"]["n_atoms"]) == (5, 32)
    assert results["cost"]["steps_per_s"] > 0 and results["versions"]["ase"]
    assert folder.array("forces").dtype == np.float32 and folder.array("energies").dtype == np.float64
    for row, frame in enumerate(frames):
        frame.calc = EMT()
        assert folder.array("energies")[row] == pytest.approx(frame.get_potential_energy(), abs=1e-9)
        np.testing.assert_allclose(folder.array("forces")[row], frame.get_forces(), atol=1e-6)


def test_frames_of_different_atoms_one_by_one(make_folder: MakeFolder, copper: Atoms) -> None:
    frames = [*shaken(copper, 2), *shaken(bulk("Au").repeat((3, 1, 1)), 2, stretch=0.01), copper]
    folder = write_mixed(make_folder("run"), frames)
    results = folder.run("forces")
    assert (results["status"], results["n_frames"]) == ("finished", 5), results["message"]
    assert results["cost"]["n_atoms"] is None
    assert folder.array("forces").shape == (32 + 32 + 3 + 3 + 32, 3)
    parts = np.split(folder.array("forces"), [32, 64, 67, 70])
    for frame, energy, forces in zip(frames, folder.array("energies"), parts, strict=True):
        frame.calc = EMT()
        assert energy == pytest.approx(frame.get_potential_energy(), abs=1e-9)
        np.testing.assert_allclose(forces, frame.get_forces(), atol=1e-6)


def test_offsets_that_leave_atoms_out_are_refused(make_folder: MakeFolder, copper: Atoms) -> None:
    from aiida_ion.runners.evaluation import read_evaluation_frames
    from aiida_ion.runners.output import RunnerError

    folder = write_mixed(make_folder("run"), [copper, copper])
    path = folder.path / "frames.npz"
    assert len(read_evaluation_frames(path, None)) == 2
    with np.load(path) as stored:
        arrays = dict(stored)
    wrong: list[Any] = [[0, 32, 65], [0, 32, 63], [1, 32, 64], [0, 70, 64], [0, 64, 64], [0.0, 32.0, 64.0]]
    for offsets in wrong:
        np.savez(path, **arrays | {"offsets": np.array(offsets)})
        with pytest.raises(RunnerError, match="offsets must be whole numbers that rise from 0 to the number of atoms"):
            read_evaluation_frames(path, None)
    np.savez(path, **arrays | {"offsets": np.array([0, 16, 32, 64])})
    with pytest.raises(RunnerError, match="cells have shape"):
        read_evaluation_frames(path, None)


def test_ions_far_from_the_cell_feel_the_same(make_folder: MakeFolder, copper: Atoms) -> None:
    frames = shaken(copper, 2)
    frames[1].positions = frames[0].positions
    frames[1].positions[5] += [3, -7, 2] @ copper.cell.array
    folder = write(make_folder("run"), frames)
    folder.run("forces")
    np.testing.assert_allclose(*folder.array("forces"), atol=1e-6)
    assert folder.array("energies")[0] == pytest.approx(folder.array("energies")[1], abs=1e-9)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"batch_size": 0}, "batch_size"),
        ({"max_seconds": -1}, "max_seconds"),
        ({"frames": [["only", 0]]}, "inputs name 1"),
        ({"potential": {}}, "potential"),
    ],
)
def test_invalid_input(make_folder: MakeFolder, copper: Atoms, change: dict[str, Any], message: str) -> None:
    results = write(make_folder("run"), shaken(copper, 3), **change).run("forces")
    assert results["status"] == "invalid_input" and message in results["message"]


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("cells", np.zeros((3, 3, 3)), "cell without volume"),
        ("cells", np.eye(3), "cells have shape"),
        ("positions", np.zeros((3, 31, 3)), "positions have shape"),
        ("positions", np.full((3, 32, 3), np.nan), "not finite"),
        ("numbers", np.full(32, 200), "1..118"),
    ],
)
def test_frames_that_cannot_be_evaluated(
    make_folder: MakeFolder, copper: Atoms, name: str, array: Any, message: str
) -> None:
    folder = write(make_folder("run"), shaken(copper, 3))
    with np.load(folder.path / "frames.npz") as stored:
        arrays = dict(stored) | {name: array}
    np.savez(folder.path / "frames.npz", **arrays)
    results = folder.run("forces")
    assert results["status"] == "invalid_input" and message in results["message"]


def test_missing_frames(make_folder: MakeFolder, copper: Atoms) -> None:
    folder = write(make_folder("run"), shaken(copper, 1))
    (folder.path / "frames.npz").unlink()
    results = folder.run("forces")
    assert results["status"] == "invalid_input" and "frames.npz" in results["message"]


def test_unknown_element(make_folder: MakeFolder) -> None:
    results = write(make_folder("run"), shaken(bulk("Li").repeat(2), 2)).run("forces")
    assert results["status"] == "element_unknown" and " Li" in results["message"]
    assert not list(make_folder("run").path.glob("*.npy"))


def test_a_frame_that_has_no_forces_is_named_and_those_before_it_kept(make_folder: MakeFolder, argon: Atoms) -> None:
    frames = shaken(argon, 4)
    frames[2].positions[1] = frames[2].positions[0]
    origins = [["early", 3], ["early", 9], ["late", 0], ["late", 6]]
    folder = write(make_folder("run"), frames, potential=ARGON, frames=origins)
    results = folder.run("forces")
    assert results["status"] == "engine_failed" and "frame 0 of late" in results["message"]
    assert results["n_frames"] == 2
    assert np.abs(folder.array("forces")[:2]).min(axis=(1, 2)).all()


def test_out_of_time_keeps_what_is_done(make_folder: MakeFolder, argon: Atoms) -> None:
    frames = shaken(argon.repeat((1, 1, 4)), 1) * 20000
    folder = write(make_folder("run"), frames, potential=ARGON, max_seconds=4.0)
    results = folder.run("forces")
    assert results["status"] == "walltime"
    done = results["n_frames"]
    assert 0 < done < 20000 and f"{done} of 20000" in results["message"]
    assert len(folder.array("forces")) == len(folder.array("energies")) == done
    assert len(np.unique(folder.array("energies"))) == 1
    assert results["cost"]["wall_time_s"] < 4.0 and results["cost"]["n_steps"] == done


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_stopped_run_says_how_many_rows_are_valid(make_folder: MakeFolder, argon: Atoms, number: int) -> None:
    folder = write(make_folder("run"), shaken(argon.repeat((1, 1, 4)), 1) * 20000, potential=ARGON)
    process = folder.start("forces")
    progress = folder.path / "progress.json"
    end = time.monotonic() + 300.0
    while not progress.exists():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)
    process.send_signal(number)
    process.communicate(timeout=60)
    text = json.loads(progress.read_text())
    assert 0 < text["step"] < text["n_steps"] == 20000
    assert text["steps_per_s"] > 0 and text["seconds_left"] > 0
    done = text["step"]
    if number == signal.SIGTERM:
        results = folder.results()
        assert results["status"] == "terminated" and "SIGTERM" in results["message"]
        assert len(folder.array("forces")) == results["n_frames"] >= done
        done = results["n_frames"]
    else:
        assert not (folder.path / "results.json").exists()
    assert (folder.array("energies")[:done] == folder.array("energies")[0]).all()


def lithium_nitride() -> Atoms:
    scaled = [(0, 0, 0.5), (1 / 3, 2 / 3, 0), (2 / 3, 1 / 3, 0), (0, 0, 0)]
    return Atoms("Li3N", scaled_positions=scaled, cell=[3.648, 3.648, 3.875, 90, 90, 120], pbc=True)


def lithium_oxide() -> Atoms:
    return bulk("OLi2", "fluorite", a=4.62)


@pytest.mark.parametrize(
    ("engine", "kwargs", "ase_calculator"),
    [
        ("sevenn", {}, "sevenn.calculator:SevenNetCalculator"),
        ("chgnet", {}, "chgnet.model.dynamics:CHGNetCalculator"),
        pytest.param(
            "sevenn",
            {"model": "7net-mf-0", "kwargs": {"modal": "R2SCAN"}},
            "sevenn.calculator:SevenNetCalculator",
            marks=pytest.mark.slow,
        ),
    ],
)
@pytest.mark.parametrize("crystal", [pytest.param(lithium_nitride, marks=pytest.mark.slow), lithium_oxide])
@pytest.mark.slow
def test_batches_give_the_numbers_of_the_calculator(
    make_folder: MakeFolder, engine: str, kwargs: dict[str, Any], ase_calculator: str, crystal: Callable[[], Atoms]
) -> None:
    python = engine_python(engine)
    # Seven frames in batches of three: two whole ones and what is left.
    frames = shaken(crystal(), 7, stretch=0.01)
    batched = write(make_folder("batched"), frames, potential={"name": engine} | kwargs, batch_size=3)
    results = batched.run("forces", python)
    assert (results["status"], results["batch_size"]) == ("finished", 3), results["message"]
    assert results["evaluated_by"] == "model_batches" and results["warnings"] == []
    arguments = {"model": kwargs["model"], **kwargs["kwargs"]} if "model" in kwargs else {}
    device = {"sevenn": {"device": "cpu"}, "chgnet": {"use_device": "cpu"}}[engine]
    bare = {"name": "import", "model": ase_calculator, "kwargs": device | arguments}
    one_by_one = write(make_folder("one_by_one"), frames, potential=bare)
    assert one_by_one.run("forces", python)["evaluated_by"] == "ase_calculator"
    assert np.abs(batched.array("forces")).max() > 0.1
    np.testing.assert_allclose(batched.array("forces"), one_by_one.array("forces"), atol=2e-5)
    np.testing.assert_allclose(batched.array("energies"), one_by_one.array("energies"), atol=2e-5)


def mixed_crystals() -> list[Atoms]:
    """Return frames of 4, 3, 8, 3 and 16 atoms, of different elements and cells."""
    crystals = [lithium_nitride(), lithium_oxide(), bulk("NaCl", "rocksalt", a=5.64, cubic=True)]
    frames = [*crystals, lithium_oxide(), lithium_nitride().repeat((2, 2, 1))]
    for seed, frame in enumerate(frames):
        frame.rattle(0.05, seed=seed)
    return frames


@pytest.mark.parametrize("engine", ["sevenn", pytest.param("chgnet", marks=pytest.mark.slow)])
@pytest.mark.slow
def test_a_batch_of_different_atoms_gives_the_numbers_of_single_frames(make_folder: MakeFolder, engine: str) -> None:
    python, frames = engine_python(engine), mixed_crystals()
    together = write_mixed(make_folder("together"), frames, potential={"name": engine}, batch_size=5)
    results = together.run("forces", python)
    assert (results["evaluated_by"], results["batch_size"], results["warnings"]) == ("model_batches", 5, [])
    alone = write_mixed(make_folder("alone"), frames, potential={"name": engine}, batch_size=1)
    assert alone.run("forces", python)["batch_size"] == 1
    assert np.abs(together.array("forces")).max() > 0.1
    np.testing.assert_allclose(together.array("forces"), alone.array("forces"), atol=1e-5)
    np.testing.assert_allclose(together.array("energies"), alone.array("energies"), atol=1e-5)


@pytest.mark.slow
def test_a_batch_of_different_atoms_by_mace(make_folder: MakeFolder, copper: Atoms, tiny_mace: Path) -> None:
    frames = [*shaken(copper, 2), *shaken(bulk("Ag").repeat((3, 2, 1)), 2, stretch=0.01)]
    trusted = [hashlib.sha256(tiny_mace.read_bytes()).hexdigest()]
    potential = {"name": "mace", "checkpoint_file": "tiny.model", "dtype": "float64", "trusted_sha256": trusted}
    arrays = []
    for batch_size in (1, 4):
        folder = write_mixed(make_folder(f"{batch_size}"), frames, potential=potential, batch_size=batch_size)
        shutil.copy(tiny_mace, folder.path)
        results = folder.run("forces", engine_python("mace"))
        assert (results["evaluated_by"], results["batch_size"], results["warnings"]) == (
            "model_batches",
            batch_size,
            [],
        )
        arrays.append((folder.array("forces"), folder.array("energies")))
    for single, batched in zip(*arrays, strict=True):
        np.testing.assert_allclose(batched, single, atol=1e-5)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_batches_of_mace(make_folder: MakeFolder, copper: Atoms, tiny_mace: Path, dtype: str) -> None:
    frames = shaken(copper, 5, stretch=0.01)
    python = engine_python("mace")
    trusted = [hashlib.sha256(tiny_mace.read_bytes()).hexdigest()]
    potential = {"name": "mace", "checkpoint_file": "tiny.model", "dtype": dtype, "trusted_sha256": trusted}
    batched = write(make_folder("batched"), frames, potential=potential, batch_size=2)
    shutil.copy(tiny_mace, batched.path)
    results = batched.run("forces", python)
    assert (results["evaluated_by"], results["batch_size"], results["warnings"]) == ("model_batches", 2, [])
    kwargs = {"model_paths": str(tiny_mace), "device": "cpu", "default_dtype": dtype}
    bare = {"name": "import", "model": "mace.calculators:MACECalculator", "kwargs": kwargs}
    bare["trusted_sha256"] = trusted
    one_by_one = write(make_folder("one_by_one"), frames, potential=bare)
    one_by_one.run("forces", python)
    noise = 1e-6 if dtype == "float64" else 2e-5
    np.testing.assert_allclose(batched.array("forces"), one_by_one.array("forces"), atol=noise)
    np.testing.assert_allclose(batched.array("energies"), one_by_one.array("energies"), atol=noise)


@pytest.mark.slow
def test_batches_that_outgrow_the_memory_shrink(make_folder: MakeFolder) -> None:
    python = engine_python("chgnet")
    frames = shaken(lithium_nitride().repeat(2), 16)
    folder = write(make_folder("run"), frames, potential={"name": "chgnet"}, batch_size=16)
    place(folder.path, "forces")
    # Sixteen frames at once take 5.6 GB, one takes 0.9 GB.
    limit = f"import resource as r; r.setrlimit(r.RLIMIT_AS, ({3 * 10**9}, {3 * 10**9}))"
    start = f"{limit}; import runpy; runpy.run_module('aiida_ion.runners.forces', run_name='__main__')"
    subprocess.run([python, "-c", start], cwd=folder.path, env=ENVIRONMENT, check=True, capture_output=True)
    results = folder.results()
    assert (results["status"], results["n_frames"]) == ("finished", 16), results["message"]
    assert results["evaluated_by"] == "model_batches" and results["batch_size"] < 16


def one_at_a_time(frames: Sequence[Atoms]) -> Any:
    from aiida_ion.runners.batches import one_by_one

    return one_by_one(EMT(), frames)


class TestEvaluator:
    def test_batches_shrink_until_they_fit(self, copper: Atoms) -> None:
        from aiida_ion.runners.batches import Evaluator, one_by_one

        seen = []

        def hungry(frames: Sequence[Atoms]) -> Any:
            seen.append(len(frames))
            np.empty(1 if len(frames) < 3 else 2**62, dtype=np.int8)  # the larger one fits no machine
            return one_at_a_time(frames)

        frames = shaken(copper, 8)
        evaluator = Evaluator(EMT(), hungry, 8)
        energies, forces = evaluator.evaluate(frames)
        assert (seen, evaluator.batch_size) == ([8, 4, 2], 2)
        assert len(energies) == len(forces) == 2 and evaluator.uses_batches
        np.testing.assert_allclose(forces, one_by_one(EMT(), frames[:2])[1])

    def test_one_frame_that_does_not_fit_is_an_error(self, copper: Atoms) -> None:
        from aiida_ion.runners.batches import Evaluator

        evaluator = Evaluator(EMT(), lambda _: np.empty(2**62, dtype=np.int8), 4)
        with pytest.raises(MemoryError):
            evaluator.evaluate(shaken(copper, 4))

    def test_batches_that_mix_up_their_frames_are_given_up(self, copper: Atoms) -> None:
        from aiida_ion.runners.batches import Evaluator, one_by_one

        def turned(frames: Sequence[Atoms]) -> Any:
            energies, forces = one_by_one(EMT(), frames)
            return energies[::-1], forces[::-1]

        frames = shaken(copper, 4)
        evaluator = Evaluator(EMT(), turned, 4)
        energies, forces = evaluator.evaluate(frames)
        assert len(energies) == evaluator.batch_size == 1 and not evaluator.uses_batches
        np.testing.assert_allclose(forces, one_by_one(EMT(), frames[:1])[1], atol=1e-9)
        assert "differ from the ASE calculator" in evaluator.warnings[0]
        evaluator.evaluate(frames[1:])
        assert len(evaluator.warnings) == 1

    def test_a_batch_holds_so_many_atoms(self) -> None:
        from aiida_ion.runners.batches import Evaluator

        evaluator = Evaluator(EMT(), one_at_a_time, 8, 32)
        sizes = np.array([100, 4, 4, 20, 4, 4])
        assert [evaluator.count(sizes[start:]) for start in range(6)] == [1, 4, 4, 3, 2, 1]
        assert Evaluator(EMT(), one_at_a_time, 3).count(sizes) == 3

    def test_frames_of_different_atoms_that_are_mixed_up_are_given_up(self, copper: Atoms) -> None:
        """Frames of one size may come out right, and those of several wrong: both are looked at."""
        from aiida_ion.runners.batches import Evaluator, one_by_one

        def cut_alike(frames: Sequence[Atoms]) -> Any:
            energies, forces = one_by_one(EMT(), frames)
            return energies, np.array_split(np.concatenate(forces), len(frames))

        evaluator = Evaluator(EMT(), cut_alike, 2)
        evaluator.evaluate(shaken(copper, 2))
        assert evaluator.uses_batches
        _, forces = evaluator.evaluate([copper, bulk("Au").repeat((3, 1, 1))])
        assert not evaluator.uses_batches
        np.testing.assert_allclose(forces[0], one_by_one(EMT(), [copper])[1][0])

    def test_batches_are_larger_on_a_gpu(self) -> None:
        from aiida_ion.runners.batches import default_batch_size

        assert default_batch_size(10**6, "cpu") == default_batch_size(10**6, "cuda") == 1
        assert default_batch_size(4, "cuda:1") > default_batch_size(4, "cpu") > 1
