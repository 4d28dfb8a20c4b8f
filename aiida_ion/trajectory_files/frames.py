"""Contents of a trajectory file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from aiida_ion.dft.steps import ROWS
from aiida_ion.trajectory_files.dft_output import DftOutput
from aiida_ion.trajectory_files.labels import FrameLabels


@dataclass(frozen=True)
class FileFrames:
    """Contents of a file: n frames of N atoms, and what it states about its run.

    :param symbols: element of each of N atoms.
    :param positions: shape (n, N, 3), angstrom, as in the file.
    :param cells: shape (n, 3, 3), angstrom.
    :param steps: shape (n,), the number of each frame in the file; ``None`` if frames are not numbered.
    :param facts: ``timestep_fs``, ``sample_every``, ``target_temperature_K``, ``level_of_theory``, where stated; also
        ``program``, ``ensemble``, ``mean_temperature_K`` (measured), and times without a named unit:
        ``timestep_choices_fs``, ``interval_choices_fs``, one value for each usual unit.
    :param remarks: sentences on what was converted or left out, and why; those that may affect a result begin with
        ``WARNING:``.
    :param dft: further contents of the output of a DFT program: forces, energies, masses.
    :param numbering: whether ``steps`` are steps of molecular dynamics or only count frames.
    :param unwrapped: true if the file states that its positions are not wrapped into the cell.
    :param pbc: the directions in which the cell is periodic.
    :param breaks: rows at which another run begins, or before which a frame was left out.
    :param ordered: whether ids, or the format, identify the atoms; ``None`` if a fixed order is only usual (extxyz
        without ids), false if programs change it (a LAMMPS dump without ids).
    :param n_left_out: frames left out because they were cut off.
    :param units: the unit of length of the file.
    :param labels: energies and forces of a file that is not the output of a DFT program.
    """

    symbols: list[str]
    positions: NDArray[np.float64]
    cells: NDArray[np.float64]
    steps: NDArray[np.int64] | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    dft: DftOutput | None = None
    numbering: Literal["steps", "frames"] = "steps"
    unwrapped: bool = False
    pbc: tuple[bool, bool, bool] = (True, True, True)
    breaks: tuple[int, ...] = ()
    ordered: bool | None = True
    n_left_out: int = 0
    units: str = "angstrom"
    labels: FrameLabels | None = None

    def __len__(self) -> int:
        return len(self.positions)

    @classmethod
    def of_dft(cls, dft: DftOutput) -> FileFrames:
        """Return the frames of a DFT output at constant volume, which are continuous within the output."""
        cells = np.repeat(dft.steps.cell[None], len(dft.steps), axis=0)
        first, n = dft.steps.first_step, len(dft.steps)
        return cls(
            dft.symbols,
            dft.steps.positions,
            cells,
            np.arange(first, first + n) if dft.numbered else None,
            dft.facts,
            dft.remarks,
            dft if dft.is_complete else None,
            unwrapped=True,
            n_left_out=dft.facts.get("n_steps_left_out", 0),
            units=dft.facts.get("length_unit", "angstrom"),
        )

    def dft_rows(self, rows: NDArray[np.int64]) -> DftOutput | None:
        """Return the DFT data of some frames."""
        if self.dft is None:
            return None
        steps = self.dft.steps
        chosen: dict[str, Any] = {name: getattr(steps, name)[rows] for name in ROWS}
        if len(rows) == 0 or rows[-1] != len(steps) - 1:
            chosen["next_positions"] = None
        return replace(self.dft, steps=replace(steps, **chosen))
