"""What a run writes: frames on a global grid of steps, and one thermodynamic row at each step."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from ase import Atoms, units

from aiida_ion.runners.frames import ArrayFile
from aiida_ion.thermo_fields import NPT_FIELDS, thermo_dtype

if TYPE_CHECKING:
    from aiida_ion.settings.md import MdSettings

Array = np.ndarray[Any, Any]
UNITS = {
    "steps": "1",
    "positions": "angstrom (unwrapped)",
    "velocities": "angstrom/fs",
    "forces": "eV/angstrom",
    "cells": "angstrom",
    "charge_current": "e*angstrom/fs",
    "energies": "eV",
    "temperature": "K",
    "pressure": "GPa",
    "volume": "angstrom^3",
    "gpu_time": "s of wall time for which the GPU was held",
}


class Recorder:
    """The arrays of one segment.

    A frame belongs to global step k if k is a multiple of ``sample_every``; the starting step of a segment that
    continues another one was written by that other one.

    :param folder: where the arrays go.
    :param settings: the MD settings.
    :param n_atoms: number of atoms.
    :param start_step: global step the segment starts at.
    :param writes_start: whether the starting step is written, as in the first segment of a run.
    :param counts: valid frames and thermodynamic rows, if a run continues in its own folder.
    """

    def __init__(
        self,
        folder: Path,
        settings: MdSettings,
        n_atoms: int,
        start_step: int,
        writes_start: bool,
        counts: tuple[int, int] | None,
    ) -> None:
        self.start_step, self.writes_start = start_step, writes_start
        self._every = settings.sample_every
        self._is_npt = settings.ensemble == "npt"
        n_frames = settings.n_steps // self._every - start_step // self._every
        if writes_start and start_step % self._every == 0:
            n_frames += 1
        n_rows = settings.n_steps - start_step + int(writes_start)
        frames, rows = counts if counts is not None else (None, None)
        shapes: dict[str, tuple[str, tuple[int, ...]]] = {
            "steps": ("<i8", ()),
            "positions": ("<f4", (n_atoms, 3)),
        }
        shapes |= dict.fromkeys(settings.keep, ("<f4", (n_atoms, 3)))
        shapes |= {"cells": ("<f8", (3, 3))} if self._is_npt else {}
        self._frames = {
            name: ArrayFile(folder / f"{name}.npy", dtype, shape, n_frames, frames)
            for name, (dtype, shape) in shapes.items()
        }
        self._thermo = ArrayFile(folder / "thermo.npy", _row_type(settings), (), n_rows, rows)

    @property
    def n_frames(self) -> int:
        """Number of frames so far."""
        return self._frames["steps"].count

    @property
    def n_thermo(self) -> int:
        """Number of thermodynamic rows so far."""
        return self._thermo.count

    def thermo(self, row: tuple[Any, ...]) -> None:
        """Add the row of a step, its fields in the order of :func:`~aiida_ion.thermo_fields.thermo_dtype`."""
        self._thermo.append(row)

    def frame(self, step: int, atoms: Atoms, velocities: Array, forces: Array) -> None:
        """Add the frame of a step if the step is on the grid.

        :param velocities: (N, 3), ASE units.
        :param forces: (N, 3), eV/angstrom.
        """
        if step % self._every:
            return
        values = {"steps": step, "positions": atoms.positions, "forces": forces}
        if "velocities" in self._frames:
            values["velocities"] = velocities * units.fs
        if self._is_npt:
            values["cells"] = np.array(atoms.cell)
        for name, array in self._frames.items():
            array.append(values[name])

    def flush(self, durable: bool = False) -> None:
        """Write what is buffered; with ``durable`` wait until it is on the disk."""
        for array in (*self._frames.values(), self._thermo):
            array.flush(durable)

    def finish(self) -> None:
        """Write what is buffered and cut the files to their valid rows."""
        for array in (*self._frames.values(), self._thermo):
            array.finish()


def own_counts(folder: Path, restart: dict[str, Array], settings: MdSettings) -> tuple[int, int] | None:
    """Return the valid rows of the arrays in this folder, if the restart file belongs to them.

    A job that the scheduler requeues in its own folder then continues instead of starting over.

    :param folder: the working folder.
    :param restart: the restart file.
    :param settings: the MD settings.
    :returns: number of frames and rows, or ``None`` if the restart file came from another folder.
    """
    n_frames, n_thermo, step = (int(restart[name]) for name in ("n_frames", "n_thermo", "step"))
    names = ["steps", "positions", *settings.keep, *(["cells"] if settings.ensemble == "npt" else [])]
    try:
        frames = [np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in names]
        thermo = np.load(folder / "thermo.npy", mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError):
        return None
    fits = n_thermo > 0 and all(len(array) >= n_frames for array in frames) and len(thermo) >= n_thermo
    if not fits or thermo.dtype != _row_type(settings):
        return None
    last = thermo[n_thermo - 1]
    return (n_frames, n_thermo) if int(last["step"]) == step and any(last.tobytes()) else None


def _row_type(settings: MdSettings) -> np.dtype[Any]:
    return thermo_dtype(NPT_FIELDS if settings.ensemble == "npt" else ())
