"""Ordered cells relaxed by a calculator: against energies that are known, and what is said where it does not work."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones

from aiida_ion.runners.disorder.relax import relax_cells
from aiida_ion.runners.disorder.relaxation import NotRelaxableError, closest_pair_A, relax_ordering
from aiida_ion.runners.output import run_program
from aiida_ion.settings.ordering import RelaxOrderingsSettings
from aiida_ion.units import GPA_PER_KBAR, KBAR_PER_EV_A3

TOY = {"name": "emt"}


def alloy(seed: int = 1, a: float = 3.7) -> Atoms:
    """Return 8 atoms of copper and silver off their sites."""
    atoms = bulk("Cu", cubic=True, a=a).repeat((2, 1, 1))
    atoms.symbols[[0, 3]] = "Ag"
    atoms.rattle(0.05, seed=seed)
    atoms.calc = EMT()
    return atoms


def settings(**changes: Any) -> RelaxOrderingsSettings:
    return RelaxOrderingsSettings.from_dict({"mobile_species": "Ag"} | changes)


def test_ions_relax_and_every_number_is_that_of_the_calculator() -> None:
    atoms = alloy()
    start, cell = atoms.copy(), atoms.cell.array.copy()
    energy = atoms.get_potential_energy()
    relaxed = relax_ordering(atoms, settings(max_force_eV_A=0.01))
    assert relaxed["converged"] and 0 < relaxed["n_steps"] < 150
    again = Atoms(start.symbols, positions=relaxed["positions_A"], cell=relaxed["cell_A"], pbc=True, calculator=EMT())
    assert relaxed["energy_before_eV"] == pytest.approx(energy)
    assert relaxed["energy_eV"] == pytest.approx(again.get_potential_energy(), abs=1e-9)
    assert relaxed["energy_eV"] < energy - 0.1
    largest = np.linalg.norm(again.get_forces(), axis=1).max()
    assert relaxed["max_force_eV_A"] == pytest.approx(largest, abs=1e-9) and largest <= 0.01
    stress = again.get_stress(voigt=False)
    pressure = -np.trace(stress) / 3 * KBAR_PER_EV_A3 * GPA_PER_KBAR
    assert relaxed["pressure_GPa"] == pytest.approx(pressure, abs=1e-6)
    assert np.allclose(relaxed["cell_A"], cell) and relaxed["volume_A3"] == pytest.approx(relaxed["volume_before_A3"])
    moved = again.positions - start.positions
    moved -= moved.mean(axis=0)
    assert relaxed["max_displacement_A"] == pytest.approx(np.linalg.norm(moved, axis=1).max(), abs=1e-9)
    assert relaxed["closest_mobile_before_A"] == pytest.approx(start.get_distance(0, 3, mic=True))


def test_the_volume_relaxes_with_the_ions_and_the_shape_stays() -> None:
    atoms = alloy(a=3.5)
    cell = atoms.cell.array.copy()
    fixed = relax_ordering(alloy(a=3.5), settings())
    free = relax_ordering(atoms, settings(cell="isotropic"))
    assert free["converged"] and abs(free["pressure_GPa"]) <= 0.1 < abs(fixed["pressure_GPa"])
    assert free["energy_eV"] < fixed["energy_eV"]
    scale = np.array(free["cell_A"]) / np.where(cell == 0, 1, cell)
    assert np.allclose(scale[cell != 0], scale[0, 0]) and scale[0, 0] > 1.0
    assert free["volume_A3"] == pytest.approx(free["volume_before_A3"] * scale[0, 0] ** 3)


def test_too_few_steps_are_said() -> None:
    relaxed = relax_ordering(alloy(), settings(max_force_eV_A=1e-4, max_steps=2))
    assert not relaxed["converged"] and relaxed["n_steps"] == 2 and relaxed["max_force_eV_A"] > 1e-4


def test_pairs_over_the_faces_of_the_cell_and_with_images_count() -> None:
    pair = Atoms("Li2O", scaled_positions=[[0.02, 0, 0], [0.98, 0, 0], [0.5, 0, 0]], cell=[4, 9, 9], pbc=True)
    assert closest_pair_A(pair, "Li") == pytest.approx(0.16)
    single = Atoms("LiO", scaled_positions=[[0, 0, 0], [0.5, 0, 0]], cell=[3, 9, 9], pbc=True)
    assert closest_pair_A(single, "Li") == pytest.approx(3.0)
    assert closest_pair_A(Atoms("Li", cell=[9] * 3, pbc=True), "Li") is None


def test_atoms_on_top_of_each_other_are_an_error() -> None:
    atoms = Atoms("Ar2", positions=[[0, 0, 0], [0, 0, 0]], cell=[12] * 3, pbc=True, calculator=LennardJones())
    with pytest.raises(NotRelaxableError, match="on top of each other"), np.errstate(all="ignore"):
        relax_ordering(atoms, settings())


def structures(**cells: Atoms) -> list[dict[str, Any]]:
    return [
        {
            "label": label,
            "cell_A": atoms.cell.array.tolist(),
            "symbols": atoms.get_chemical_symbols(),
            "fractional": atoms.get_scaled_positions().tolist(),
        }
        for label, atoms in cells.items()
    ]


def test_a_program_that_was_stopped_goes_on_with_the_cells_that_are_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    cells = {"o000": alloy(1), "o001": alloy(2), "o002": Atoms("LiCl", positions=[[0] * 3, [2] * 3], cell=[5] * 3)}
    inputs = {"potential": TOY, "settings": {"mobile_species": "Ag"}, "structures": structures(**cells)}
    Path("inputs.json").write_text(json.dumps(inputs | {"structures": structures(o000=cells["o000"])}))
    assert run_program(relax_cells) == 0
    (first,) = Path("results.jsonl").read_text().splitlines()
    with Path("results.jsonl").open("a") as stream:
        stream.write('{"label": "o001", "half')  # what a kill leaves
    Path("inputs.json").write_text(json.dumps(inputs))
    assert run_program(relax_cells) == 0
    lines = Path("results.jsonl").read_text().splitlines()
    assert lines[0] == first and len(lines) == 3
    records = [json.loads(line) for line in lines]
    assert [record["status"] for record in records] == ["finished", "finished", "refused"]
    assert records[2]["message"] == "the potential does not know Cl, Li"
    results = json.loads(Path("results.json").read_text())
    assert results["status"] == "finished" and results["cost"]["n_steps"] == records[1]["n_steps"]
    assert not Path("reserve").exists()
