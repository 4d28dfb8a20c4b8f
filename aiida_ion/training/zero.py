"""The zero of energy: one constant per element between the energies of frames and those of a potential.

A plane-wave code and the potential that a training starts from differ by hundreds of eV per atom. The constants are
taken from the energies before the training and put into the finished potential, so that the weights do not depend on
the zero of energy, and single precision is not spent on it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from aiida_ion.training.constants import fit_constants
from aiida_ion.training.frames import LabelledFrame


def zero_constants(
    frames: Sequence[LabelledFrame], energies_eV: NDArray[np.float64] | None = None
) -> tuple[dict[str, float], bool]:
    """Return the energy of each element, eV, that frames have beyond that of a potential.

    Of the constants that fit equally well, those closest to each other are taken: a constant per atom that is the same
    for all elements comes back as it is, and frames of one composition determine only a weighted sum.

    :param frames: n labelled frames.
    :param energies_eV: energies of the same frames by the potential, shape (n,), eV; zero where there is none.
    :returns: the constants by element, and whether the compositions determine every one of them.
    """
    sizes = np.array([len(frame.symbols) for frame in frames])
    energies = np.array([frame.energy_eV for frame in frames]) - (0.0 if energies_eV is None else energies_eV)
    mean = float((energies / sizes).mean())
    rest, are_determined = fit_constants(frames, energies - mean * sizes)
    return {element: mean + value for element, value in rest.items()}, are_determined


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
