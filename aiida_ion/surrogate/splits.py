"""Which materials are held out together: the same material, the same elements, or the same prototype."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import GroupKFold

from aiida_ion.surrogate.dataset import Dataset
from aiida_ion.surrogate.settings import SPLITS

IntArray = npt.NDArray[np.int64]


def groups_of(dataset: Dataset, split: str) -> list[str]:
    """Return the name of the group of each material; a material without the property is its own group.

    :raises ValueError: for an unknown split.
    """
    if split not in SPLITS:
        raise ValueError(f"no split {split!r}; choose from {', '.join(SPLITS)}")
    materials = list(dataset.materials) or [{}] * len(dataset)
    return [str(material.get(SPLITS[split]) or f"material {index}") for index, material in enumerate(materials)]


def folds(dataset: Dataset, split: str, n_folds: int, seed: int) -> IntArray:
    """Return the fold in which each material is held out, (M,), keeping groups together; reproducible by seed.

    :raises ValueError: if there are fewer groups than folds.
    """
    groups = groups_of(dataset, split)
    n_groups = len(set(groups))
    if not 2 <= n_folds <= n_groups:
        raise ValueError(f"{n_folds} folds need as many groups of materials, but there are {n_groups} (split: {split})")
    numbers = np.zeros(len(dataset), dtype=np.int64)
    parts = GroupKFold(n_folds, shuffle=True, random_state=seed).split(np.zeros(len(dataset)), groups=groups)
    for fold, (_, held_out) in enumerate(parts):
        numbers[held_out] = fold
    return numbers
