"""Labels strained, rattled cells of Li2O by a published potential, in its own environment: FAMILY FOLDER."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from ase.build import bulk

from aiida_ion.runners.potentials import load_potential
from aiida_ion.runners.run_inputs import PotentialInputs
from aiida_ion.training.extxyz import write_extxyz
from aiida_ion.training.frames import SPLITS, LabelledFrame

calculator, rng = load_potential(PotentialInputs(sys.argv[1]), [3, 8]).calculator, np.random.default_rng(0)
for split in SPLITS:
    frames = []
    for index in range(2):
        atoms = bulk("OLi2", "fluorite", a=4.4)
        atoms.rattle(0.08, rng=rng)
        atoms.set_cell(atoms.cell.array @ (np.eye(3) + 0.02 * rng.normal(size=(3, 3))), scale_atoms=True)
        atoms.calc = calculator
        symbols, stress = atoms.get_chemical_symbols(), np.array(atoms.get_stress(voigt=False), dtype=float)
        energy, forces = float(atoms.get_potential_energy()), np.array(atoms.get_forces(), dtype=float)
        frames.append(
            LabelledFrame(symbols, atoms.positions, atoms.cell.array, energy, forces, stress, split, 0, index)
        )
    Path(sys.argv[2], f"{split}.extxyz").write_text(write_extxyz(frames))
