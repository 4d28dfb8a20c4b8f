"""The zero of energy: planted constants are found."""

from __future__ import annotations

import numpy as np
import pytest
from ase.build import bulk

from aiida_ion.training.zero import sample_rows, zero_constants
from tests.training.frames import labelled, lithia


def test_a_planted_constant_per_atom_comes_back_as_it_is() -> None:
    plain, _ = zero_constants(lithia(4, 1))
    planted, determined = zero_constants(lithia(4, 1, offset_eV_atom=300.0))
    assert not determined
    assert planted == pytest.approx({element: value + 300.0 for element, value in plain.items()}, abs=1e-9)


def test_what_a_potential_has_already_is_not_counted() -> None:
    frames = lithia(4, 1, offset_eV_atom=-320.0)
    energies = np.array([frame.energy_eV + 320.0 * 3 - 1.5 for frame in lithia(4, 1, offset_eV_atom=-320.0)])
    constants, _ = zero_constants(frames, energies)
    assert constants == pytest.approx({"Li": -320.0 + 0.5, "O": -320.0 + 0.5}, abs=1e-9)


def test_several_compositions_determine_the_constants() -> None:
    amounts = {"Li": -200.0, "O": -550.0}
    frames = [labelled(bulk("OLi2", "fluorite", a=4.6)), labelled(bulk("LiO", "rocksalt", a=4.2))]
    zero = np.array([frame.energy_eV for frame in frames])
    shifted = [
        type(frame)(**{**vars(frame), "energy_eV": frame.energy_eV + sum(amounts[name] for name in frame.symbols)})
        for frame in frames
    ]
    constants, determined = zero_constants(shifted, zero)
    assert determined and constants == pytest.approx(amounts, abs=1e-8)


def test_a_sample_has_every_composition_and_is_spread() -> None:
    frames = [*lithia(20, 1), labelled(bulk("LiO", "rocksalt", a=4.2)), *lithia(20, 2)]
    rows = sample_rows(frames, 6)
    assert 20 in rows and len(rows) == 6 and max(rows) - min(rows) > 20
    assert sample_rows(frames, 1000) == list(range(41))
