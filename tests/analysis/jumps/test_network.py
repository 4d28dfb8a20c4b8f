"""Dimension of periodic networks whose dimension is known."""

from __future__ import annotations

import numpy as np
import pytest

from aiida_ion.analysis.jumps.network import network_dimension


@pytest.mark.parametrize(
    ("edges", "dimension"),
    [
        ([], 0),
        ([(0, 1, 0, 0, 0), (1, 0, 0, 0, 0)], 0),
        ([(0, 1, 0, 0, 0), (1, 0, 1, 0, 0)], 1),
        ([(0, 0, 1, 1, 0)], 1),
        ([(0, 0, 1, 1, 0), (0, 0, 2, 2, 0)], 1),
        ([(0, 0, 1, 0, 0), (0, 0, 0, 1, 0)], 2),
        # Two channels that never meet, along different axes: each is a channel.
        ([(0, 0, 1, 0, 0), (1, 1, 0, 1, 0)], 1),
        ([(0, 0, 1, 0, 0), (1, 1, 0, 1, 0), (0, 1, 0, 0, 0)], 2),
        ([(0, 1, 0, 0, 0), (0, 1, -1, 0, 0), (0, 1, 0, -1, 0), (0, 1, 0, 0, -1)], 3),
        # A hop across the face and back is no way on.
        ([(0, 1, 1, 0, 0), (1, 0, -1, 0, 0)], 0),
    ],
)
def test_dimension(edges: list[tuple[int, ...]], dimension: int) -> None:
    table = np.array(edges, dtype=np.int64).reshape(-1, 5)
    assert network_dimension(table[:, 0], table[:, 1], table[:, 2:]) == dimension
