"""What the parser takes from a run that ended in the middle."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from aiida import orm

from aiida_ion.calculations.mlip_md import read_run

THERMO = [("step", "i8"), ("temperature_K", "f4")]


def leave(folder: Path, start: int, n_rows: int, saved_rows: int) -> None:
    """Write arrays of ``n_rows`` frames and a restart file that counts on ``saved_rows`` of them."""
    np.save(folder / "steps.npy", start + np.arange(n_rows))
    np.save(folder / "positions.npy", np.zeros((n_rows, 32, 3), dtype="f4"))
    np.save(folder / "thermo.npy", np.zeros(n_rows, dtype=THERMO))
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
