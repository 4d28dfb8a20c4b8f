"""A small synthetic dataset, and one evaluation of it that many tests look at."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from filelock import FileLock

from aiida_ion.surrogate.dataset import Dataset
from aiida_ion.surrogate.evaluation import Evaluation, Evaluator
from aiida_ion.surrogate.journal import Journal
from aiida_ion.surrogate.plan import TrainingPlan
from aiida_ion.surrogate.settings import PROTOCOLS, Settings
from benchmarks.synthetic.springs import synthetic_dataset
from tests.campaign_fixtures import shared_folder

SMALL = replace(PROTOCOLS["baseline"], n_epochs=60, scalars=8, vectors=4, n_samplings=3)


def unwatched(*_: object) -> None:
    """Watch nothing."""


def evaluate(dataset: Dataset, plan: TrainingPlan, folder: Path) -> Evaluation:
    journal = Journal(folder / "restart.safetensors", {})
    return Evaluator(dataset, plan, journal, "cpu", unwatched).run()


@pytest.fixture(scope="session")
def small_settings() -> Settings:
    return SMALL


@pytest.fixture(scope="session")
def dataset() -> Dataset:
    return synthetic_dataset()


@pytest.fixture(scope="session")
def plan() -> TrainingPlan:
    return TrainingPlan(SMALL, n_folds=3)


@pytest.fixture(scope="session")
def evaluation(dataset: Dataset, plan: TrainingPlan, tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    """Return the evaluation that is made once for all test processes: the others find it in the first one's journal."""
    folder = shared_folder(tmp_path_factory, "evaluation")
    with FileLock(folder / "lock"):
        return evaluate(dataset, plan, folder)
