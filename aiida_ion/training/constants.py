"""One energy for each element: the zero of energies, which differs between programs and pseudopotentials."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from aiida_ion.training.frames import LabelledFrame, elements_of, of_split


def element_constants(frames: Sequence[LabelledFrame]) -> dict[str, Any]:
    """Return the constants of the labels of the train split, for the attributes of a dataset.

    :returns: ``element_constants_eV`` and ``constants_are_determined``, as of :func:`fit_constants`.
    """
    train = of_split(frames, "train") or list(frames)
    constants, determined = fit_constants(train, [frame.energy_eV for frame in train])
    return {"element_constants_eV": constants, "constants_are_determined": determined}


def fit_constants(frames: Sequence[LabelledFrame], energies_eV: ArrayLike) -> tuple[dict[str, float], bool]:
    """Return one energy for each element, eV, by least squares: E = sum over elements of n_e c_e.

    Compositions that do not determine them all leave a choice: then the solution of least norm is returned, whose sum
    is right for these compositions and no others.

    :param frames: n frames.
    :param energies_eV: shape (n,): energies of their cells, or what a potential leaves of them.
    :returns: the constants by element, and whether the compositions determine every one of them.
    """
    elements = elements_of(frames)
    counts = np.array([[frame.composition.get(name, 0) for name in elements] for frame in frames], dtype=float)
    solution, _, rank, _ = np.linalg.lstsq(counts, np.asarray(energies_eV, dtype=float), rcond=None)
    return dict(zip(elements, map(float, solution), strict=True)), int(rank) == len(elements)


def sum_of_constants(frame: LabelledFrame, constants_eV: dict[str, float]) -> float:
    """Return the sum of the constants of the atoms of a frame, eV.

    :raises ValueError: for an element without a constant.
    """
    missing = sorted(set(frame.symbols) - set(constants_eV))
    if missing:
        raise ValueError(f"there is no constant for {', '.join(missing)}")
    return float(sum(number * constants_eV[element] for element, number in frame.composition.items()))
