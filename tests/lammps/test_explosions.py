"""Runs that end in an explosion or a crash, for real: what they leave is read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from aiida_ion.lammps.explosions import sign_of_explosion
from aiida_ion.lammps.logs import EXIT_STATUS
from aiida_ion.lammps.outputs import read_md
from aiida_ion.settings.md import MdSettings
from aiida_ion.thermo_fields import thermo_dtype
from aiida_ion.training.families.pod import PodSettings
from tests.lammps.pod.fits import Fitted, fit, rattled, run_md

pytestmark = pytest.mark.usefixtures("lmp")
#: No stop rule comes before the atoms are lost.
LOOSE: dict[str, Any] = {"max_force_eV_A": 1e6, "max_temperature_ratio": 1e8, "min_distance_ratio": 0.001}


def salt(repeats: tuple[int, int, int]) -> Atoms:
    return bulk("NaCl", "rocksalt", a=5.6, cubic=True).repeat(repeats)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Fitted:
    folder = tmp_path_factory.mktemp("pod") / "fit"
    return fit(folder, rattled(salt((2, 1, 1)), 60), [], PodSettings(rcut_A=5.0))


def test_lost_atoms_leave_every_frame_before(fitted: Fitted, tmp_path: Path) -> None:
    settings = MdSettings(temperature_K=9000.0, timestep_fs=8.0, n_steps=100, sample_every=1, seed=1, **LOOSE)
    run = run_md(fitted, tmp_path / "md", salt((2, 2, 1)), settings)
    assert run.status == "exploded" and "Lost atoms: original 32" in run.message
    assert run.steps.tolist() == list(range(len(run.steps))) and len(run.steps) > 5
    assert run.positions.shape[1:] == (32, 3) and np.isfinite(run.positions).all()
    # Those after the last restart file, too, which show how it went.
    assert not run.state or run.steps[-1] >= run.state["step"]
    assert np.array_equal(run.thermo["step"], np.arange(len(run.thermo))) and len(run.thermo) >= len(run.steps)
    last, first = (np.linalg.norm(run.positions[k] - run.positions[k - 1], axis=1).max() for k in (-1, 1))
    assert last > first


def test_a_crash_after_signs_of_an_explosion_is_one(fitted: Fitted, tmp_path: Path) -> None:
    """The files of a run that exploded, as if LAMMPS had crashed before it could say so."""
    settings = MdSettings(temperature_K=6000.0, timestep_fs=2.0, n_steps=2000, sample_every=2, seed=3)
    run = run_md(fitted, tmp_path / "md", salt((2, 2, 1)), settings)
    assert run.status == "exploded" and "Fix halt" in run.message
    folder, cell = tmp_path / "md", salt((2, 2, 1)).cell.array
    log = (folder / "log.lammps").read_text()
    log = log[: log.index("Fix halt condition")]
    (folder / "restart.end").unlink()
    crashed = read_md(folder, cell, settings, log=log, errors=f"\n{EXIT_STATUS} 245\n")
    assert crashed.status == "exploded", crashed.message
    assert "segmentation fault" in crashed.message and (
        "eV/angstrom" in crashed.message or "K at step" in crashed.message
    )
    assert np.array_equal(crashed.positions, run.positions) and len(crashed.thermo) == len(run.thermo)
    # The same files of a run that was killed: what can be continued is.
    killed = read_md(folder, cell, settings, log=log, errors="")
    assert killed.status == "terminated"
    assert killed.last_step == killed.state["step"] < run.last_step
    # Numbers that are none end what is read.
    thermo = (folder / "thermo.txt").read_text().splitlines()
    thermo[-1] = " ".join([thermo[-1].split()[0], *["nan"] * 7])
    (folder / "thermo.txt").write_text("\n".join(thermo) + "\n")
    cut = read_md(folder, cell, settings, log=log + "\nERROR: Non-numeric pressure", errors="")
    assert cut.status == "exploded" and len(cut.thermo) == len(run.thermo) - 1
    assert cut.steps[-1] <= cut.thermo["step"][-1]


def test_a_crash_at_the_start_is_called_one(fitted: Fitted, tmp_path: Path) -> None:
    """Two atoms out of each other's sight, in a cell whose other properties nobody refuses here."""
    atoms = Atoms("NaCl", positions=[(5, 5, 5), (20, 20, 20)], cell=[40, 40, 40], pbc=True)
    settings = MdSettings(temperature_K=300.0, timestep_fs=2.0, n_steps=10)
    run = run_md(fitted, tmp_path / "md", atoms, settings)
    if run.status == "finished":
        pytest.skip("this LAMMPS computes atoms without neighbours: issue 5114 is solved in it")
    assert (run.status, run.message) == ("engine_failed", "LAMMPS crashed: segmentation fault")
    assert len(run.steps) == 0


def test_signs_of_an_explosion() -> None:
    atoms = salt((2, 2, 2))
    rng = np.random.default_rng(3)
    positions = atoms.positions + 0.15 * rng.normal(size=(6, len(atoms), 3))
    positions += rng.integers(-2, 3, size=positions.shape) @ atoms.cell.array
    steps, cell = np.arange(0, 60, 10), atoms.cell.array
    settings = MdSettings(temperature_K=300.0, timestep_fs=1.0, n_steps=100)
    thermo = np.zeros(51, dtype=thermo_dtype(()))
    thermo["temperature_K"], thermo["max_force_eV_A"] = 320.0, 3.0

    def sign(changed: Any = None, rows: Any = thermo) -> str | None:
        return sign_of_explosion(steps, positions if changed is None else changed, cell, rows, settings)

    assert sign() is None
    near = positions.copy()
    near[5, 0] = near[5, 1] + [1.0, 0.0, 0.0] + cell[1]
    assert str(sign(near)) == "two atoms 1 angstrom apart at step 50"
    assert sign_of_explosion(steps[:1], positions[:1], cell, thermo, settings) is None
    hot = thermo.copy()
    hot["temperature_K"][-1] = 700.0
    assert str(sign(rows=hot)) == "700 K at step 0"
    strong = thermo.copy()
    strong["max_force_eV_A"][-2] = 150.0
    assert "a force of 150 eV/angstrom" in str(sign(rows=strong))
    lonely = np.tile(np.array([[0.0, 0, 0], [2.5, 0, 0], [0, 2.5, 0], [2.5, 2.5, 0]]), (2, 1, 1))
    lonely[1, 3] = [15.0, 15.0, 15.0]
    message = sign_of_explosion(steps[:2], lonely, np.eye(3) * 40.0, thermo, replace(settings, n_steps=10))
    assert message is not None and "from all others at step 10" in message


def test_a_healthy_run_has_no_sign(fitted: Fitted, tmp_path: Path) -> None:
    settings = MdSettings(temperature_K=900.0, timestep_fs=2.0, n_steps=300, sample_every=10, seed=2)
    run = run_md(fitted, tmp_path / "md", salt((2, 2, 1)), settings)
    assert run.status == "finished"
    assert sign_of_explosion(run.steps, run.positions, run.cells, run.thermo, settings) is None
