"""Synthetic crystals whose label is known: ions on springs, which are the harder the slower the ions are."""

from __future__ import annotations

from typing import Any

import numpy as np

from aiida_ion.surrogate.dataset import DISPLACED, SHORT_MD, TRAJECTORY, Dataset

LATTICE_A = 3.0
STEP_FS = 10.0
FORMULAS = ("Li2O", "LiCl", "Li3N", "Li2S")


def synthetic_dataset(
    n_materials: int = 24, n_displaced: int = 6, n_frames: int = 24, seed: int = 1, edge: int = 2
) -> Dataset:
    """Return a dataset of rocksalt-like cells of 8 (or ``edge``^3) atoms; half of the atoms are mobile.

    The spring constant of a material decides its label, and how far its ions move in the short MD, which stands beside
    the displaced cells. Positions and masses say nothing. One material in eight does not move: its label is a bound.
    """
    generator = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(*[np.arange(edge)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    n_atoms = len(grid)
    mobile = grid.sum(axis=1) % 2 == 0
    reference = grid * LATTICE_A
    log10_slope = generator.permutation(np.linspace(-2.5, 1.5, n_materials))
    rows: dict[str, list[Any]] = {name: [] for name in ("material", "kind", "amplitude_A", "time_fs", "x", "f")}
    for material, label in enumerate(log10_slope):
        spring = 10 ** (0.5 - 0.5 * label)  # eV/angstrom^2
        frames = _frames(generator, reference, mobile, label, n_displaced, n_frames)
        for kind, amplitude, time, positions in frames:
            rows["material"].append(material)
            rows["kind"].append(kind)
            rows["amplitude_A"].append(amplitude)
            rows["time_fs"].append(time)
            rows["x"].append(positions)
            rows["f"].append(-spring * np.where(mobile[:, None], 1.0, 3.0) * (positions - reference))
    noise = 0.05 * generator.normal(size=(n_materials, 2))
    arrays = {
        "atom_offsets": np.arange(n_materials + 1) * n_atoms,
        "atomic_numbers": np.tile(np.where(mobile, 3, 8), n_materials).astype(np.int16),
        "masses_amu": np.tile(np.where(mobile, 6.94, 16.0), n_materials),
        "mobile": np.tile(mobile, n_materials),
        "reference_positions_A": np.tile(reference, (n_materials, 1)).astype(float),
        "cells_A": np.tile(np.eye(3) * edge * LATTICE_A, (n_materials, 1, 1)),
        "material": np.array(rows["material"], dtype=np.int32),
        "kind": np.array(rows["kind"], dtype=np.int8),
        "amplitude_A": np.array(rows["amplitude_A"]),
        "time_fs": np.array(rows["time_fs"]),
        "position_offsets": np.arange(len(rows["x"]) + 1) * n_atoms,
        "positions_A": np.concatenate(rows["x"]).astype(np.float32),
        "forces_eV_A": np.concatenate(rows["f"]).astype(np.float32),
        "log10_slope": np.maximum(log10_slope, -2.0),
        "log10_slope_std": np.full(n_materials, 0.05),
        "censored": log10_slope < -2.0,
        "replica_offsets": np.arange(n_materials + 1) * 2,
        "replica_log10_slope": (log10_slope[:, None] + noise).ravel(),
        "short_md_steps_fs": np.full(n_materials, STEP_FS),
    }
    return Dataset(arrays, [_said(index) for index in range(n_materials)])


def _frames(generator: Any, reference: Any, mobile: Any, label: float, n_displaced: int, n_frames: int) -> Any:
    """Yield kind, amplitude, time and positions of the configurations, in the order of the dataset."""
    for amplitude in (0.05, 0.1):
        for _ in range(n_displaced):
            yield DISPLACED, amplitude, np.nan, reference + amplitude * generator.normal(size=reference.shape)
    walk = 10 ** (label / 2) * np.sqrt(STEP_FS / 1000.0 / 3.0)
    for kind in (TRAJECTORY, SHORT_MD):
        positions = reference.astype(float)
        for frame in range(n_frames):
            moved = walk * generator.normal(size=reference.shape) * mobile[:, None]
            positions = positions + moved
            shaken = positions + 0.02 * generator.normal(size=reference.shape)
            yield kind, np.nan, STEP_FS * frame, shaken


def _said(index: int) -> dict[str, Any]:
    formula = FORMULAS[index % len(FORMULAS)]
    return {
        "formula": formula,
        "chemical_system": "-".join(sorted({"Li", formula.strip("Li23") or "O"})),
        "prototype": f"AB{index % 3} {220 + index % 6}",
        "level_of_theory": "synthetic",
        "structure_uuid": f"structure-{index}",
        "diffusion_uuid": f"diffusion-{index}",
    }
