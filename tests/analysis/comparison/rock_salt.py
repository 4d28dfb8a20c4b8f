"""Synthetic segments of an oscillating rock salt, and forces on their frames with known errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from ase.build import bulk

from aiida_ion.analysis.comparison.segments import ComparedSegment, EvaluatedForces
from aiida_ion.units import FS_PER_PS

LEVELS = ("CHGNet", "PBE")
SYMBOLS = ["Li"] * 4 + ["Cl"] * 4
KEYS = ("T_0800K_seed_1_segment_000", "T_0800K_seed_1_segment_001")
OSCILLATION_THZ = {"Li": 10.0, "Cl": 5.0}
TIMESTEP_FS = 2.0


def segment(
    key: str,
    *,
    symbols: list[str] = SYMBOLS,
    n_frames: int = 400,
    rattle_A: float = 0.1,
    scale: float = 1.0,
    temperature_K: float | None = 800.0,
    without: tuple[str, ...] = (),
) -> ComparedSegment:
    """Return a segment of an oscillating rock salt: forces, and velocities of known frequencies, 2 fs apart."""
    number = KEYS.index(key)
    rng = np.random.default_rng(number)
    atoms = bulk("LiCl", "rocksalt", a=5.13, cubic=True)
    order = np.argsort([0 if symbol == "Li" else 1 for symbol in atoms.get_chemical_symbols()], kind="stable")
    steps = np.arange(n_frames) + number * n_frames
    omega = 2 * np.pi * np.array([OSCILLATION_THZ[symbol] for symbol in symbols])[:, None] * scale
    phase = np.random.default_rng(5).uniform(0, 2 * np.pi, (len(symbols), 3))
    times_ps = steps * TIMESTEP_FS / FS_PER_PS
    angle = omega * times_ps[:, None, None] + phase
    arrays = {
        "steps": steps,
        "times": times_ps,
        "positions": (atoms.positions[order] + rattle_A * np.sin(angle)).astype("f4"),
        "cells": np.tile(atoms.cell.array, (n_frames, 1, 1)),
        "forces": rng.normal(0.0, 1.0, (n_frames, len(symbols), 3)).astype("f4"),
        "velocities": np.cos(angle).astype("f4"),
    }
    kept = {name: array for name, array in arrays.items() if name not in without}
    return ComparedSegment(symbols, temperature_K, 1, kept)


def segments(**change: Any) -> dict[str, ComparedSegment]:
    """Return both segments of a run."""
    return {key: segment(key, **change) for key in KEYS}


def evaluated(reference: Mapping[str, ComparedSegment], noise_eV_A: float, every: int = 10) -> EvaluatedForces:
    """Return forces and energies of a potential on frames of the reference."""
    rng = np.random.default_rng(9)
    frames = np.arange(0, 400, every)
    index = np.repeat(np.arange(len(reference)), len(frames))
    frames = np.tile(frames, len(reference))
    pairs = [(reference[KEYS[s]].arrays, f) for s, f in zip(index, frames, strict=True)]
    exact = np.array([arrays["forces"][f] for arrays, f in pairs])
    steps = np.array([arrays["steps"][f] for arrays, f in pairs])
    arrays = {
        "forces": exact + rng.normal(0.0, noise_eV_A, exact.shape),
        "energies": -40.0 + 0.1 * np.sin(steps) + rng.normal(0.0, 0.008, len(steps)),
        "steps": steps,
        "segment": index,
        "frames": frames,
    }
    return EvaluatedForces(list(reference), SYMBOLS, arrays)


def thermo_of(reference: Mapping[str, ComparedSegment]) -> dict[str, dict[str, Any]]:
    """Return the energies of the reference."""
    return {
        key: {"steps": one.arrays["steps"], "potential_energy": -56.0 + 0.1 * np.sin(one.arrays["steps"])}
        for key, one in reference.items()
    }
