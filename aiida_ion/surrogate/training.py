"""Training of one network on some materials, validated on the others. The same seed gives the same network."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from aiida_ion.surrogate.dataset import FloatArray
from aiida_ion.surrogate.features import IntArray
from aiida_ion.surrogate.labels import loss
from aiida_ion.surrogate.network import Network
from aiida_ion.surrogate.samples import Samples, Standard
from aiida_ion.surrogate.scores import BoolArray, clipped_r2

#: Held-out materials are evaluated every this many epochs, and after the last.
LOOK_EVERY = 5
FINAL_RATE = 0.01
#: Gradients are clipped to this norm.
MAX_GRADIENT = 10.0


@dataclass(frozen=True)
class Task:
    """Task of one training.

    :param labels: (M,), clipped log10 slopes; may be NaN for materials not used for training.
    :param censored: (M,), true where the label is a bound.
    :param cheap: (M,), labels of the pretraining, NaN if there is none.
    :param trained: training materials.
    :param held_out: validation materials; may be empty.
    :param seed: of weights, order, samplings and dropout.
    """

    labels: FloatArray
    censored: BoolArray
    cheap: FloatArray
    trained: IntArray
    held_out: IntArray
    seed: int


@dataclass
class Member:
    """A trained network with its units.

    :param network: gives (label - `center`) / `width`.
    :param standard: units of the invariants.
    """

    network: Network
    standard: Standard
    center: float
    width: float

    def predicted(self, samples: Samples, materials: Sequence[int] | IntArray) -> FloatArray:
        """Return log10 slopes of materials, (n,), each the mean over its configurations."""
        self.network.eval()
        invariants = self.standard.applied(samples.invariants)
        frames = [(int(material), frame) for material in materials for frame in samples.predicted_frames(int(material))]
        values: list[float] = []
        with torch.no_grad():
            for first in range(0, len(frames), samples.settings.batch_size):
                owners, chosen = zip(*frames[first : first + samples.settings.batch_size], strict=True)
                given = _tensor(invariants[list(owners)], samples.device)
                values += self.network(samples.batch(chosen), given).tolist()
        owner = np.array([index for index, _ in frames], dtype=np.int64)
        means = [np.mean(np.array(values)[owner == int(material)]) for material in materials]
        return np.array(means) * self.width + self.center


@dataclass
class Curves:
    """Learning curves: epochs (from 1), losses in dex^2, and R2 of the held-out materials."""

    epochs: list[int] = field(default_factory=list)
    train_loss: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    validation_r2: list[float] = field(default_factory=list)


class Training:
    """A training that can be interrupted and resumed after any epoch, with bit-identical results.

    :param samples: graphs of all materials.
    :param task: the task.
    """

    def __init__(self, samples: Samples, task: Task) -> None:
        self.samples, self.task, self.settings = samples, task, samples.settings
        torch.manual_seed(task.seed)
        self.member = _new_member(samples, task)
        self.member.network.to(samples.device)
        self.optimizer = torch.optim.AdamW(
            self.member.network.parameters(), lr=self.settings.learning_rate, weight_decay=self.settings.weight_decay
        )
        self.curves, self.epoch = Curves(), 0
        self.n_epochs = self.settings.pretraining_epochs + self.settings.n_epochs

    def run(self, after_epoch: Callable[[Training], None]) -> Member:
        """Train to the end; `after_epoch` may raise to interrupt."""
        while self.epoch < self.n_epochs:
            self._one_epoch()
            after_epoch(self)
        return self.member

    def state(self) -> dict[str, Tensor]:
        """Return the state for a continuation."""
        tensors = {f"network.{name}": moments for name, moments in self.member.network.state_dict().items()}
        for index, moments in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{index}.{name}": torch.as_tensor(value) for name, value in moments.items()}
        curves = [[e, *rest] for e, *rest in zip(*_columns(self.curves), strict=True)]
        return tensors | {
            "random": torch.get_rng_state(),
            "epoch": torch.tensor(self.epoch),
            "curves": torch.tensor(curves, dtype=torch.float64).reshape(-1, 4),
        }

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Resume from a `state`."""
        self.member.network.load_state_dict(_under("network.", state))
        groups = self.optimizer.state_dict()["param_groups"]
        moments: dict[int, dict[str, Tensor]] = {}
        for key, value in _under("optimizer.", state).items():
            index, _, name = key.partition(".")
            moments.setdefault(int(index), {})[name] = value
        self.optimizer.load_state_dict({"state": moments, "param_groups": groups})
        self.epoch = int(state["epoch"])
        rows = state["curves"].tolist()
        self.curves = Curves([int(row[0]) for row in rows], *([row[k] for row in rows] for k in (1, 2, 3)))
        torch.set_rng_state(state["random"].to("cpu", torch.uint8))

    def _one_epoch(self) -> None:
        pretraining = self.epoch < self.settings.pretraining_epochs
        labels = self.task.cheap if pretraining else self.task.labels
        usable = self.task.trained[np.isfinite(labels[self.task.trained])]
        self._set_rate(pretraining)
        errors = []
        order = torch.randperm(len(usable)).tolist()
        for first in range(0, len(order), self.settings.batch_size):
            errors.append(self._step(usable[order[first : first + self.settings.batch_size]], labels, pretraining))
        self.epoch += 1
        last = self.epoch == self.n_epochs
        if last or (not pretraining and self.epoch % LOOK_EVERY == 0):
            self._look(float(np.mean(errors)) if errors else math.nan)

    def _step(self, materials: IntArray, labels: FloatArray, pretraining: bool) -> float:
        member, device = self.member, self.samples.device
        member.network.train()
        drawn = [int(frames[int(torch.randint(len(frames), ()))]) for frames in map(self._frames, materials)]
        invariants = member.standard.applied(self.samples.invariants[materials])
        predicted = member.network(self.samples.batch(drawn), _tensor(invariants, device))
        targets = _tensor((labels[materials] - member.center) / member.width, device)
        censored = torch.as_tensor(self.task.censored[materials], device=device)
        one_sided = self.settings.loss == "one_sided" and not pretraining
        error = loss(predicted, targets, censored, one_sided)
        self.optimizer.zero_grad()
        error.backward()
        torch.nn.utils.clip_grad_norm_(member.network.parameters(), MAX_GRADIENT)
        self.optimizer.step()
        return float(error.detach()) * member.width**2

    def _frames(self, material: int) -> IntArray:
        return self.samples.frames[int(material)]

    def _set_rate(self, pretraining: bool) -> None:
        done = 0.0 if pretraining else (self.epoch - self.settings.pretraining_epochs) / self.settings.n_epochs
        rate = FINAL_RATE + (1 - FINAL_RATE) * 0.5 * (1 + math.cos(math.pi * done))
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.learning_rate * rate

    def _look(self, train_loss: float) -> None:
        held_out = self.task.held_out
        error, r2 = math.nan, math.nan
        if len(held_out):
            predicted = self.member.predicted(self.samples, held_out)
            labels = self.task.labels[held_out]
            censored = torch.as_tensor(self.task.censored[held_out])
            one_sided = self.settings.loss == "one_sided"
            error = float(loss(torch.as_tensor(predicted), torch.as_tensor(labels), censored, one_sided))
            r2 = clipped_r2(labels, predicted, self.settings.clip_log10)
        curves = self.curves
        curves.epochs.append(self.epoch)
        curves.train_loss.append(train_loss)
        curves.validation_loss.append(error)
        curves.validation_r2.append(r2)


def _new_member(samples: Samples, task: Task) -> Member:
    labels = task.labels[task.trained]
    width = float(labels.std())
    network = Network(samples.settings, samples.invariants.shape[1])
    network.vector_scale = samples.vector_scale(task.trained).cpu()
    standard = Standard.of(samples.invariants[task.trained])
    return Member(network, standard, float(labels.mean()), width if width > 1e-6 else 1.0)


def _columns(curves: Curves) -> tuple[list[float], ...]:
    return ([float(curve) for curve in curves.epochs], curves.train_loss, curves.validation_loss, curves.validation_r2)


def _under(prefix: str, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}


def _tensor(values: FloatArray, device: str) -> Tensor:
    return torch.as_tensor(values, dtype=torch.get_default_dtype(), device=device)
