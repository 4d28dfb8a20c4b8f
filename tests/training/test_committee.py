"""Spread and error of a committee."""

from __future__ import annotations

import numpy as np
import pytest

from aiida_ion.training.committee import Committee, summary
from tests.training.frames import lithia


def committee(planted: float, n_members: int = 3) -> tuple[Committee, list]:  # type: ignore[type-arg]
    frames = [*lithia(2, 1, "validation"), *lithia(3, 2, "test")]
    reference = np.concatenate([frame.forces for frame in frames])
    forces = np.array([reference + planted * (member - 1) for member in range(n_members)])
    energies = np.array([[frame.energy_eV + member * 0.3 for frame in frames] for member in range(n_members)])
    return Committee(energies, forces, np.arange(0, 16, 3)), frames


def test_the_spread_is_that_of_force_vectors() -> None:
    members, frames = committee(0.1)
    expected = 0.1 * np.sqrt(3) * np.sqrt(2 / 3)  # components -0.1, 0, 0.1
    assert members.force_std == pytest.approx(np.full(15, expected))
    arrays = members.arrays(frames)
    assert arrays["force_std_max_eV_A"].shape == (5,) and arrays["energy_std_eV_atom"][0] == pytest.approx(
        np.std([0.0, 0.3, 0.6]) / 3
    )


def test_the_ratio_of_error_to_spread_calibrates_it() -> None:
    members, frames = committee(0.1)
    shifted = Committee(members.energies_eV, members.forces + 0.5, members.offsets)
    values = summary(frames, shifted.arrays(frames))
    assert set(values) == {"validation", "test"}
    assert values["test"]["force_error_mean_eV_A"] == pytest.approx(0.5 * np.sqrt(3))
    assert values["test"]["error_per_std"] == pytest.approx(0.5 / (0.1 * np.sqrt(2 / 3)))


def test_members_that_agree_have_no_ratio() -> None:
    members, frames = committee(0.0)
    assert summary(frames, members.arrays(frames))["test"]["error_per_std"] is None


def test_one_member_is_no_committee() -> None:
    with pytest.raises(ValueError, match="two members"):
        committee(0.1, n_members=1)
