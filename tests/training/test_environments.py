from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from aiida_ion.training.environments import CENTRES_A, CUTOFF_A, ETA, Environments, symmetry_functions

CELL = bulk("NaCl", "rocksalt", a=5.64, cubic=True)


def frame(atoms: Atoms) -> tuple[list[str], np.ndarray, np.ndarray]:
    return atoms.get_chemical_symbols(), atoms.positions, np.array(atoms.cell)


def shaken(seed: int, amplitude_A: float) -> Atoms:
    atoms = CELL.copy()
    atoms.rattle(amplitude_A, seed=seed)
    return atoms


def test_functions_of_a_pair_are_those_of_the_formula_and_vanish_at_the_cut_off() -> None:
    for distance in (2.0, 4.0, CUTOFF_A + 0.1):
        pair = Atoms("LiO", positions=[[0, 0, 0], [distance, 0, 0]], cell=[30, 30, 30], pbc=True)
        values = symmetry_functions(*frame(pair), ["Li", "O"]).reshape(2, 2, -1)
        smooth = 0.5 * (np.cos(np.pi * distance / CUTOFF_A) + 1) if distance < CUTOFF_A else 0.0
        expected = np.exp(-ETA * (distance - CENTRES_A) ** 2) * smooth
        assert values[0, 1] == pytest.approx(expected)
        assert values[1, 0] == pytest.approx(expected)
        assert not values[0, 0].any()


def test_what_was_trained_on_is_at_no_distance_wherever_its_cell_and_images_are() -> None:
    space = Environments([frame(shaken(seed, 0.1)) for seed in range(5)])
    known = shaken(3, 0.1)
    assert space.largest(*frame(known)) == pytest.approx(0.0, abs=1e-9)
    known.positions[2] += 3 * np.array(known.cell)[0]
    known.positions += 1.234
    assert space.largest(*frame(known)) == pytest.approx(0.0, abs=1e-6)


def test_the_atom_that_moved_away_is_the_farthest_and_new_elements_are_refused() -> None:
    space = Environments([frame(shaken(seed, 0.1)) for seed in range(20)])
    alike = [space.largest(*frame(shaken(seed, 0.1))) for seed in range(100, 110)]
    moved = shaken(50, 0.1)
    moved.positions[0] += [1.2, 0.0, 0.0]
    distances = space.distances(*frame(moved))
    assert distances.max() > 1.5 * max(alike)
    moved.symbols[1] = "Li"
    with pytest.raises(ValueError, match="no training frame has Li"):
        space.largest(*frame(moved))


def test_functions_that_do_not_vary_are_left_out() -> None:
    space = Environments([frame(CELL)])  # every atom of an element alike
    assert np.isfinite(space.distances(*frame(shaken(1, 0.2)))).all()
