"""Mobile ions that walk with a known diffusivity: shared by the benchmarks and the tests.

Every walk takes a seed (or a generator), frames and ions, and gives steps between frames, angstrom, (n_frames, n_ions,
3), whose tracer diffusivity is :data:`D_A2_PS` unless told otherwise. Their Haven ratio is one unless the text says
another.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import signal

from aiida_ion.analysis.trajectories.trajectory import Segment

FloatArray = npt.NDArray[np.float64]
Seed = int | np.random.Generator

FRAME_PS = 0.1
#: 1e-5 cm^2/s in angstrom^2/ps.
D_A2_PS = 0.1
D_CM2_S = 1e-5
SITE_DISTANCE_A = 3.0
CUBIC = np.eye(3) * 20.0
#: Neither reduced nor near it: its vectors are up to three times as long as the cell is wide.
SHEARED = np.array([[20.0, 0.0, 0.0], [46.0, 14.0, 0.0], [-33.0, 25.0, 15.0]])
TRICLINIC = np.array([[20.0, 0.0, 0.0], [9.0, 18.0, 0.0], [-6.0, 7.0, 17.0]])
#: Diffusivities along the axes of the anisotropic walk over their mean, and a rotation of those axes.
ANISOTROPIC = np.array([2.0, 0.7, 0.3])
ROTATION = np.array([[2.0, -2.0, 1.0], [1.0, 2.0, 2.0], [-2.0, -1.0, 2.0]]) / 3.0


def brownian(
    seed: Seed, n_frames: int, n_ions: int, *, diffusivity_A2_ps: float = D_A2_PS, frame_ps: float = FRAME_PS
) -> FloatArray:
    """Free diffusion."""
    step_A = np.sqrt(2.0 * diffusivity_A2_ps * frame_ps)
    return np.random.default_rng(seed).normal(0.0, step_A, (n_frames, n_ions, 3))


def hopping(seed: Seed, n_frames: int, n_ions: int, *, diffusivity_A2_ps: float = D_A2_PS) -> FloatArray:
    """Independent hops along the axes of a lattice."""
    generator = np.random.default_rng(seed)
    probability = 6.0 * diffusivity_A2_ps * FRAME_PS / SITE_DISTANCE_A**2
    hops = generator.random((n_frames, n_ions)) < probability
    axis = np.eye(3)[generator.integers(0, 3, (n_frames, n_ions))]
    sign = generator.choice([-1.0, 1.0], (n_frames, n_ions))
    return (hops * sign)[..., None] * axis * SITE_DISTANCE_A


def pairs(seed: Seed, n_frames: int, n_ions: int) -> FloatArray:
    """Ions two and two on one free walk: the Haven ratio is 1/2."""
    return np.repeat(brownian(seed, n_frames, n_ions // 2), 2, axis=1)


def hopping_pairs(seed: Seed, n_frames: int, n_ions: int) -> FloatArray:
    """Ions that hop two and two: the Haven ratio is 1/2."""
    return np.repeat(hopping(seed, n_frames, n_ions // 2), 2, axis=1)


def partly_common(seed: Seed, n_frames: int, n_ions: int, *, common: float = 0.1) -> FloatArray:
    """Free walks with a part of their variance in common: the Haven ratio is 1 / (1 + (N - 1) common)."""
    generator = np.random.default_rng(seed)
    own, shared = brownian(generator, n_frames, n_ions), brownian(generator, n_frames, 1)
    return np.sqrt(1.0 - common) * own + np.sqrt(common) * shared


def langevin(seed: Seed, n_frames: int, n_ions: int, *, memory_ps: float = 1.0) -> FloatArray:
    """Velocities with an exponential memory: ballistic at first, diffusive beyond it."""
    generator = np.random.default_rng(seed)
    kept = np.exp(-FRAME_PS / memory_ps)
    kicks = generator.normal(0.0, np.sqrt(1.0 - kept**2), (n_frames, n_ions, 3))
    kicks[0] /= np.sqrt(1.0 - kept**2)
    steps: FloatArray = signal.lfilter([1.0], [1.0, -kept], kicks, axis=0)
    return steps * np.sqrt(2.0 * D_A2_PS * FRAME_PS * (1.0 - kept) / (1.0 + kept))


def together_along(seed: Seed, n_frames: int, n_ions: int, *, common: float = 0.3) -> FloatArray:
    """Free walks alike in three directions, with a part of their variance in common along the first alone.

    The Haven ratio is 3 / (3 + (N - 1) common).
    """
    generator = np.random.default_rng(seed)
    own, shared = brownian(generator, n_frames, n_ions), brownian(generator, n_frames, 1)
    parts = np.array([common, 0.0, 0.0])
    steps: FloatArray = np.sqrt(1.0 - parts) * own + np.sqrt(parts) * shared
    return steps


def lingering(seed: Seed, n_frames: int, n_ions: int, *, part: float = 0.25, memory_ps: float = 10.0) -> FloatArray:
    """A part of D from slow Ornstein-Uhlenbeck velocities.

    The slope of the MSD goes on to rise where it looks diffusive, 6 D (1 - part exp(-t / memory)).
    """
    generator = np.random.default_rng(seed)
    free, slow = brownian(generator, n_frames, n_ions), langevin(generator, n_frames, n_ions, memory_ps=memory_ps)
    return np.sqrt(1.0 - part) * free + np.sqrt(part) * slow


def caged(seed: Seed, n_frames: int, n_ions: int, *, size_A: float = 0.7, memory_ps: float = 10.0) -> FloatArray:
    """Free walks of cages in which ions move to and fro, overdamped.

    The slope of the MSD goes on to fall where it looks diffusive, 6 (D + size^2 exp(-t / memory) / memory).
    """
    generator = np.random.default_rng(seed)
    free = brownian(generator, n_frames, n_ions)
    kept = np.exp(-FRAME_PS / memory_ps)
    kicks = generator.normal(0.0, size_A * np.sqrt(1.0 - kept**2), (n_frames, n_ions, 3))
    kicks[0] /= np.sqrt(1.0 - kept**2)
    inside = signal.lfilter([1.0], [1.0, -kept], kicks, axis=0)
    steps: FloatArray = free + np.diff(inside, axis=0, prepend=inside[:1])
    return steps


def anisotropic(seed: Seed, n_frames: int, n_ions: int) -> FloatArray:
    """Free diffusion with :data:`ANISOTROPIC` diffusivities along the rotated axes; see :func:`anisotropic_tensor`."""
    steps: FloatArray = (brownian(seed, n_frames, n_ions) * np.sqrt(ANISOTROPIC)) @ ROTATION
    return steps


def anisotropic_tensor() -> FloatArray:
    """Diffusivity tensor of the anisotropic walk over a third of its trace, (3, 3)."""
    tensor: FloatArray = ROTATION.T @ np.diag(ANISOTROPIC) @ ROTATION
    return tensor


def inert(_: Seed, n_frames: int, n_ions: int) -> FloatArray:
    """No steps at all."""
    return np.zeros((n_frames, n_ions, 3))


def trajectory(seed: int, steps: FloatArray, rattle_A: float, cell: FloatArray) -> tuple[Segment, list[str]]:
    """Ions that make these steps and rattle, a vibrating framework, and a common drift.

    There are half as many O of charge -2 as Li of charge +1, and as many Ar without charge.
    """
    generator = np.random.default_rng(seed + 10_000)
    n_frames, n_mobile, _ = steps.shape
    mobile = np.cumsum(steps, axis=0) + generator.normal(0.0, rattle_A, steps.shape)
    symbols = ["Li"] * n_mobile + ["O"] * (n_mobile // 2) + ["Ar"] * n_mobile
    framework = generator.normal(0.0, 0.1, (n_frames, len(symbols) - n_mobile, 3))
    sites = generator.random((1, len(symbols), 3)) @ cell
    drift = np.linspace(0.0, 2.0, n_frames)[:, None, None]
    positions = sites + drift + np.concatenate([mobile, framework], axis=1)
    return Segment(positions.astype(np.float32), np.arange(n_frames) * FRAME_PS, cell), symbols


#: Of the elements of :func:`trajectory`, e.
CHARGES = {"Li": 1.0, "O": -2.0, "Ar": 0.0}
