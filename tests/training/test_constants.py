"""Element constants are found where compositions determine them, and it is said where they do not."""

from __future__ import annotations

import numpy as np
import pytest

from aiida_ion.training.constants import element_constants, fit_constants, sum_of_constants
from aiida_ion.training.frames import LabelledFrame


def frame(n_li: int, n_o: int, energy_eV: float = 0.0) -> LabelledFrame:
    n = n_li + n_o
    return LabelledFrame(["Li"] * n_li + ["O"] * n_o, np.zeros((n, 3)), np.eye(3), energy_eV, np.zeros((n, 3)))


def test_a_planted_offset_is_recovered() -> None:
    frames = [frame(2, 1), frame(4, 2), frame(1, 1), frame(6, 1)]
    energies = [-300.0 * one.composition["Li"] - 43.0 * one.composition["O"] for one in frames]
    constants, determined = fit_constants(frames, energies)
    assert determined
    assert constants == pytest.approx({"Li": -300.0, "O": -43.0})
    assert sum_of_constants(frames[0], constants) == pytest.approx(-643.0)
    with pytest.raises(ValueError, match="no constant for O"):
        sum_of_constants(frames[0], {"Li": 1.0})


def test_one_composition_determines_the_sum_only() -> None:
    frames = [frame(2, 1, -643.0), frame(4, 2, -1286.0)]
    attributes = element_constants(frames)
    assert not attributes["constants_are_determined"]
    assert sum_of_constants(frames[1], attributes["element_constants_eV"]) == pytest.approx(-1286.0)
