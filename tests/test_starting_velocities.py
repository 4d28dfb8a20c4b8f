"""Starting velocities: a Maxwell-Boltzmann distribution at exactly the temperature, the same for the same seed."""

from __future__ import annotations

import numpy as np
import pytest
from ase import units
from ase.build import bulk

from aiida_ion.starting_velocities import starting_velocities


def test_no_momentum_and_exactly_the_temperature() -> None:
    atoms = bulk("CaF2", "fluorite", a=5.65, cubic=True).repeat(2)
    velocities = starting_velocities(atoms.get_masses(), 700.0, 11)
    assert np.allclose(atoms.get_masses() @ velocities, 0.0, atol=1e-14)
    atoms.set_velocities(velocities / units.fs)
    freedom = 3 * len(atoms) - 3
    assert 2 * atoms.get_kinetic_energy() / freedom / units.kB == pytest.approx(700.0, rel=1e-12)
    assert np.array_equal(velocities, starting_velocities(atoms.get_masses(), 700.0, 11))
    assert not np.allclose(velocities, starting_velocities(atoms.get_masses(), 700.0, 12))


def test_each_element_has_its_share() -> None:
    masses = np.repeat([1.0, 100.0], 20_000)
    velocities = starting_velocities(masses, 300.0, 1)
    for mass in (1.0, 100.0):
        variance = float(np.var(velocities[masses == mass]))
        assert variance == pytest.approx(units.kB * 300.0 / mass * units.fs**2, rel=0.03)


def test_a_single_atom_rests() -> None:
    assert starting_velocities([6.9], 300.0, 1).tolist() == [[0.0, 0.0, 0.0]]
