"""Labelled frames of the primitive cell of Li2O, by a pair potential: real gradients at no cost."""

from __future__ import annotations

import numpy as np
from ase import Atoms
from ase.build import bulk
from ase.calculators.lj import LennardJones

from aiida_ion.training.frames import LabelledFrame


def labelled(atoms: Atoms, split: str = "train", offset_eV_atom: float = 0.0, index: int = 0) -> LabelledFrame:
    """Return a frame with the labels of a Lennard-Jones potential."""
    atoms = atoms.copy()
    atoms.calc = LennardJones(sigma=1.8, epsilon=0.3, rc=5.0, smooth=True)
    energy = float(atoms.get_potential_energy()) + offset_eV_atom * len(atoms)
    symbols, stress = atoms.get_chemical_symbols(), atoms.get_stress(voigt=False)
    return LabelledFrame(
        symbols, atoms.positions, atoms.cell.array, energy, atoms.get_forces(), stress, split, 0, index, 300.0
    )


def lithia(
    n_frames: int, seed: int, split: str = "train", offset_eV_atom: float = 0.0, repeat: int = 1
) -> list[LabelledFrame]:
    """Return rattled cells of Li2O, of 3 atoms times ``repeat``."""
    rng, frames = np.random.default_rng(seed), []
    for index in range(n_frames):
        atoms = bulk("OLi2", "fluorite", a=4.62).repeat((repeat, 1, 1))
        atoms.rattle(0.08, rng=rng)
        frames.append(labelled(atoms, split, offset_eV_atom, index))
    return frames
