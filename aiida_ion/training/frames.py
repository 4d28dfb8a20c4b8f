"""Labelled frames: geometries with the energies and forces of one level of theory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

#: What a frame is used for; the numbers are those of the array ``split`` of a dataset.
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class LabelledFrame:
    """One geometry with its labels.

    :param symbols: element of each of N atoms.
    :param positions: shape (N, 3), angstrom.
    :param cell: shape (3, 3), angstrom, rows are the vectors.
    :param energy_eV: potential energy of the cell, the one that the forces are the gradient of.
    :param forces: shape (N, 3), eV/angstrom.
    :param stress: shape (3, 3), eV/angstrom^3, dE/dstrain/V (positive where the cell is stretched); ``None`` where
        it is not known.
    :param split: one of :data:`SPLITS`.
    :param source: index of the run among the sources of the dataset.
    :param index: index of the frame in its trajectory.
    :param temperature_K: target temperature of its run; ``None`` where it has none.
    """

    symbols: Sequence[str]
    positions: FloatArray
    cell: FloatArray
    energy_eV: float
    forces: FloatArray
    stress: FloatArray | None = None
    split: str = "train"
    source: int = 0
    index: int = 0
    temperature_K: float | None = None

    def __post_init__(self) -> None:
        shape = (len(self.symbols), 3)
        for name in ("positions", "forces"):
            array: NDArray[Any] = getattr(self, name)
            if array.shape != shape:
                raise ValueError(f"{name} have shape {array.shape}, not {shape}")
        if self.split not in SPLITS:
            raise ValueError(f"split must be one of {', '.join(SPLITS)}, got {self.split!r}")

    @property
    def composition(self) -> dict[str, int]:
        """Number of atoms of each element, sorted by element."""
        return {element: list(self.symbols).count(element) for element in sorted(set(self.symbols))}


def of_split(frames: Sequence[LabelledFrame], split: str) -> list[LabelledFrame]:
    """Return the frames of a split, in their order."""
    return [frame for frame in frames if frame.split == split]


def elements_of(frames: Sequence[LabelledFrame]) -> list[str]:
    """Return all elements of frames, sorted."""
    return sorted({symbol for frame in frames for symbol in frame.symbols})
