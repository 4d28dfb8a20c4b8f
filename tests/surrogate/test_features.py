"""What atoms carry."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from aiida_ion.surrogate.dataset import DISPLACED, SHORT_MD, Dataset
from aiida_ion.surrogate.features import LAGS, atom_features, feature_sizes, graph_frames, without_drift
from aiida_ion.surrogate.settings import PROTOCOLS, Settings

BEST = PROTOCOLS["best"]


@pytest.mark.parametrize(
    "settings", [PROTOCOLS["baseline"], BEST, replace(BEST, inputs=("species", "mobile")), replace(BEST, inputs=())]
)
def test_there_is_as_much_as_is_said(dataset: Dataset, settings: Settings) -> None:
    kind = DISPLACED if settings.kind == "displaced" else SHORT_MD
    configuration = int(graph_frames(dataset, 2, kind, settings)[1])
    features = atom_features(dataset, configuration, settings)
    assert (features.vectors.shape[1], features.scalars.shape[1]) == feature_sizes(settings)
    assert len(features.vectors) == len(features.scalars) == 8


def test_no_atom_says_its_element(dataset: Dataset) -> None:
    numbers = np.full_like(dataset["atomic_numbers"], 55)
    other = Dataset({**dataset.arrays, "atomic_numbers": numbers})
    configuration = int(graph_frames(dataset, 0, SHORT_MD, BEST)[0])
    ours, theirs = (atom_features(one, configuration, BEST) for one in (dataset, other))
    assert np.array_equal(ours.vectors, theirs.vectors)
    assert np.array_equal(ours.scalars, theirs.scalars)


def test_displacements_are_those_that_were_made(dataset: Dataset) -> None:
    settings = Settings(inputs=("displacements",))
    configuration = int(dataset.configurations(0, DISPLACED)[0])
    moved = dataset.positions([configuration])[0] - dataset["reference_positions_A"][:8]
    still = ~dataset["mobile"][:8]
    assert atom_features(dataset, configuration, settings).vectors[:, 0] == pytest.approx(
        moved - moved[still].mean(axis=0)
    )


def test_later_motion_is_that_of_later_frames(dataset: Dataset) -> None:
    settings = replace(BEST, inputs=("later_motion",))
    frames = dataset.configurations(1, SHORT_MD)
    result = atom_features(dataset, int(frames[2]), settings).vectors
    mobile = dataset["mobile"][dataset.atoms(1)]
    positions = dataset.positions(frames)
    for index, lag in enumerate(LAGS):
        assert result[:, index] == pytest.approx(without_drift(positions[2 + lag] - positions[2], mobile))
        assert result[:, len(LAGS) + index] == pytest.approx(dataset.accelerations(frames)[2 + lag])
    assert len(graph_frames(dataset, 1, SHORT_MD, settings)) == len(frames) - LAGS[-1]


def test_drift_is_that_of_the_framework() -> None:
    moved = np.ones((4, 3))
    moved[0] += 2.0
    mobile = np.array([True, False, False, False])
    assert without_drift(moved, mobile)[0] == pytest.approx([2, 2, 2])
    assert without_drift(moved, np.ones(4, dtype=bool)).mean() == pytest.approx(0)
