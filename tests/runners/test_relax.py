"""The relaxation program, run for real."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT

from tests.runners.conftest import Folder, engine_python

MakeFolder = Callable[[str], Folder]


def relax(folder: Folder, atoms: Atoms, python: str | None = None, **changes: Any) -> dict[str, Any]:
    inputs: dict[str, Any] = {"potential": {"name": "emt"}, "relax": {}} | changes
    folder.write(atoms, **inputs)
    return folder.run("relax") if python is None else folder.run("relax", python)


def test_relaxes_to_the_lattice(make_folder: MakeFolder) -> None:
    lattice = bulk("Cu", cubic=True).repeat(2)
    atoms = lattice.copy()
    atoms.rattle(0.08, seed=3)
    shift = (atoms.positions - lattice.positions).mean(axis=0)
    folder = make_folder("run")
    results = relax(folder, atoms, relax={"max_force_eV_A": 0.001, "max_steps": 300})
    assert results["status"] == "finished" and results["converged"] is True
    assert results["final_max_force_eV_A"] <= 0.001 < results["initial_max_force_eV_A"]
    relaxed = folder.array("relaxed")
    assert relaxed.dtype == np.float64
    np.testing.assert_array_equal(relaxed, results["positions"])
    np.testing.assert_allclose(relaxed - shift, lattice.positions, atol=2e-3)
    moved = np.linalg.norm(atoms.positions - shift - lattice.positions, axis=1)
    assert results["max_displacement_A"] == pytest.approx(moved.max(), abs=3e-3)
    assert results["rms_displacement_A"] == pytest.approx(np.sqrt(np.mean(moved**2)), abs=3e-3)
    atoms.calc, lattice.calc = EMT(), EMT()
    drop = (atoms.get_potential_energy() - lattice.get_potential_energy()) / len(atoms)
    assert results["energy_drop_eV_atom"] == pytest.approx(drop, abs=1e-5)
    assert results["cost"]["n_steps"] == results["n_steps"] > 3
    assert results["versions"]["ase"] and results["cost"]["n_atoms"] == 32


def test_too_few_steps(make_folder: MakeFolder, copper: Atoms) -> None:
    results = relax(make_folder("run"), copper, relax={"max_force_eV_A": 1e-4, "max_steps": 3})
    assert results["status"] == "not_converged" and results["converged"] is False
    assert results["n_steps"] == 3 and "max_steps" in results["message"]
    assert len(results["positions"]) == 32


def test_already_relaxed(make_folder: MakeFolder) -> None:
    results = relax(make_folder("run"), bulk("Cu", cubic=True))
    assert results["status"] == "finished" and results["n_steps"] == 0
    assert results["max_displacement_A"] == 0.0


def test_atoms_on_top_of_each_other(make_folder: MakeFolder, argon: Atoms) -> None:
    argon.positions[1] = argon.positions[0]
    results = relax(make_folder("run"), argon, potential={"name": "lj"})
    assert results["status"] == "exploded"


@pytest.mark.parametrize("changes", [{"max_steps": 0}, {"max_force_eV_A": -1.0}, {"fmax": 0.1}])
def test_invalid_input(make_folder: MakeFolder, copper: Atoms, changes: dict[str, Any]) -> None:
    results = relax(make_folder("run"), copper, relax=changes)
    assert results["status"] == "invalid_input" and next(iter(changes)) in results["message"]


def test_unknown_element(make_folder: MakeFolder) -> None:
    results = relax(make_folder("run"), bulk("Li").repeat(2))
    assert results["status"] == "element_unknown" and "Li" in results["message"]


def test_sevennet(make_folder: MakeFolder) -> None:
    atoms = bulk("LiF", "rocksalt", a=4.0)
    atoms.rattle(0.1, seed=2)
    python = engine_python("sevenn")
    results = relax(make_folder("run"), atoms, python, potential={"name": "sevenn"})
    assert results["status"] == "finished" and results["energy_drop_eV_atom"] > 0
    assert results["versions"]["checkpoint"]["sha256"]
