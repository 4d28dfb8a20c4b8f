"""Displaced, strained and pushed frames."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from aiida_ion.settings.values import SettingsError
from aiida_ion.training.generated import (
    GenerateSettings,
    PushSettings,
    amplitudes,
    closest_seen,
    pushed_pairs,
    strains,
)


def oxide() -> Atoms:
    return bulk("OLi2", "fluorite", a=4.62, cubic=False).repeat((2, 2, 2))


def shaken(n_frames: int, seed: int = 1) -> tuple[Atoms, np.ndarray, np.ndarray]:
    atoms, rng = oxide(), np.random.default_rng(seed)
    positions = atoms.positions + 0.08 * rng.normal(size=(n_frames, len(atoms), 3))
    return atoms, positions, np.broadcast_to(atoms.cell.array, (n_frames, 3, 3))


def test_strains_are_symmetric_and_within_their_limit() -> None:
    found = strains(200, 0.015, seed=3)
    assert np.array_equal(found, found.transpose(0, 2, 1))
    assert 0.014 < np.abs(found).max() <= 0.015
    assert abs(found.mean()) < 0.001
    assert np.array_equal(found[:5], strains(5, 0.015, seed=3)) and not np.array_equal(found, strains(200, 0.015, 4))
    assert amplitudes(3, 0.05, 0.15) == pytest.approx([0.05, 0.1, 0.15]) and amplitudes(0, 0.05, 0.15) == []


def test_every_kind_of_pair_is_pushed_and_nothing_else_moves() -> None:
    atoms, positions, cells = shaken(6)
    frames = [Atoms(atoms.symbols, positions=one, cell=atoms.cell, pbc=True) for one in positions]
    closest = closest_seen(frames)
    assert set(closest) == {"Li-Li", "Li-O", "O-O"}
    pushed, left_out = pushed_pairs(list(atoms.symbols), positions, cells, PushSettings())
    assert not left_out
    assert [(one.pair, one.fraction) for one in pushed] == [
        (pair, fraction) for pair in ("Li-Li", "Li-O", "O-O") for fraction in (0.95, 0.85, 0.75)
    ]
    assert len({one.frame for one in pushed}) > 2
    for one in pushed:
        i, j = one.atoms
        assert sorted((atoms.symbols[i], atoms.symbols[j])) == one.pair.split("-")
        after = Atoms(atoms.symbols, positions=one.positions, cell=atoms.cell, pbc=True)
        assert after.get_distance(i, j, mic=True) == pytest.approx(one.fraction * closest[one.pair])
        assert one.distance_A == pytest.approx(one.fraction * closest[one.pair])
        moved = np.flatnonzero(np.abs(one.positions - positions[one.frame]).max(axis=1))
        assert set(moved) == {i, j}
        # Nobody else comes too close: over all pairs the smallest fraction of the closest seen is the limit.
        for name, distance in closest_seen([after]).items():
            assert distance > 0.749 * closest[name]


def test_pairs_that_never_meet_are_pushed_and_those_that_do_not_exist_are_named() -> None:
    atoms = Atoms("Li4PP", cell=[8.0, 8.0, 12.0], pbc=True)
    atoms.positions = [(2, 2, 2), (6, 2, 2), (2, 6, 2), (6, 6, 6), (4, 4, 0), (4, 4, 6)]
    pushed, left_out = pushed_pairs(
        list(atoms.symbols), atoms.positions[None], atoms.cell.array[None], PushSettings(fractions=[0.8])
    )
    assert {one.pair: round(one.distance_A, 6) for one in pushed}["P-P"] == 4.8
    lone = Atoms("LiP", positions=[(0, 0, 0), (2.5, 0, 0)], cell=[7, 7, 7], pbc=True)
    pushed, left_out = pushed_pairs(
        list(lone.symbols), lone.positions[None], lone.cell.array[None], PushSettings(fractions=[0.8])
    )
    assert [one.pair for one in pushed] == ["Li-P"]
    assert left_out == ["Li-Li: no such pair within 13.5 angstrom", "P-P: no such pair within 13.5 angstrom"]


def test_a_push_into_a_third_atom_is_left_out() -> None:
    """Three atoms in a row: the outer two cannot be pushed through the one between them."""
    row = Atoms("OLiO", positions=[(0, 0, 0), (2, 0, 0), (4, 0, 0)], cell=[30, 30, 30], pbc=True)
    pushed, left_out = pushed_pairs(
        list(row.symbols), row.positions[None], row.cell.array[None], PushSettings(fractions=[0.5, 0.9])
    )
    assert {(one.pair, one.fraction) for one in pushed} == {("Li-O", 0.5), ("Li-O", 0.9), ("O-O", 0.9), ("O-O", 0.5)}
    pushed, left_out = pushed_pairs(
        list(row.symbols), row.positions[None], row.cell.array[None], PushSettings(fractions=[0.8, 0.9])
    )
    assert ("O-O", 0.9) in {(one.pair, one.fraction) for one in pushed}
    crowded = Atoms("OLiO", positions=[(0, 0, 0), (1.0, 0, 0), (4, 0, 0)], cell=[30, 30, 30], pbc=True)
    pushed, left_out = pushed_pairs(
        list(crowded.symbols), crowded.positions[None], crowded.cell.array[None], PushSettings(fractions=[0.8])
    )
    assert left_out == [
        "Li-Li: no such pair within 13.5 angstrom",
        "O-O at 0.8: every pair tried comes too close to a third atom",
    ]


def test_settings_that_give_nothing_are_refused() -> None:
    with pytest.raises(SettingsError, match="both 0"):
        GenerateSettings(n_rattled=0, n_strained=0)
    with pytest.raises(SettingsError, match=r"smallest_A = 0\.2 is above"):
        GenerateSettings(smallest_A=0.2)
    with pytest.raises(SettingsError, match="fractions"):
        PushSettings(fractions=[1.2])
