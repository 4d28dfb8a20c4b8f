"""Datasets of the primitive cell of Li2O with the energies and forces of a pair potential: real gradients, no cost."""

from __future__ import annotations

from typing import Any

import numpy as np
from aiida import orm
from ase.build import bulk
from ase.calculators.lj import LennardJones

from aiida_ion.calculations.training.dataset import training_dataset
from aiida_ion.calculations.trajectory_data import trajectory_node

PARAMETERS = {
    "split": "given",
    "splits": {"trajectory_000": "train", "trajectory_001": "validation", "trajectory_002": "test"},
    "stride_fs": 100.0,
    "allow": ["work"],
}


def lithia(n_frames: int, seed: int, offset_eV_atom: float = 0.0, name: str = "run") -> tuple[Any, Any]:
    """Return trajectory and thermo of rattled cells as two stored nodes.

    :param offset_eV_atom: added to the energy of each atom, as another zero of energy does.
    """
    rng, positions, forces, energies = np.random.default_rng(seed), [], [], []
    for _ in range(n_frames):
        atoms = bulk("OLi2", "fluorite", a=4.62)
        atoms.rattle(0.08, rng=rng)
        atoms.positions = atoms.positions.astype("f4")
        atoms.calc = LennardJones(sigma=1.8, epsilon=0.3, rc=5.0, smooth=True)
        positions.append(atoms.positions)
        forces.append(atoms.get_forces())
        energies.append(atoms.get_potential_energy() + offset_eV_atom * len(atoms))
    steps = 100 * np.arange(n_frames)
    extra = {"forces": np.array(forces, dtype="f4")}
    symbols = atoms.get_chemical_symbols()
    trajectory = trajectory_node(
        symbols, steps, np.array(positions, dtype="f4"), atoms.cell.array, timestep_fs=1.0, extra=extra
    )
    trajectory.base.attributes.set_many(
        {"level_of_theory": "pairs", "target_temperature_K": 300.0, "sample_every": 100}
    )
    thermo = orm.ArrayData()
    thermo.set_array("steps", steps)
    thermo.set_array("potential_energy", np.array(energies))
    trajectory.label = name
    return trajectory.store(), thermo.store()


def dataset(offset_eV_atom: float = 0.0, counts: tuple[int, ...] = (4, 2, 2)) -> orm.ArrayData:
    """Return a dataset of runs of their own for training, validation and test."""
    nodes = {}
    for number, n_frames in enumerate(counts):
        run = lithia(n_frames, number + 1, offset_eV_atom)
        nodes[f"trajectory_{number:03d}"], nodes[f"thermo_{number:03d}"] = run
    return training_dataset(orm.Dict(PARAMETERS), **nodes)  # type: ignore[no-any-return]
