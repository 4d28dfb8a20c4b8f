"""Frames of all splits, and the energies and forces that a potential gives them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms

from aiida_ion.runners.batches import one_by_one
from aiida_ion.runners.output import RunnerError
from aiida_ion.training.frames import SPLITS, LabelledFrame
from aiida_ion.training.zero import sample_rows

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Evaluated:
    """Frames that a potential is evaluated on.

    :param frames: all for validation and test, some for training.
    :param split: index of the split of each among ``SPLITS``.
    :param index: index of each in its split.
    """

    frames: list[LabelledFrame]
    split: Array
    index: Array

    @property
    def train(self) -> list[int]:
        """Rows of the frames for training."""
        return [int(row) for row in np.flatnonzero(self.split == SPLITS.index("train"))]


def choose_evaluated(frames: Mapping[str, Sequence[LabelledFrame]], n_train: int) -> Evaluated:
    """Return the frames to evaluate: all but those for training, of which there are ``n_train`` where possible."""
    rows = [(0, row) for row in sample_rows(frames["train"], n_train)]
    rows += [(number, row) for number in (1, 2) for row in range(len(frames[SPLITS[number]]))]
    chosen = [frames[SPLITS[split]][index] for split, index in rows]
    return Evaluated(chosen, np.array([split for split, _ in rows], dtype=np.int8), np.array([row for _, row in rows]))


def predict(calculator: Any, frames: Sequence[LabelledFrame], name: str) -> tuple[Array, Array]:
    """Evaluate frames one by one with the ASE calculator, as molecular dynamics does.

    :param name: what messages call the potential.
    :returns: energies, shape (n,), eV, and forces of all atoms, shape (P, 3), eV/angstrom.
    :raises RunnerError: ``engine_failed`` where it cannot, or gives what is not finite.
    """
    energies, forces = one_by_one(calculator, [as_atoms(frame) for frame in frames])
    joined = np.concatenate(forces)
    if not (np.isfinite(energies).all() and np.isfinite(joined).all()):
        raise RunnerError("engine_failed", f"{name} gives a frame an energy or forces that are not finite.")
    return energies, joined


def as_atoms(frame: LabelledFrame) -> Atoms:
    """Return the geometry of a frame, ions back in the cell."""
    atoms = Atoms(list(frame.symbols), positions=frame.positions, cell=frame.cell, pbc=True)
    atoms.wrap()
    return atoms
