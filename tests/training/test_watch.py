from __future__ import annotations

import numpy as np
import pytest
from ase.build import bulk

from aiida_ion.training.watch import closest_pairs_of_frames, committee_spread, flag_frames

CELL = bulk("NaCl", "rocksalt", a=5.64, cubic=True)
SYMBOLS = CELL.get_chemical_symbols()
PAIRS = ["Cl-Cl", "Cl-Na", "Na-Na"]


def frames(*moves: float) -> tuple[np.ndarray, np.ndarray]:
    """Return frames in which the first sodium has moved towards its chlorine along x, angstrom."""
    positions = np.repeat(CELL.positions[None], len(moves), axis=0)
    neighbour = CELL.get_distances(0, range(len(CELL)), mic=True, vector=True)
    chlorine = min((i for i, name in enumerate(SYMBOLS) if name == "Cl"), key=lambda i: np.linalg.norm(neighbour[i]))
    direction = neighbour[chlorine] / np.linalg.norm(neighbour[chlorine])
    positions[:, 0] += np.array(moves)[:, None] * direction
    return positions, np.repeat(np.array(CELL.cell)[None], len(moves), axis=0)


def test_closest_pairs_are_those_of_the_crystal_across_its_faces() -> None:
    positions, cells = frames(0.0, 0.5)
    closest = closest_pairs_of_frames(positions, cells, SYMBOLS, PAIRS, 4.5)
    assert closest[0] == pytest.approx([5.64 / 2**0.5, 2.82, 5.64 / 2**0.5])
    assert closest[1][1] == pytest.approx(2.32)


def test_unwrapped_atoms_are_found_in_their_cell() -> None:
    positions, cells = frames(0.0)
    far = positions + 3 * np.array(CELL.cell)[0] * (np.arange(len(CELL)) % 2)[:, None]
    both = [closest_pairs_of_frames(each, cells, SYMBOLS, PAIRS, 4.5) for each in (positions, far)]
    assert both[1] == pytest.approx(both[0])


def test_a_pair_that_is_farther_than_is_looked_has_that_distance() -> None:
    positions, cells = frames(0.0)
    assert closest_pairs_of_frames(positions, cells, SYMBOLS, PAIRS, 3.0)[0] == pytest.approx([3.0, 2.82, 3.0])


def test_the_first_frame_below_a_bound_is_named_with_its_pair() -> None:
    positions, cells = frames(0.0, 0.2, 0.9)
    bounds = {"Cl-Cl": 3.4, "Cl-Na": 2.3, "Na-Na": 3.4}
    closest = closest_pairs_of_frames(positions, cells, SYMBOLS, PAIRS, 4.5)
    flagged = flag_frames(closest, PAIRS, bounds)
    assert [(one.frame, one.pair) for one in flagged] == [(2, "Cl-Na")]
    assert flagged[0].value == pytest.approx(1.92)
    assert flagged[0].bound == pytest.approx(2.3)


def test_members_that_agree_have_no_spread_and_those_that_do_not_have_theirs() -> None:
    forces = np.zeros((2, 3, 3))
    other = forces.copy()
    other[1, 2, 0] = 0.4
    spread = committee_spread([forces, other])
    assert spread[0] == pytest.approx([0.0, 0.0])
    assert spread[1] == pytest.approx([0.2 / 3, 0.2])


def test_a_committee_flags_what_distances_do_not() -> None:
    closest = np.full((3, 1), 3.0)
    flagged = flag_frames(closest, ["A-B"], {"A-B": 2.0}, np.array([0.1, np.nan, 0.3]), 0.2)
    assert [(one.frame, one.reason) for one in flagged] == [(2, "committee")]


def test_an_environment_flags_what_neither_distances_nor_a_committee_do() -> None:
    closest = np.full((4, 1), 3.0)
    seen = flag_frames(
        closest, ["A-B"], {"A-B": 2.0}, environment=np.array([0.1, np.nan, 0.6, 0.2]), environment_bound=0.5
    )
    assert [(one.frame, one.reason, one.value) for one in seen] == [(2, "environment", 0.6)]
