"""A training with its evaluation: repeated k-fold of the model, its controls and baselines."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from aiida_ion.surrogate.baselines import make_baselines
from aiida_ion.surrogate.checkpoint import member_of, member_tensors
from aiida_ion.surrogate.controls import Arm, make_arms
from aiida_ion.surrogate.dataset import Dataset, FloatArray
from aiida_ion.surrogate.features import IntArray
from aiida_ion.surrogate.journal import Journal
from aiida_ion.surrogate.labels import cheap_labels, clipped_labels
from aiida_ion.surrogate.plan import TrainingPlan
from aiida_ion.surrogate.samples import Samples
from aiida_ion.surrogate.splits import folds
from aiida_ion.surrogate.training import Curves, Member, Task, Training

#: Called after each epoch with arm, fold, epochs done, and total number of epochs.
Watch = Callable[[str, int, int, int, Curves], None]


@dataclass
class ArmResult:
    """Predictions of one arm for held-out materials.

    :param predictions: (n_repeats, M), log10 slopes.
    :param seconds: wall time of its training runs.
    """

    name: str
    kind: str
    predictions: FloatArray
    seconds: float


@dataclass
class Evaluation:
    """Results of an evaluation.

    :param arms: the model first, then controls, ablations and baselines.
    :param members: networks of the model, one for each fold of each repeat.
    :param curves: their learning curves.
    :param fold: (M,), fold of each material in the first repeat.
    """

    arms: list[ArmResult]
    members: list[Member]
    curves: list[Curves]
    fold: IntArray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))


class Evaluator:
    """Runs a plan; can be interrupted after any epoch and resumed from its journal.

    :param dataset: labelled materials.
    :param plan: what to do.
    :param journal: record of what has been done.
    :param device: device of the networks.
    :param watch: called after each epoch; may raise to interrupt, with the state in the journal.
    :raises ValueError: if a label is missing, or materials and plan do not match.
    """

    def __init__(self, dataset: Dataset, plan: TrainingPlan, journal: Journal, device: str, watch: Watch) -> None:
        if not np.isfinite(dataset["log10_slope"]).all():
            raise ValueError("a material without a label cannot be used for training")
        self._dataset, self._plan, self._journal = dataset, plan, journal
        self._device, self._watch, self._epochs_done = device, watch, 0
        self._labels = clipped_labels(dataset, plan.settings.clip_log10)
        self._cheap = cheap_labels(dataset)
        self._censored = dataset["censored"].astype(bool)
        self._folds = [folds(dataset, plan.split, plan.n_folds, plan.seed + repeat) for repeat in range(plan.n_repeats)]
        self._arms = make_arms(dataset, plan.settings, plan.seed, plan.controls, plan.ablations)
        trainings = plan.n_folds * plan.n_repeats
        self.n_epochs = sum(trainings * (arm.settings.n_epochs + arm.settings.pretraining_epochs) for arm in self._arms)

    def run(self) -> Evaluation:
        """Train and evaluate everything that is not in the journal."""
        evaluation = Evaluation([], [], [], self._folds[0])
        for arm in self._arms:
            evaluation.arms.append(self._run_arm(arm, evaluation))
        evaluation.arms += self._baselines()
        return evaluation

    def _run_arm(self, arm: Arm, evaluation: Evaluation) -> ArmResult:
        samples: Samples | None = None
        predictions = np.full((self._plan.n_repeats, len(self._dataset)), np.nan)
        seconds = 0.0
        for repeat, fold in self._parts():
            name = f"{arm.name}/{repeat}/{fold}"
            result = self._journal.result(name)
            if result is None:
                samples = samples or Samples(arm.dataset, arm.settings, self._device)
                result = self._train(name, arm, samples, repeat, fold)
            else:
                self._epochs_done += arm.settings.n_epochs + arm.settings.pretraining_epochs
            predictions[repeat, self._folds[repeat] == fold] = result["predicted"].numpy()
            seconds += float(result["seconds"])
            if arm.kind == "model":
                own = {
                    key.removeprefix("member/"): tensor for key, tensor in result.items() if key.startswith("member/")
                }
                evaluation.members.append(member_of(own, arm.settings))
                evaluation.curves.append(_curves(result["curves"]))
        return ArmResult(arm.name, arm.kind, predictions, seconds)

    def _parts(self) -> list[tuple[int, int]]:
        return [(repeat, fold) for repeat in range(self._plan.n_repeats) for fold in range(self._plan.n_folds)]

    def _train(self, name: str, arm: Arm, samples: Samples, repeat: int, fold: int) -> dict[str, Tensor]:
        """Train on all folds except one, and keep the predictions for that one."""
        held_out = np.flatnonzero(self._folds[repeat] == fold)
        task = Task(
            labels=self._labels,
            censored=self._censored,
            cheap=self._cheap,
            trained=np.flatnonzero(self._folds[repeat] != fold),
            held_out=held_out,
            seed=_seed(self._plan.seed, name),
        )
        training, start = Training(samples, task), time.monotonic()
        before = 0.0
        partial = self._journal.partial(name)
        if partial is not None:
            before = float(partial.pop("seconds"))
            training.restore(partial)
        done = self._epochs_done

        def after_epoch(now: Training) -> None:
            self._epochs_done = done + now.epoch
            state = now.state() | {"seconds": torch.tensor(before + time.monotonic() - start)}
            self._journal.keep_partial(name, state)
            self._watch(arm.name, fold, self._epochs_done, self.n_epochs, now.curves)

        member = training.run(after_epoch)
        result = (
            {f"member/{key}": tensor for key, tensor in member_tensors(member).items()} if arm.kind == "model" else {}
        )
        result |= {
            "predicted": torch.as_tensor(member.predicted(samples, held_out)),
            "seconds": torch.tensor(before + time.monotonic() - start),
            "curves": training.state()["curves"],
        }
        self._epochs_done = done + training.n_epochs
        self._journal.keep(name, result)
        self._journal.write()
        return result

    def _baselines(self) -> list[ArmResult]:
        outcomes = []
        for name, baseline in make_baselines(self._dataset, self._plan.settings).items():
            start = time.monotonic()
            predictions = np.full((self._plan.n_repeats, len(self._dataset)), np.nan)
            for repeat, fold in self._parts():
                held_out = np.flatnonzero(self._folds[repeat] == fold)
                trained = np.flatnonzero(self._folds[repeat] != fold)
                predicted = baseline(self._dataset, self._labels, trained, held_out, self._plan.seed)
                predictions[repeat, held_out] = predicted
            outcomes.append(ArmResult(name, "baseline", predictions, time.monotonic() - start))
        return outcomes


def _seed(seed: int, name: str) -> int:
    """Return the seed of one training run, the same in every process."""
    return int.from_bytes(hashlib.sha256(f"{seed} {name}".encode()).digest()[:4], "big")


def _curves(table: Tensor) -> Curves:
    rows = table.tolist()
    return Curves([int(row[0]) for row in rows], *([row[k] for row in rows] for k in (1, 2, 3)))
