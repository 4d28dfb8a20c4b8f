"""Neighbours across the faces of small and skewed cells."""

from __future__ import annotations

import numpy as np
import pytest
from ase.neighborlist import primitive_neighbor_list

from aiida_ion.surrogate.graphs import neighbours


@pytest.mark.parametrize("seed", range(4))
def test_neighbours_are_those_that_ase_finds(seed: int) -> None:
    generator = np.random.default_rng(seed)
    cell = np.diag([3.0, 7.0, 12.0]) + generator.normal(scale=0.8, size=(3, 3))
    positions = generator.uniform(-3, 3, size=(9, 3)) @ cell
    receivers, senders, vectors = neighbours(positions, cell, 5.0)
    first, second, expected = primitive_neighbor_list("ijD", (True,) * 3, cell, positions, 5.0)
    assert sorted(zip(receivers, senders, np.round(vectors, 6).tolist(), strict=True)) == sorted(
        zip(first, second, np.round(expected, 6).tolist(), strict=True)
    )


def test_vectors_lead_from_receiver_to_sender() -> None:
    positions = np.array([[1.0, 0.0, 0.0], [2.5, 0.0, 0.0]])
    receivers, senders, vectors = neighbours(positions, np.eye(3) * 20, 5.0)
    assert [receivers.tolist(), senders.tolist()] in ([[0, 1], [1, 0]], [[1, 0], [0, 1]])
    assert vectors == pytest.approx(positions[senders] - positions[receivers])
