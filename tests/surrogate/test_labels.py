"""Labels that a run cannot resolve, and how well the others are known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from aiida_ion.surrogate.dataset import Dataset
from aiida_ion.surrogate.labels import clipped_labels, loss, noise_ceiling_r2


def test_bounds_are_censored_not_trusted() -> None:
    predicted, labels = torch.tensor([-5.0, 0.0, 1.0]), torch.tensor([-2.0, -2.0, 0.0])
    censored = torch.tensor([True, True, False])
    assert float(loss(predicted, labels, censored, one_sided=True)) == pytest.approx((0 + 4 + 1) / 3)
    assert float(loss(predicted, labels, censored, one_sided=False)) == pytest.approx((9 + 4 + 1) / 3)


def test_nothing_is_below_the_floor(dataset: Dataset) -> None:
    assert clipped_labels(dataset, -1.0).min() == -1.0
    assert clipped_labels(dataset, -4.0) == pytest.approx(dataset["log10_slope"])


def test_the_ceiling_is_that_of_the_spread_between_seeds(dataset: Dataset) -> None:
    """Two replicas with noise of 0.5 dex: the variance of their mean is 0.125."""
    generator = np.random.default_rng(2)
    labels = np.linspace(-1.9, 4, 400)
    noisy = labels[:, None] + 0.5 * generator.normal(size=(400, 2))
    arrays = {"log10_slope": labels, "replica_log10_slope": noisy.ravel(), "replica_offsets": np.arange(401) * 2}
    made = Dataset({**dataset.arrays, **arrays})
    assert noise_ceiling_r2(made, -4.0) == pytest.approx(1 - 0.125 / labels.var(), abs=0.01)
    ceiling = noise_ceiling_r2(made, -2.0)
    assert ceiling is not None
    assert ceiling > 1 - 0.125 / labels.var()


def test_without_replicas_there_is_no_ceiling(dataset: Dataset) -> None:
    alone = Dataset({**dataset.arrays, "replica_log10_slope": np.full(48, np.nan)})
    assert noise_ceiling_r2(alone, -2.0) is None
