import resource
import subprocess
import sys

import numpy as np
import pytest
from pymatgen.core import Lattice, Molecule, Structure

from aiida_ion.analysis.crystals.nearest import nearest_neighbours, shortest_between
from aiida_ion.analysis.crystals.structure import check_structure

ROCK_SALT = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.13), ["Li", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])


def test_disordered_site_is_named():
    disordered = ROCK_SALT.copy()
    disordered[1] = {"Li": 0.5, "Na": 0.25}
    with pytest.raises(ValueError, match=r"disordered: the site \S+ at \(0.500, 0.500, 0.000\) holds Na:0.25, Li:0.5"):
        check_structure(disordered)


def test_close_atoms_are_named():
    close = ROCK_SALT.copy()
    close.append("Na", [0.99, 0.01, 0.0])
    with pytest.raises(ValueError, match=r"atoms 0 \(Li\) and 8 \(Na\) are 0.073 angstrom apart"):
        check_structure(close)


def test_coinciding_atoms_are_named():
    twice = ROCK_SALT.copy()
    twice.append("Li", [1.0, 0.0, 0.0])
    with pytest.raises(ValueError, match=r"atoms 0 \(Li\) and 8 \(Li\) are 0.000 angstrom apart"):
        check_structure(twice)


def test_an_atom_too_near_to_its_own_image():
    with pytest.raises(ValueError, match=r"atoms 0 \(Li\) and 0 \(Li\) are 0.400 angstrom apart"):
        check_structure(Structure(Lattice.orthorhombic(9.0, 9.0, 0.4), ["Li"], [[0.1, 0.2, 0.3]]))


def test_absent_mobile_species():
    with pytest.raises(ValueError, match="no Na in LiCl"):
        check_structure(ROCK_SALT, "Na")


def test_molecule_has_no_cell():
    with pytest.raises(ValueError, match="no periodic cell"):
        check_structure(Molecule(["O"], [[0, 0, 0]]))


@pytest.mark.parametrize("seed", range(8))
def test_nearest_neighbours_are_those_of_all_pairs(seed):
    generator = np.random.default_rng(seed)
    cell = generator.normal(size=(3, 3)) * 4.0 + np.eye(3) * 3.0
    if seed % 2:
        cell[1] = 0.97 * cell[0] + 0.6 * cell[1]  # a skewed cell
    fractions = generator.uniform(-2.0, 2.0, size=(7, 3))
    shifts = np.array(np.meshgrid(*[range(-8, 9)] * 3)).reshape(3, -1).T
    steps = fractions[None, :, None] + shifts[None, None] - fractions[:, None, None]
    lengths = np.linalg.norm(steps @ cell, axis=-1)
    lengths[np.arange(7), np.arange(7), np.flatnonzero((shifts == 0).all(axis=1))[0]] = np.inf
    expected = lengths.min(axis=(1, 2))
    distances, others = nearest_neighbours(cell, fractions, 50.0)
    assert distances == pytest.approx(expected)
    assert lengths.min(axis=2)[np.arange(7), others] == pytest.approx(expected)
    few, none = nearest_neighbours(cell, fractions, float(expected.min()) * 0.99)
    assert np.all(np.isinf(few))
    assert np.all(none == -1)
    between = shortest_between(cell, fractions, [0, 1], [2, 3, 4], 50.0)
    assert between == pytest.approx(lengths[:2, 2:5].min())


LARGE = """
from pymatgen.core import Lattice, Structure
from aiida_ion.analysis.crystals.structure import check_structure
check_structure(Structure(Lattice.cubic(462.0), ["Li", "O"], [[0, 0, 0], [0.5, 0.5, 0.5]]))
"""


def test_a_large_cell_needs_little_memory():
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (4 * 1024**3, 4 * 1024**3))  # 11 GB were needed once

    subprocess.run([sys.executable, "-c", LARGE], check=True, preexec_fn=limit)
