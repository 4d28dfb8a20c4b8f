"""What a committee of potentials says together: its mean, how far its members differ, and how far they are wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aiida_ion.training.frames import SPLITS, FloatArray, LabelledFrame

#: A spread smaller than this has no ratio, eV/angstrom.
SMALLEST_STD_EV_A = 1e-6


def force_std(forces: Any) -> FloatArray:
    """Return how far the members of a committee differ on each atom, eV/angstrom.

    The root of the mean square distance of the members' force vectors from their mean (Zhang et al., Comput. Phys.
    Commun. 253, 107206, 2020).

    :param forces: of m members, shape (m, ..., 3), eV/angstrom.
    :returns: shape (...).
    """
    stack = np.asarray(forces, dtype=float)
    std: FloatArray = np.sqrt(((stack - stack.mean(axis=0)) ** 2).sum(axis=-1).mean(axis=0))
    return std


@dataclass(frozen=True)
class Committee:
    """Predictions of m members on the same n frames with P atoms in all.

    :param energies_eV: shape (m, n).
    :param forces: shape (m, P, 3), eV/angstrom.
    :param offsets: first atom of each frame, shape (n + 1,).
    """

    energies_eV: FloatArray
    forces: FloatArray
    offsets: NDArray[np.int64]

    def __post_init__(self) -> None:
        n_members, n_frames = self.energies_eV.shape
        if n_members < 2:
            raise ValueError("a committee has two members at least")
        if self.forces.shape != (n_members, int(self.offsets[-1]), 3) or len(self.offsets) != n_frames + 1:
            raise ValueError(f"forces of shape {self.forces.shape} are not those of {n_members} members")

    @property
    def force_std(self) -> FloatArray:
        """Standard deviation of the force on each atom, shape (P,), eV/angstrom; see :func:`force_std`."""
        return force_std(self.forces)

    @property
    def energy_std(self) -> FloatArray:
        """Standard deviation of the energy of each frame, shape (n,), eV/atom."""
        std: FloatArray = self.energies_eV.std(axis=0) / np.diff(self.offsets)
        return std

    def arrays(self, frames: Sequence[LabelledFrame]) -> dict[str, FloatArray]:
        """Return mean and largest spread of the forces of each frame, and the mean error of the committee's mean.

        :param frames: the n frames with their labels.
        :returns: arrays of shape (n,), eV/angstrom, and the spread of energies, eV/atom.
        """
        reference = np.concatenate([frame.forces for frame in frames])
        error, std = np.linalg.norm(self.forces.mean(axis=0) - reference, axis=1), self.force_std
        parts = list(pairwise(self.offsets.tolist()))
        return {
            "force_std_mean_eV_A": np.array([std[start:stop].mean() for start, stop in parts]),
            "force_std_max_eV_A": np.array([std[start:stop].max() for start, stop in parts]),
            "force_error_mean_eV_A": np.array([error[start:stop].mean() for start, stop in parts]),
            "energy_std_eV_atom": self.energy_std,
        }


def summary(frames: Sequence[LabelledFrame], arrays: dict[str, FloatArray]) -> dict[str, Any]:
    """Return spread and error of a committee by split.

    :param frames: n frames.
    :param arrays: those of :meth:`Committee.arrays`.
    :returns: for each split ``force_std_mean_eV_A`` (mean over its frames), ``force_std_max_eV_A`` (the largest),
        ``largest_frame_mean_eV_A``, ``force_error_mean_eV_A``, and their ratio ``error_per_std``, which a raw spread is
        multiplied by to be an error; ``None`` where the members do not differ.
    """
    result: dict[str, Any] = {}
    for split in SPLITS:
        rows = [row for row, frame in enumerate(frames) if frame.split == split]
        if not rows:
            continue
        std, error = arrays["force_std_mean_eV_A"][rows], arrays["force_error_mean_eV_A"][rows]
        mean = float(std.mean())
        result[split] = {
            "n_frames": len(rows),
            "force_std_mean_eV_A": mean,
            "force_std_max_eV_A": float(arrays["force_std_max_eV_A"][rows].max()),
            "largest_frame_mean_eV_A": float(std.max()),
            "force_error_mean_eV_A": float(error.mean()),
            "error_per_std": float(error.mean()) / mean if mean > SMALLEST_STD_EV_A else None,
            "energy_std_mean_eV_atom": float(arrays["energy_std_eV_atom"][rows].mean()),
        }
    return result
