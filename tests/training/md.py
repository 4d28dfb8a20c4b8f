"""Short molecular dynamics of copper and gold in this process, by effective-medium theory: real, smooth forces."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from ase import Atoms, units
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.md.langevin import Langevin
from ase.stress import full_3x3_to_voigt_6_stress
from numpy.typing import NDArray

from aiida_ion.training.runs import LabelledRun


@dataclass(frozen=True)
class Md:
    """A run: n frames of N atoms, every `timestep_fs`."""

    symbols: tuple[str, ...]
    positions: NDArray[np.float64]
    cell: NDArray[np.float64]
    forces: NDArray[np.float64]
    energies_eV: NDArray[np.float64]
    stress: NDArray[np.float64]
    temperature_K: float
    timestep_fs: float


@lru_cache
def run_md(
    temperature_K: float = 600.0,
    n_frames: int = 400,
    n_gold: int = 2,
    seed: int = 1,
    timestep_fs: float = 4.0,
    a: float = 3.7,
) -> Md:
    atoms: Atoms = bulk("Cu", "fcc", a=a, cubic=True)
    numbers = atoms.numbers.copy()
    numbers[:n_gold] = 79
    atoms.numbers = numbers
    atoms = atoms.repeat((2, 1, 1))
    atoms.calc = EMT()
    rng = np.random.default_rng(seed)
    spread = np.sqrt(2 * units.kB * temperature_K * atoms.get_masses()[:, None])
    atoms.set_momenta(rng.normal(size=(len(atoms), 3)) * spread)
    md = Langevin(
        atoms, timestep_fs * units.fs, temperature_K=temperature_K, friction=0.002 / units.fs, rng=rng, fixcm=False
    )
    rows: list[Any] = []
    md.attach(
        lambda: rows.append(
            (
                atoms.positions.copy(),
                atoms.get_forces(),
                atoms.get_potential_energy(),
                atoms.get_stress(voigt=False),
            )
        )
    )
    md.run(n_frames - 1)
    positions, forces, energies, stress = (np.array(column) for column in zip(*rows, strict=True))
    symbols = tuple(atoms.get_chemical_symbols())
    return Md(symbols, positions, atoms.cell.array, forces, energies, stress, temperature_K, timestep_fs)


def labelled(md: Md, run: int = 0, name: str = "run", sample_every: int = 1, **changes: Any) -> LabelledRun:
    """Return a run as the pure functions take it."""
    rows = np.arange(0, len(md.positions), sample_every)
    values: dict[str, Any] = {
        "name": name,
        "symbols": md.symbols,
        "positions": md.positions[rows],
        "cells": np.broadcast_to(md.cell, (len(rows), 3, 3)).copy(),
        "forces": md.forces[rows],
        "energies_eV": md.energies_eV[rows],
        "stress": md.stress[rows],
        "frames": np.arange(len(rows)),
        "steps": rows,
        "times_fs": rows * md.timestep_fs,
        "run": run,
        "temperature_K": md.temperature_K,
        "level_of_theory": "EMT",
        "unconverged": np.zeros(len(rows), dtype=bool),
    }
    return LabelledRun(**(values | changes))


def voigt(md: Md) -> NDArray[np.float64]:
    return np.array([full_3x3_to_voigt_6_stress(stress) for stress in md.stress])
