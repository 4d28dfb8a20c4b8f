"""Errors by split, element and temperature."""

from __future__ import annotations

import numpy as np
import pytest
from ase.build import bulk

from aiida_ion.training.errors import prediction_errors
from tests.training.frames import labelled, lithia


def test_planted_errors_are_found_in_their_split() -> None:
    frames = [*lithia(4, 1, "train"), *lithia(12, 2, "test")]
    energies = np.array([frame.energy_eV for frame in frames])
    energies[4:] += 3 * 0.05
    forces = [frame.forces.copy() for frame in frames]
    for frame, force in zip(frames[4:], forces[4:], strict=True):
        force[np.array(frame.symbols) == "O"] += 0.2
    errors = prediction_errors(frames, energies, forces)
    assert set(errors) == {"train", "test"}
    assert errors["train"]["forces"]["mae_eV_A"] == 0.0 and errors["train"]["forces"]["slope"] == pytest.approx(1.0)
    test = errors["test"]
    assert test["forces"]["mae_by_element_eV_A"] == pytest.approx({"Li": 0.0, "O": 0.2})
    assert test["forces"]["rmse_eV_A"] == pytest.approx(0.2 / np.sqrt(3))
    assert test["forces"]["mae_ci95_eV_A"] is not None  # frames of the same atoms are resampled in blocks
    assert test["energies"]["offset_eV_atom"] == pytest.approx(0.05)
    assert test["energies"]["after_a_constant"]["Li2O1"]["mae_eV_atom"] == pytest.approx(0.0, abs=1e-12)
    assert test["by_temperature"]["300"]["n_frames"] == 12


def test_frames_of_different_atoms_are_pooled() -> None:
    frames = [labelled(bulk("OLi2", "fluorite", a=4.6), "test"), *lithia(2, 3, "test", repeat=2)]
    forces = [frame.forces + 0.1 for frame in frames]
    errors = prediction_errors(frames, np.array([frame.energy_eV for frame in frames]), forces)["test"]
    assert errors["forces"]["mae_eV_A"] == pytest.approx(0.1)
    assert set(errors["energies"]["after_a_constant"]) == {"Li2O1", "Li4O2"}
