"""Ions that hop on a lattice at known rates and vibrate at a known frequency."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy import linalg

from aiida_ion.analysis.trajectories.trajectory import Segment

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Hopper:
    """Independent ions on the corners of a lattice: which site, and when, is chance with known rates.

    :param rates_1_ps: hops of one ion along each axis, forth and back together, 1/ps.
    """

    cell: FloatArray = field(default_factory=lambda: np.diag([9.0, 9.0, 9.0]))
    shape: tuple[int, int, int] = (3, 3, 3)
    n_ions: int = 16
    rates_1_ps: tuple[float, float, float] = (0.3, 0.3, 0.3)
    frequency_THz: float = 10.0
    amplitude_A: float = 0.15
    damping: float = 0.05
    interval_fs: float = 20.0
    n_frames: int = 2500
    drift_A: float = 0.0
    offset: tuple[float, float, float] = (0.25, 0.25, 0.25)

    def sites(self) -> FloatArray:
        """Fractional coordinates of the sites, (S, 3)."""
        corners = np.stack(np.meshgrid(*(np.arange(n) for n in self.shape), indexing="ij"), axis=-1).reshape(-1, 3)
        return (corners + np.array(self.offset)) / self.shape

    def framework(self) -> FloatArray:
        """Fractional coordinates of the framework: the middle of each box of the lattice, (S, 3)."""
        return (self.sites() + 0.5 / np.array(self.shape)) % 1.0

    def lattice_steps(self, seed: int) -> npt.NDArray[np.int64]:
        """Site of each ion as whole steps along the axes, unwrapped, (n, M, 3)."""
        rng = np.random.default_rng(seed)
        start = np.stack([rng.integers(0, n, self.n_ions) for n in self.shape], axis=-1)
        chance = np.array(self.rates_1_ps) * self.interval_fs / 1000.0
        hops = rng.random((self.n_frames - 1, self.n_ions, 3)) < chance
        signs = rng.choice([-1, 1], hops.shape)
        return np.concatenate([start[None], start + np.cumsum(hops * signs, axis=0)])

    def segment(self, seed: int) -> tuple[Segment, list[str]]:
        """A trajectory of Li ions in an O framework, and its symbols."""
        rng = np.random.default_rng(seed + 1)
        steps = (self.lattice_steps(seed) + np.array(self.offset)) / np.array(self.shape)
        mobile = steps @ self.cell + self._vibration(rng, self.n_ions)
        fixed = self.framework() @ self.cell + rng.normal(0.0, 0.05, (self.n_frames, len(self.sites()), 3))
        positions = np.concatenate([mobile, fixed], axis=1)
        positions[..., 0] += np.linspace(0.0, self.drift_A, self.n_frames)[:, None]
        times = np.arange(self.n_frames) * self.interval_fs / 1000.0
        symbols = ["Li"] * self.n_ions + ["O"] * len(self.sites())
        return Segment(positions.astype(np.float32), times, self.cell), symbols

    def _vibration(self, rng: np.random.Generator, n_ions: int) -> FloatArray:
        """Damped oscillators in a heat bath, sampled exactly, (n, M, 3), angstrom."""
        omega = 2.0 * np.pi * self.frequency_THz / 1000.0
        step = linalg.expm(np.array([[0.0, 1.0], [-(omega**2), -self.damping * omega]]) * self.interval_fs)
        spread = np.diag([self.amplitude_A**2, (omega * self.amplitude_A) ** 2])
        noise = np.linalg.cholesky(spread - step @ spread @ step.T + 1e-18 * np.eye(2))
        state = np.sqrt(np.diag(spread))[:, None] * rng.normal(size=(2, 3 * n_ions))
        out = np.empty((self.n_frames, 3 * n_ions))
        for frame in out:
            frame[:] = state[0]
            state = step @ state + noise @ rng.normal(size=state.shape)
        return out.reshape(self.n_frames, n_ions, 3)
