from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.lj import LennardJones
from numpy.typing import NDArray

from aiida_ion.lammps import inputs, rerun
from aiida_ion.lammps.potentials import load_potential
from aiida_ion.lammps.structure import write_data
from tests.lammps.conftest import run_lmp

Floats = NDArray[np.float64]
Rerun = Callable[..., dict[str, Any]]


@pytest.fixture
def evaluate(lmp: Path, tmp_path: Path) -> Rerun:
    """Run LAMMPS over frames for real and read what it left."""
    made = iter(range(100))

    def run(symbols: list[str], positions: Floats, cells: Floats, potential: str, **kwargs: Any) -> dict[str, Any]:
        folder = tmp_path / f"rerun_{next(made)}"
        folder.mkdir()
        model = load_potential(potential)
        (folder / inputs.DATA).write_text(write_data(positions[0], cells[0], symbols, model))
        (folder / rerun.RERUN_INPUT).write_text(rerun.write_rerun_input(symbols, model, cells, **kwargs))
        with (folder / rerun.RERUN_FRAMES).open("w") as stream:
            rerun.write_frames(stream, symbols, model, positions, cells)
        done = run_lmp(folder, rerun.RERUN_INPUT)
        return rerun.read_rerun(folder, cells, log=done.stdout, errors=done.stderr) | {"folder": folder, "log": done}

    return run


def sheared(atoms: Atoms, n_frames: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return rattled frames: the first in the cell as it is, the others each in a turned and sheared one."""
    shears = [np.eye(3)] + [np.eye(3) + 0.15 * rng.normal(size=(3, 3)) for _ in range(n_frames - 1)]
    cells = np.array([atoms.cell.array @ shear for shear in shears])
    positions = np.array([atoms.get_scaled_positions() @ cell for cell in cells])
    return positions + 0.1 * rng.normal(size=positions.shape), cells


def test_frames_in_cells_of_their_own_have_the_forces_of_ase(evaluate: Rerun, rng: np.random.Generator) -> None:
    atoms = bulk("Ar", "fcc", a=5.4, cubic=True).repeat((2, 2, 1))
    positions, cells = sheared(atoms, 4, rng)
    # A left-handed cell; and images far away, as in an unwrapped trajectory.
    cells[3, 2] *= -1
    far = positions + np.einsum("nai,nij->naj", rng.integers(-40, 40, size=positions.shape), cells)
    result = evaluate(list(atoms.symbols), far, cells, "lennard-jones-argon")
    assert (result["status"], result["forces"].shape) == ("finished", (4, 16, 3))
    assert result["cost"]["n_steps"] == 4 and result["versions"]["lammps"]
    for frame in range(4):
        one = Atoms(atoms.symbols, positions=positions[frame], cell=cells[frame], pbc=True)
        one.calc = LennardJones(sigma=3.405, epsilon=0.010323578, rc=8.5125)
        np.testing.assert_allclose(result["forces"][frame], one.get_forces(), atol=1e-9)
        assert result["energies"][frame] == pytest.approx(one.get_potential_energy(), abs=1e-9)


def test_forces_of_a_lattice_sum_are_the_gradient_of_the_energy(evaluate: Rerun, rng: np.random.Generator) -> None:
    # Where a pair crosses the cutoff the energy steps by some 1e-4 eV.
    atoms = bulk("OLi2", "fluorite", a=4.87).repeat((2, 2, 3))
    step_A, moved = 0.004, [0, 7, 20]
    reference = atoms.positions + 0.1 * rng.normal(size=(len(atoms), 3))
    steps = [(atom, axis, sign) for atom in moved for axis in range(3) for sign in (1, -1)]
    positions = np.array([reference] * (1 + len(steps)))
    for row, (atom, axis, sign) in enumerate(steps, 1):
        positions[row, atom, axis] += sign * step_A
    cells = np.broadcast_to(atoms.cell.array, (len(positions), 3, 3))
    result = evaluate(list(atoms.symbols), positions, cells, "pedone-2006")
    slopes = -(result["energies"][1::2] - result["energies"][2::2]).reshape(3, 3) / (2 * step_A)
    np.testing.assert_allclose(result["forces"][0][moved], slopes, atol=0.03)
    assert np.abs(slopes).max() > 0.5


def test_the_time_limit_leaves_the_frames_before_it(evaluate: Rerun, rng: np.random.Generator) -> None:
    atoms = bulk("Ar", "fcc", a=5.4, cubic=True).repeat(2)
    positions, cells = sheared(atoms, 2, rng)
    many, long = np.repeat(positions, 3000, axis=0), np.repeat(cells, 3000, axis=0)
    result = evaluate(list(atoms.symbols), many, long, "lennard-jones-argon", max_seconds=0.3)
    n_done = len(result["energies"])
    assert result["status"] == "walltime" and 1 < n_done < 6000
    assert f"after {n_done} of 6000 frames" in result["message"]
    assert result["forces"].shape == (n_done, 32, 3)


def test_a_killed_rerun_has_the_frames_that_are_whole(evaluate: Rerun, rng: np.random.Generator) -> None:
    atoms = bulk("Ar", "fcc", a=5.4, cubic=True)
    positions, cells = sheared(atoms, 6, rng)
    whole = evaluate(list(atoms.symbols), positions, cells, "lennard-jones-argon")
    dump, log = whole["folder"] / rerun.RERUN_FORCES, whole["log"].stdout
    dump.write_bytes(dump.read_bytes()[:-200])
    cut = rerun.read_rerun(whole["folder"], cells, log=log[: log.index("Loop time")])
    assert (cut["status"], len(cut["energies"]), len(cut["forces"])) == ("terminated", 5, 5)
    assert np.array_equal(cut["forces"], whole["forces"][:5])
    fifth = log.index("\n         4 ")
    cut = rerun.read_rerun(whole["folder"], cells, log=log[: fifth + 15])
    assert len(cut["energies"]) == 4
    dump.unlink()
    assert len(rerun.read_rerun(whole["folder"], cells, log=log)["energies"]) == 0


def test_a_time_limit_must_be_positive() -> None:
    with pytest.raises(ValueError, match="max_seconds must be positive"):
        rerun.write_rerun_input(["Ar"], load_potential("lennard-jones-argon"), [np.eye(3)], max_seconds=0.0)
