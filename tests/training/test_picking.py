"""Which frames are picked."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms

from aiida_ion.settings.values import SettingsError
from aiida_ion.training.picking import PickSettings, committee_disagreement, far_apart, pick


def test_the_last_usable_frames_and_evenly_spread_ones() -> None:
    usable = np.ones(100, dtype=bool)
    usable[96:] = False  # atoms on top of each other
    picked = pick(100, PickSettings(last=3, spread=4), usable)
    assert [index for index, why in picked.items() if why == "last"] == [93, 94, 95]
    assert [index for index, why in picked.items() if why == "spread"] == [12, 36, 60, 84]
    assert pick(5, PickSettings(last=10), np.ones(5, dtype=bool)) == dict.fromkeys(range(5), "last")
    assert pick(5, PickSettings(last=2, spread=2), np.zeros(5, dtype=bool)) == {}


def test_disputed_frames_are_spread_in_time() -> None:
    scores = np.full(100, 0.1)
    scores[40:45] = [2.0, 3.0, 2.5, 2.0, 1.0]
    scores[80] = 0.5
    scores[10] = np.nan
    picked = pick(100, PickSettings(disagreement=2), np.ones(100, dtype=bool), scores)
    assert list(picked) == [41, 80]
    assert pick(100, PickSettings(disagreement=2, spread=1), np.ones(100, dtype=bool), None) == {50: "spread"}


def test_the_disagreement_is_that_of_the_worst_atom() -> None:
    forces = np.zeros((2, 3, 4, 3))
    forces[0, 1, 2] = [0.3, 0.4, 0.0]
    assert committee_disagreement(list(forces)) == pytest.approx([0.0, 0.25, 0.0])
    same = np.random.default_rng(1).normal(size=(3, 4, 3))
    assert committee_disagreement([same, same, same]) == pytest.approx(0.0)


def test_atoms_on_top_of_each_other_through_a_face() -> None:
    # Radii of lithium times 0.7 and oxygen: 1.28 * 0.7 + 0.66 = 1.556 angstrom.
    atoms = Atoms("LiO", positions=[(0.2, 0, 0), (7.2, 0, 0)], cell=[8, 8, 8], pbc=True)
    assert far_apart(atoms, 0.6) and not far_apart(atoms, 0.66)
    assert far_apart(atoms, 0.0)


def test_settings() -> None:
    with pytest.raises(SettingsError, match="otherwise no frame is picked"):
        PickSettings()
    with pytest.raises(SettingsError, match="must be a list of whole numbers"):
        PickSettings(indices={"trajectory_000": 3})
