"""What is held out together."""

from __future__ import annotations

import numpy as np
import pytest

from aiida_ion.surrogate.dataset import Dataset
from aiida_ion.surrogate.splits import SPLITS, folds, groups_of


@pytest.mark.parametrize("split", SPLITS)
def test_groups_stay_together(dataset: Dataset, split: str) -> None:
    groups = np.array(groups_of(dataset, split))
    result = folds(dataset, split, 3, seed=4)
    assert set(result) == {0, 1, 2}
    assert all(len(set(result[groups == one])) == 1 for one in set(groups))
    assert np.array_equal(result, folds(dataset, split, 3, seed=4))


def test_another_seed_deals_anew(dataset: Dataset) -> None:
    assert not np.array_equal(folds(dataset, "material", 3, 1), folds(dataset, "material", 3, 2))


def test_materials_of_which_nothing_is_said_stand_alone(dataset: Dataset) -> None:
    assert len(set(groups_of(Dataset(dataset.arrays), "prototype"))) == len(dataset)


def test_too_few_groups_are_refused(dataset: Dataset) -> None:
    with pytest.raises(ValueError, match="need as many groups"):
        folds(dataset, "chemical_system", 5, 1)
    with pytest.raises(ValueError, match="no split 'luck'"):
        folds(dataset, "luck", 2, 1)
