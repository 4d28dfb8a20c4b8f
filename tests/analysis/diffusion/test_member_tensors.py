"""Tensors of members: turned into one frame, averaged, with intervals that hold the truth."""

from __future__ import annotations

import numpy as np
import pytest

from aiida_ion.analysis.diffusion.member_tensors import MemberTensor, different_shape, pool_tensors, rotation, turned
from aiida_ion.analysis.disorder.spread import sampling_of

TRUTH = np.diag([3e-6, 2e-6, 5e-7])
N_MEMBERS, N_TRIALS = 6, 300


@pytest.mark.parametrize("spread", [0.0, 0.2])
def test_intervals_of_the_diagonal_hold_the_truth(spread: float) -> None:
    generator = np.random.default_rng(7)
    sampling = sampling_of([1.0] * N_MEMBERS, [None] * N_MEMBERS)
    held = np.zeros(3)
    for trial in range(N_TRIALS):
        members = []
        for _ in range(N_MEMBERS):
            own = np.diag(TRUTH) * (1.0 + spread * generator.standard_normal(3))
            error = 0.1 * np.diag(TRUTH)
            members.append(MemberTensor(np.diag(own + error * generator.standard_normal(3)), error))
        pooled = pool_tensors(members, sampling, seed=trial)
        held += [low <= value <= high for value, (low, high) in zip(np.diag(TRUTH), pooled.ci95_cm2_s, strict=True)]
    assert np.all((held / N_TRIALS >= 0.90) & (held / N_TRIALS <= 0.985)), held / N_TRIALS


def test_a_turned_cell_gives_back_the_tensor() -> None:
    cell = np.array([[4.0, 0.0, 0.0], [1.0, 5.0, 0.0], [0.0, 0.5, 6.0]])
    axis = np.array([1.0, 2.0, 2.0]) / 3.0
    cross = np.cross(np.eye(3), axis)
    angle = 0.7
    turn = np.eye(3) + np.sin(angle) * cross + (1.0 - np.cos(angle)) * cross @ cross
    matrix, strain = rotation(cell, cell @ turn)
    assert matrix == pytest.approx(turn)
    assert strain == pytest.approx(0.0, abs=1e-12)
    moved = turned(MemberTensor(TRUTH, np.full(3, 1e-7)), cell, cell @ turn)
    assert moved.tensor_cm2_s == pytest.approx(turn.T @ TRUTH @ turn)
    assert different_shape(cell, 1.02 * cell @ turn) is None
    assert "by 20% of a length" in str(different_shape(cell, 1.2 * cell))
