"""Numbers about a whole material, on springs of which they are known."""

from __future__ import annotations

import numpy as np
import pytest

from aiida_ion.surrogate.dataset import SHORT_MD, Dataset
from aiida_ion.surrogate.invariants import material_invariants, short_msd
from aiida_ion.surrogate.labels import cheap_labels
from aiida_ion.surrogate.settings import INVARIANTS


def numbers(dataset: Dataset, group: str) -> np.ndarray:
    return np.array([material_invariants(dataset, one, (group,)) for one in range(len(dataset))])


def spring_over_mass(dataset: Dataset) -> np.ndarray:
    label = np.array([one[0] for one in np.split(dataset["replica_log10_slope"], dataset["replica_offsets"][1:-1])])
    return np.asarray(10 ** (0.5 - 0.5 * label) / 6.94)


def test_force_constants_are_those_of_the_springs(dataset: Dataset) -> None:
    mean = np.sinh(numbers(dataset, "curvature")[:, 0]) * 1e-2
    assert mean == pytest.approx(spring_over_mass(dataset), rel=0.3)  # replicas scatter
    assert np.corrcoef(np.log(mean), dataset["log10_slope"])[0, 1] < -0.97


def test_springs_are_harmonic(dataset: Dataset) -> None:
    softened, hardened, _ = numbers(dataset, "anharmonicity").T
    assert softened == pytest.approx(0, abs=1e-5)
    assert np.abs(hardened).max() < 0.2


def test_the_short_run_knows_the_slope(dataset: Dataset) -> None:
    moved = dataset["log10_slope"] > -1
    assert cheap_labels(dataset)[moved] == pytest.approx(dataset["log10_slope"][moved], abs=0.6)
    values = short_msd(dataset, int(np.flatnonzero(moved)[0]))
    assert values is not None
    assert values[0] == pytest.approx(0.11)


def test_fewer_calls_see_less_of_the_run(dataset: Dataset) -> None:
    few, all_of_them = cheap_labels(dataset, 2), cheap_labels(dataset)
    slow = dataset["log10_slope"] < -1
    assert few[slow].mean() > all_of_them[slow].mean() + 0.5  # rattling looks like motion at first
    assert np.array_equal(cheap_labels(dataset, 10_000), all_of_them)


def test_bound_ions_are_driven_back(dataset: Dataset) -> None:
    assert (numbers(dataset, "correlations")[:, 0] < -0.02).all()


def test_densities_are_those_of_the_cell(dataset: Dataset) -> None:
    assert numbers(dataset, "structure")[0] == pytest.approx([np.log10(8 / 216), np.log10(4 / 216), 0.5])


def test_what_is_not_there_is_not_a_number(dataset: Dataset) -> None:
    bare = Dataset({**dataset.arrays, "kind": np.full_like(dataset["kind"], 1)}, dataset.materials)
    for group in INVARIANTS:
        result = numbers(bare, group)
        assert result.shape == numbers(dataset, group).shape
        assert np.isfinite(result).all() == (group == "structure")
    assert short_msd(bare, 0) is None
    assert np.isnan(cheap_labels(bare)).all()


def test_they_turn_with_nothing(dataset: Dataset) -> None:
    turn = np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    turned = {name: dataset[name] @ turn for name in ("positions_A", "forces_eV_A", "reference_positions_A", "cells_A")}
    other = Dataset({**dataset.arrays, **turned})
    for group in INVARIANTS:
        assert numbers(other, group) == pytest.approx(numbers(dataset, group), rel=1e-5, abs=1e-5)
    assert (dataset["kind"] == SHORT_MD).any()
