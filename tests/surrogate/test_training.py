"""Training: the same for the same seed, and the same after a break."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from aiida_ion.surrogate.dataset import Dataset
from aiida_ion.surrogate.labels import cheap_labels, clipped_labels
from aiida_ion.surrogate.samples import Samples, Standard
from aiida_ion.surrogate.settings import PROTOCOLS, Settings
from aiida_ion.surrogate.training import Task, Training

QUICK = replace(PROTOCOLS["best"], scalars=4, vectors=2, n_epochs=5, pretraining_epochs=2, n_samplings=2)


def task_of(dataset: Dataset, settings: Settings, seed: int = 1) -> Task:
    index = np.arange(len(dataset))
    return Task(
        labels=clipped_labels(dataset, settings.clip_log10),
        censored=dataset["censored"],
        cheap=cheap_labels(dataset),
        trained=index[index % 4 > 0],
        held_out=index[index % 4 == 0],
        seed=seed,
    )


class LeftError(Exception):
    pass


@pytest.mark.parametrize("settings", [QUICK, replace(QUICK, kind="displaced", inputs=("accelerations",))])
def test_a_break_changes_nothing(dataset: Dataset, settings: Settings) -> None:
    samples, task = Samples(dataset, settings), task_of(dataset, settings)
    whole = Training(samples, task)
    whole.run(lambda _: None)

    def leave(training: Training) -> None:
        if training.epoch == 4:
            raise LeftError

    first = Training(samples, task)
    with pytest.raises(LeftError):
        first.run(leave)
    state = {name: one.clone() for name, one in first.state().items()}
    torch.manual_seed(99)
    second = Training(samples, task)
    second.restore(state)
    second.run(lambda _: None)
    for name, one in whole.state().items():
        assert torch.equal(one, second.state()[name]), name
    assert second.curves == whole.curves
    assert whole.curves.epochs == [5, 7]


def test_a_seed_decides_everything(dataset: Dataset) -> None:
    samples = Samples(dataset, QUICK)
    output = [
        Training(samples, task_of(dataset, QUICK, seed)).run(lambda _: None).predicted(samples, [0, 4])
        for seed in (1, 1, 2)
    ]
    assert np.array_equal(output[0], output[1])
    assert not np.allclose(output[0], output[2])


def test_pretraining_needs_no_label(dataset: Dataset) -> None:
    """Materials whose label nobody knows take part in learning the slope of the short run only."""
    labels = np.where(np.arange(len(dataset)) % 2, clipped_labels(dataset, -2.0), np.nan)
    index = np.arange(len(dataset))
    task = replace(task_of(dataset, QUICK), labels=labels, trained=index[index % 2 == 1])
    member = Training(Samples(dataset, QUICK), task).run(lambda _: None)
    assert np.isfinite(member.predicted(Samples(dataset, QUICK), [0])).all()


def test_materials_without_the_frames_are_named(dataset: Dataset) -> None:
    bare = Dataset({**dataset.arrays, "kind": np.zeros_like(dataset["kind"])}, dataset.materials)
    with pytest.raises(ValueError, match=r"24 materials have no short_md configuration: Li2O, LiCl"):
        Samples(bare, QUICK)


def test_what_is_not_known_counts_as_the_mean() -> None:
    standard = Standard.of(np.array([[1.0, np.nan, 2.0], [3.0, np.nan, 2.0]]))
    values = standard.applied(np.array([[2.0, 5.0, np.nan], [1e9, np.nan, 2.0]]))
    assert values[0].tolist() == [0.0, 5.0, 0.0]
    assert values[1].tolist() == [5.0, 0.0, 0.0]
