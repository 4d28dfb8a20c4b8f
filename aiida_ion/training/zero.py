"""The zero of energy: one constant per element between the energies of frames and those of a potential.

A plane-wave code and the potential that a training starts from differ by hundreds of eV per atom. The constants are
taken from the energies before the training and put into the finished potential, so that the weights do not depend on
the zero of energy, and single precision is not spent on it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from aiida_ion.training.frames import LabelledFrame, elements_of


def fit_constants(frames: Sequence[LabelledFrame], energies_eV: NDArray[np.float64] | None = None) -> dict[str, float]:
    """Return the constants, eV per atom of each element, that leave the smallest squares of energies per atom.

    Of the constants that fit equally well, those closest to each other are taken: a constant per atom that is the same
    for all elements comes back as it is, and frames of one composition determine only the weighted sum.

    :param frames: labelled frames.
    :param energies_eV: energies of the same frames by the parent, shape (n,), eV; zero where there is none.
    """
    elements = elements_of(frames)
    counts = np.array([[list(frame.symbols).count(element) for element in elements] for frame in frames], dtype=float)
    n_atoms = counts.sum(axis=1)
    energies = np.array([frame.energy_eV for frame in frames])
    per_atom = (energies - (0.0 if energies_eV is None else energies_eV)) / n_atoms
    mean = float(per_atom.mean())
    fractions = counts / n_atoms[:, None]
    rest, *_ = np.linalg.lstsq(fractions, per_atom - mean, rcond=1e-10)
    return {element: mean + float(value) for element, value in zip(elements, rest, strict=True)}


def are_determined(frames: Sequence[LabelledFrame]) -> bool:
    """Return whether the compositions of frames determine the constant of every element."""
    elements = elements_of(frames)
    counts = np.array([[list(frame.symbols).count(element) for element in elements] for frame in frames], dtype=float)
    fractions = counts / counts.sum(axis=1, keepdims=True)
    return int(np.linalg.matrix_rank(fractions, tol=1e-8)) == len(elements)


def sum_of_constants(constants: Mapping[str, float], symbols: Sequence[str]) -> float:
    """Return the energy that constants (eV per atom) give a cell, eV."""
    return float(sum(constants[symbol] for symbol in symbols))


def sample_rows(frames: Sequence[LabelledFrame], size: int) -> list[int]:
    """Return indices of frames: one of each composition, and evenly spaced ones, ``size`` in all where there are more.

    :param frames: in their order.
    :param size: number of frames; more only where there are more compositions.
    """
    first = {tuple(frame.composition.items()): row for row, frame in reversed(list(enumerate(frames)))}
    chosen = set(first.values())
    for row in np.linspace(0, len(frames) - 1, min(size, len(frames))).round().astype(int).tolist():
        if len(chosen) >= size:
            break
        chosen.add(row)
    return sorted(chosen)
