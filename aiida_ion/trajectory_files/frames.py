"""What a trajectory file holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aiida_ion.trajectory_files.dft_output import DftOutput


@dataclass(frozen=True)
class Frames:
    """What a file holds: n frames of N atoms, and what it says of its run.

    :param symbols: element of each of N atoms.
    :param positions: shape (n, N, 3), angstrom, as the file has them.
    :param cells: shape (n, 3, 3), angstrom.
    :param steps: shape (n,), the step of molecular dynamics of each frame as the file numbers it; ``None`` where it
        numbers none.
    :param facts: ``timestep_fs``, ``sample_every``, ``target_temperature_K``, ``level_of_theory``, where it says them.
    :param remarks: sentences on what was converted or left out, and why; those that may change a result begin with
        ``WARNING:``.
    :param dft: what the output of a DFT program says beyond that: forces, energies, masses.
    """

    symbols: list[str]
    positions: NDArray[np.float64]
    cells: NDArray[np.float64]
    steps: NDArray[np.int64] | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    dft: DftOutput | None = None

    @classmethod
    def of_dft(cls, dft: DftOutput) -> Frames:
        """Return the frames of a DFT output at constant volume."""
        cells = np.repeat(dft.steps.cell[None], len(dft.steps), axis=0)
        return cls(
            dft.symbols, dft.steps.positions, cells, None, dft.facts, dft.remarks, dft if dft.has_forces else None
        )

    def moved(self, by: NDArray[np.float64]) -> Frames:
        """Return the frames with each atom moved by a vector, shape (N, 3), angstrom."""
        return replace(self, positions=self.positions + by)

    def without_first(self) -> Frames:
        """Return the frames but for the first."""
        return replace(
            self,
            positions=self.positions[1:],
            cells=self.cells[1:],
            steps=None if self.steps is None else self.steps[1:],
            dft=None if self.dft is None else self.dft.rows(1),
        )
