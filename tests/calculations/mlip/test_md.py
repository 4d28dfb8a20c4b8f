"""What the parser takes from a run that ended in the middle."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from aiida import orm

from aiida_ion.calculations.mlip.forces import read_forces
from aiida_ion.calculations.mlip.md import TEMPORARY_FILES, read_run
from tests.runners.conftest import ARGON, Folder

THERMO = [("step", "i8"), ("temperature_K", "f4")]


def leave(folder: Path, start: int, n_rows: int, saved_rows: int) -> None:
    """Write arrays of ``n_rows`` frames and a restart file that counts on ``saved_rows`` of them."""
    np.save(folder / "steps.npy", start + np.arange(n_rows))
    np.save(folder / "positions.npy", np.ones((n_rows, 32, 3), dtype="f4"))
    thermo = np.zeros(n_rows, dtype=THERMO)
    thermo["step"] = start + np.arange(n_rows)
    np.save(folder / "thermo.npy", thermo)
    np.savez(
        folder / "restart.npz",
        start_step=start,
        step=start + saved_rows - 1,
        n_frames=saved_rows,
        n_thermo=saved_rows,
        positions=np.zeros((32, 3)),
    )


@pytest.mark.parametrize(
    ("status", "expected"), [("finished", 9), ("exploded", 9), ("out_of_memory", 5), ("walltime", 5), (None, 5)]
)
@pytest.mark.usefixtures("aiida_profile")
def test_what_is_continued_counts_up_to_its_restart_file(
    tmp_path: Path, argon: orm.StructureData, status: str | None, expected: int
) -> None:
    leave(tmp_path, 0, n_rows=9, saved_rows=5)
    results = None if status is None else {"status": status, "n_frames": 9, "n_thermo": 9}
    run = read_run(tmp_path, results, argon)
    assert (len(run.steps), len(run.positions), len(run.thermo)) == (expected,) * 3


@pytest.mark.usefixtures("aiida_profile")
def test_the_restart_file_that_was_given_is_no_result(tmp_path: Path, argon: orm.StructureData) -> None:
    leave(tmp_path, 0, n_rows=9, saved_rows=5)
    (tmp_path / "positions.npy").unlink()
    run = read_run(tmp_path, None, argon, first_step=4)
    assert len(run.steps) == 0
    assert not run.state


def blank(folder: Path, name: str, n_whole: int) -> None:
    """Set the rows after this many to zero, as a file of full size has them before they are written."""
    rows = np.load(folder / f"{name}.npy")
    rows[n_whole:] = np.zeros_like(rows[n_whole:])
    np.save(folder / f"{name}.npy", rows)


@pytest.mark.parametrize("name", ["steps", "positions", "thermo"])
@pytest.mark.usefixtures("aiida_profile")
def test_rows_that_were_not_written_are_no_frames(tmp_path: Path, argon: orm.StructureData, name: str) -> None:
    """The restart file is newer than the arrays: they were copied while the program still wrote."""
    leave(tmp_path, 0, n_rows=41, saved_rows=41)
    blank(tmp_path, name, 27)
    run = read_run(tmp_path, None, argon)
    assert (len(run.steps), len(run.positions), len(run.thermo)) == (0, 0, 0)
    assert not run.state
    assert "41 " in run.message and "not written" in run.message
    with pytest.raises(ValueError, match="not written"):
        read_run(tmp_path, {"status": "finished", "n_frames": 41, "n_thermo": 41}, argon)


@pytest.mark.usefixtures("aiida_profile")
def test_arrays_that_are_newer_than_the_restart_file_are_cut(tmp_path: Path, argon: orm.StructureData) -> None:
    leave(tmp_path, 0, n_rows=41, saved_rows=20)
    blank(tmp_path, "positions", 27)
    run = read_run(tmp_path, None, argon)
    assert (len(run.steps), int(run.state["step"])) == (20, 19)
    assert run.positions.all()


@pytest.mark.usefixtures("aiida_profile")
def test_a_restart_file_that_is_cut_short_is_none(tmp_path: Path, argon: orm.StructureData) -> None:
    leave(tmp_path, 0, n_rows=9, saved_rows=5)
    content = (tmp_path / "restart.npz").read_bytes()
    (tmp_path / "restart.npz").write_bytes(content[: len(content) // 2])
    run = read_run(tmp_path, None, argon)
    assert len(run.steps) == 0 and not run.state


@pytest.mark.parametrize("order", [TEMPORARY_FILES, TEMPORARY_FILES[::-1]], ids=["as retrieved", "the other way"])
@pytest.mark.usefixtures("aiida_profile")
def test_files_that_are_copied_while_the_program_writes(
    tmp_path: Path, argon: orm.StructureData, order: list[str]
) -> None:
    """The shell of a job was killed and its program was not: nothing that is read may be anything but its frames."""
    folder, copy = Folder(tmp_path / "run"), tmp_path / "copy"
    md = {"temperature_K": 60.0, "timestep_fs": 2.0, "n_steps": 10**6, "sample_every": 1, "restart_every_seconds": 0.05}
    process = folder.write(argon.get_ase(), md=md, potential=ARGON).start()
    try:
        copy.mkdir()
        while not (folder.path / "restart.npz").exists() or int(folder.restart()["step"]) < 50:
            assert process.poll() is None
            time.sleep(0.01)
        for name in order:
            if (folder.path / name).exists():
                shutil.copy(folder.path / name, copy)
            time.sleep(0.2)
    finally:
        process.kill()
        process.communicate()
    run = read_run(copy, None, argon)
    if order is not TEMPORARY_FILES:
        assert len(run.steps) == 0 and not run.state and "not written" in run.message
        return
    assert (np.diff(run.steps) == 1).all() and (np.diff(run.thermo["step"]) == 1).all()
    assert run.steps[-1] == run.thermo["step"][-1] == int(run.state["step"]) >= 50
    assert run.positions.any(axis=(1, 2)).all()


def test_forces_that_were_not_written_are_left_out(tmp_path: Path) -> None:
    np.save(tmp_path / "forces.npy", np.concatenate([np.ones((3, 2, 3)), np.zeros((2, 2, 3))]))
    np.save(tmp_path / "energies.npy", np.array([1.0, 2.0, 3.0, 0.0, 0.0]))
    (tmp_path / "progress.json").write_text('{"step": 5}')
    assert read_forces(tmp_path, None)["energies"].tolist() == [1.0, 2.0, 3.0]
    with pytest.raises(ValueError, match="not written"):
        read_forces(tmp_path, {"status": "finished", "n_frames": 5})
