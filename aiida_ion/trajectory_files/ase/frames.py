"""Frames from ASE's ``Atoms``: ordered by ids, with their statements on time and temperature."""

from __future__ import annotations

from typing import Any

import numpy as np
from ase import Atoms
from ase.units import fs
from numpy.typing import NDArray

from aiida_ion.trajectory_files.frames import FileFrames
from aiida_ion.trajectory_files.growing import GrowingFrames
from aiida_ion.trajectory_files.labels import LabelCollector
from aiida_ion.units import FS_PER_PS

#: Columns that identify atoms.
ID_COLUMNS = ("id", "ids", "atom_id", "atom_ids", "atomid", "particle_identifier", "index", "identifier")
#: Keys of the information in frames, in lower case and without underscores.
STEP_KEYS = ("step", "mdstep", "timestep", "nstep", "istep", "iteration")
FRAME_KEYS = ("frame", "frameindex", "image", "config", "configuration")
TIME_KEYS = ("time", "timefs", "timeps", "mdtime", "simulationtime")
TEMPERATURE_KEYS = ("temperature", "temp", "temperaturek", "mdtemperature")
#: Tolerance of evenly spaced frame numbers, as a fraction of the spacing.
UNEVEN = 1e-3
#: Of many frames each may add this: times have few digits.
UNEVEN_EACH = 1e-6


class AtomsFrames:
    """Collects frames; the first one defines the atoms."""

    def __init__(self) -> None:
        self.remarks: list[str] = []
        self._positions: GrowingFrames | None = None
        self._cells: list[NDArray[np.float64]] = []
        self._stated: dict[str, list[float | None]] = {}
        self._first = Atoms()
        self._ids: NDArray[np.int64] | None = None
        self._n_left_out = 0
        self._breaks: set[int] = set()
        self._temperatures: list[float] = []
        self._labels = LabelCollector()

    def __len__(self) -> int:
        return len(self._positions or ())

    def leave_out(self, line: int) -> None:
        """Note that a frame was cut off."""
        self._n_left_out += 1
        self._breaks.add(len(self))
        self.remarks.append(f"After {len(self)} frames one was cut off (line {line}) and is left out.")

    def append(self, atoms: Atoms) -> None:
        """Add a frame.

        :raises ValueError: if its atoms differ from those of the first, or it has no cell.
        """
        ids, given, order = _ids_of(atoms), atoms, None
        if ids is not None:
            order = np.argsort(ids, kind="stable")
            atoms, ids = atoms[order], ids[order]
        if self._positions is None:
            self._positions, self._first, self._ids = GrowingFrames(len(atoms)), atoms, ids
        self._check(atoms, ids)
        self._positions.append(atoms.positions - atoms.get_celldisp().ravel())
        self._cells.append(atoms.cell.array)
        self._labels.append(given, order)
        if atoms.has("momenta"):
            self._temperatures.append(float(atoms.get_temperature()))
        for key, value in atoms.info.items():
            if np.isscalar(value) and not isinstance(value, (str, bool)):
                name = str(key).lower().replace("_", "").replace(" ", "")
                self._stated.setdefault(name, [None] * (len(self) - 1)).append(float(value))  # type: ignore[arg-type]
        for values in self._stated.values():
            values.extend([None] * (len(self) - len(values)))

    def _check(self, atoms: Atoms, ids: NDArray[np.int64] | None) -> None:
        frame = len(self)
        if len(atoms) != len(self._first):
            raise ValueError(f"frame {frame} has {len(atoms)} atoms, frame 0 {len(self._first)}")
        same = ids is self._ids is None or (
            ids is not None and self._ids is not None and np.array_equal(ids, self._ids)
        )
        if not same:
            raise ValueError(f"the ids of frame {frame} are not those of frame 0")
        if not np.array_equal(atoms.numbers, self._first.numbers):
            raise ValueError(f"the atoms of frame {frame} are not those of frame 0, or are in another order")
        if not np.array_equal(atoms.pbc, self._first.pbc):
            raise ValueError(f"frame {frame} and frame 0 are periodic in different directions")
        if atoms.cell.rank < 3:
            raise ValueError(f"frame {frame}: no periodic cell; a diffusivity needs a crystal")

    def frames(self, units: str, facts: dict[str, Any] | None = None) -> FileFrames:
        """Return the frames.

        :raises ValueError: if there are none, or times are uneven.
        """
        if self._positions is None or not len(self):
            raise ValueError("it holds no complete frame")
        steps, numbering, more = self._numbers()
        if self._ids is not None:
            self.remarks.append("Atoms are sorted by their ids.")
        return FileFrames(
            self._first.get_chemical_symbols(),
            self._positions.finish(),
            np.array(self._cells),
            steps,
            more | self._temperature() | (facts or {}),
            self.remarks,
            numbering=numbering,
            pbc=tuple(map(bool, self._first.pbc)),  # type: ignore[arg-type]
            breaks=tuple(sorted(self._breaks)),
            ordered=True if self._ids is not None else None,
            n_left_out=self._n_left_out,
            units=units,
            labels=self._labels.labels(),
        )

    def _series(self, keys: tuple[str, ...]) -> NDArray[np.float64] | None:
        """Return the values under one of several keys that every frame has; None where they do not change."""
        for key in keys:
            values = self._stated.get(key)
            if values is not None and None not in values and len(values) > 1:
                series = np.array(values, dtype=float)
                if np.isfinite(series).all() and np.ptp(series) > 0:
                    return series
        return None

    def _numbers(self) -> tuple[NDArray[np.int64] | None, Any, dict[str, Any]]:
        """Return the number of each frame, whether these are steps or frames, and facts on the interval from times."""
        times = self._series(TIME_KEYS)
        facts: dict[str, Any] = {}
        if times is not None:
            spacing = float(np.median(np.diff(times)))
            if spacing > 0:
                facts["interval_choices_fs"] = [spacing, spacing * FS_PER_PS, spacing / fs]
        for keys, numbering in ((STEP_KEYS, "steps"), (FRAME_KEYS, "frames")):
            series = self._series(keys)
            if series is not None and np.array_equal(series, np.round(series)) and np.abs(series).max() < 2**53:
                spacing = float(np.median(np.diff(series)))
                return series.astype(np.int64), numbering if spacing > 1 else "frames", facts
        if times is None or not facts:
            return None, "frames", facts
        counted = (times - times[0]) / float(np.median(np.diff(times)))
        if np.abs(counted - np.round(counted)).max() > max(UNEVEN, UNEVEN_EACH * len(counted)):
            raise ValueError("the times of its frames are not evenly spaced; a diffusivity needs even spacing")
        return np.round(counted).astype(np.int64), "frames", facts

    def _temperature(self) -> dict[str, float]:
        """Return the mean temperature of the later half, K, from velocities or as stated in the frames."""
        series = self._series(TEMPERATURE_KEYS)
        values = self._temperatures if len(self._temperatures) == len(self) else [] if series is None else list(series)
        later = values[len(values) // 2 :]
        return {"mean_temperature_K": float(np.mean(later))} if len(later) > 1 and np.mean(later) > 0 else {}


def _ids_of(atoms: Atoms) -> NDArray[np.int64] | None:
    for name, values in atoms.arrays.items():
        if name.lower().replace(" ", "_") in ID_COLUMNS and values.ndim == 1 and values.dtype.kind in "iu":
            ids: NDArray[np.int64] = values.astype(np.int64)
            unique, counts = np.unique(ids, return_counts=True)
            if len(unique) == len(ids):
                return ids
            if name.lower() not in ("index", "identifier"):  # they may be numbers of something else
                raise ValueError(f"{counts.max()} atoms have the {name} {unique[np.argmax(counts)]}")
    return None
