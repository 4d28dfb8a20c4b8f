"""Trajectories of known diffusivity for the tests of the analysis."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from aiida_ion.analysis.checks.limits import CheckLimits
from aiida_ion.analysis.trajectories.trajectory import Segment
from benchmarks import walkers
from benchmarks.walkers import CUBIC, D_A2_PS, D_CM2_S, TRICLINIC

__all__ = ["CUBIC", "D_A2_PS", "D_CM2_S", "GHOSTS", "TRICLINIC", "brownian", "crystal", "rattling"]

#: These ions walk through each other and through the framework.
GHOSTS = CheckLimits(min_distance_ratio_warn=0.0, min_distance_ratio_fail=0.0)


def brownian(
    seed: int,
    n_frames: int = 500,
    n_ions: int = 20,
    *,
    diffusivity_A2_ps: float = D_A2_PS,
    frame_ps: float = 0.1,
    rattle_A: float = 0.2,
) -> npt.NDArray[np.float64]:
    """Freely diffusing ions that rattle, angstrom, (n_frames, n_ions, 3)."""
    generator = np.random.default_rng(seed)
    steps = walkers.brownian(generator, n_frames, n_ions, diffusivity_A2_ps=diffusivity_A2_ps, frame_ps=frame_ps)
    return rattling(steps, generator, rattle_A)


def rattling(steps: npt.NDArray[np.float64], seed: walkers.Seed, rattle_A: float = 0.2) -> npt.NDArray[np.float64]:
    """Where ions are that make these steps and rattle, angstrom, (n_frames, n_ions, 3)."""
    return np.cumsum(steps, axis=0) + np.random.default_rng(seed).normal(0.0, rattle_A, steps.shape)


def crystal(
    mobile: npt.NDArray[np.float64],
    seed: int = 0,
    *,
    n_framework: int = 30,
    frame_ps: float = 0.1,
    cell: npt.NDArray[np.float64] = CUBIC,
    drift_A: float = 0.0,
) -> tuple[Segment, list[str]]:
    """Put mobile Li ions into a vibrating framework of O in a cell, all drifting along x by ``drift_A``."""
    generator = np.random.default_rng(seed + 1000)
    n_frames, n_ions, _ = mobile.shape
    framework = generator.normal(0.0, 0.1, (n_frames, n_framework, 3))
    sites = generator.random((n_ions + n_framework, 3)) @ cell
    positions = sites + np.concatenate([mobile, framework], axis=1)
    positions[..., 0] += np.linspace(0.0, drift_A, n_frames)[:, None]
    segment = Segment(positions.astype(np.float32), np.arange(n_frames) * frame_ps, cell)
    return segment, ["Li"] * n_ions + ["O"] * n_framework
