"""What a training works on, and what the training program of each family answers about itself."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiida_ion.runners.checkpoints import Checkpoint, weights_only
from aiida_ion.runners.output import RunnerError
from aiida_ion.runners.potentials import Potential
from aiida_ion.training.families import FamilySettings
from aiida_ion.training.frames import SPLITS, FloatArray, LabelledFrame, elements_of
from aiida_ion.training.plan import TrainingPlan

#: Where the family's own program runs, beside the files of ours.
FOLDER = Path("trainer")
#: The folder that has this package, for the programs that are part of it.
ROOT = Path(__file__).resolve().parents[3]
#: Splits that the family's own program gets; the test split is never shown to it.
SHOWN = ("train", "validation")
#: Columns of the learning curve: errors are root mean squares of components, not of vectors.
CURVE = (
    "epoch",
    "learning_rate",
    "train_force_rmse_eV_A",
    "validation_force_rmse_eV_A",
    "train_energy_rmse_eV_atom",
    "validation_energy_rmse_eV_atom",
    "train_loss",
    "validation_loss",
)
Row = dict[str, float]


@dataclass(frozen=True)
class Counts:
    """How many labels a split has.

    :param frames: number of frames.
    :param energies: number of energies.
    :param forces: number of components of forces.
    :param stresses: number of frames with a stress.
    """

    frames: int
    energies: int
    forces: int
    stresses: int = 0

    @classmethod
    def of(cls, frames: Sequence[LabelledFrame], with_stress: bool) -> Counts:
        """Count the labels of frames."""
        stresses = sum(frame.stress is not None for frame in frames) if with_stress else 0
        return cls(len(frames), len(frames), sum(frame.forces.size for frame in frames), stresses)


@dataclass(frozen=True)
class Parent:
    """The potential that a training starts from.

    :param path: its file of weights.
    :param checkpoint: name, sha256, and how it may be loaded.
    """

    path: Path
    checkpoint: Checkpoint

    def loading(self) -> Any:
        """Return the context in which its file may be loaded."""
        return weights_only(self.checkpoint, self.path)


@dataclass(frozen=True)
class Work:
    """One training.

    :param plan: its parameters.
    :param settings: of its family, everything written out.
    :param frames: labelled frames by split; their energies are relative to the constants of the elements.
    :param threads: threads of the program.
    :param parent: what it starts from.
    """

    plan: TrainingPlan
    settings: FamilySettings
    frames: Mapping[str, Sequence[LabelledFrame]]
    threads: int = 1
    parent: Parent | None = None
    folder: Path = field(default=FOLDER)

    @property
    def elements(self) -> list[str]:
        """Elements of all frames, sorted."""
        return elements_of([frame for split in SPLITS for frame in self.frames.get(split, ())])

    @property
    def with_stress(self) -> bool:
        """Whether stresses are trained: they have a weight, and every frame that is shown has one."""
        shown = [frame for split in SHOWN for frame in self.frames[split]]
        return self.settings.stress_weight > 0 and all(frame.stress is not None for frame in shown)


class Trainer:
    """A family's own training program: the input it gets, the command that runs it, and what it leaves.

    :param work: what it trains.
    """

    #: Distributions whose versions decide the result.
    packages: tuple[str, ...] = ()
    #: Wall time that the finished file takes to be written, s, beyond what training and evaluation take.
    export_s = 10.0

    def __init__(self, work: Work) -> None:
        self.work = work

    @property
    def device(self) -> str:
        """The device without its number: the command sees no other."""
        return self.work.plan.device.partition(":")[0]

    def prior(self, frames: Sequence[LabelledFrame]) -> FloatArray | None:  # noqa: ARG002
        """Return the energies that the model has before it learns anything, shape (n,), eV; ``None`` for zero."""
        return None

    def prepare(self) -> None:
        """Write data and input of the program, with all its defaults written out."""
        raise NotImplementedError

    def counts(self) -> dict[str, Counts]:
        """Return the labels of each split as the program's own reader finds them."""
        raise NotImplementedError

    def command(self) -> list[str]:
        """Return the command, to be run in the folder of the training."""
        raise NotImplementedError

    def curve(self) -> list[Row]:
        """Return the epochs that are done: columns of :data:`CURVE`, those that the program does not print left out."""
        raise NotImplementedError

    def best(self) -> Path | None:
        """Return the checkpoint of the best epoch by its error on the frames for validation, ``None`` before one."""
        raise NotImplementedError

    def export(self, best: Path, constants: Mapping[str, float]) -> dict[str, Path]:
        """Write the finished potential.

        :param best: the checkpoint of the best epoch.
        :param constants: of the elements, eV, by which the energies that were trained are too low.
        :returns: ``potential``, and further files by their name.
        """
        raise NotImplementedError

    def n_weights(self, potential: Potential) -> int | None:
        """Return the number of weights of the finished potential; ``None`` where it does not show them."""
        calculator = potential.calculator
        models = [getattr(calculator, "model", None), *getattr(calculator, "models", [])]
        model: Any = next((each for each in models if hasattr(each, "parameters")), None)
        return None if model is None else sum(weight.numel() for weight in model.parameters())

    def environment(self) -> dict[str, str]:
        """Return the environment of the command.

        The program may load more than weights: the parent was loaded as weights alone, or is trusted, before it starts.
        """
        threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(self.work.threads))
        number = self.work.plan.device.partition(":")[2]
        seen = {"CUDA_VISIBLE_DEVICES": number} if number else {}
        return {**os.environ, **threads, **seen, "PYTHONPATH": str(ROOT)}


def check_counts(work: Work, found: Mapping[str, Counts]) -> dict[str, dict[str, int]]:
    """Compare the labels that a program found with those of the frames.

    :returns: the counts, ready for JSON.
    :raises RunnerError: ``invalid_input`` where they differ: it would train on other labels, or on none.
    """
    for split in SHOWN:
        expected = Counts.of(work.frames[split], work.with_stress)
        if found.get(split) != expected:
            message = f"the program found {found.get(split)} in the frames for {split}, and they have {expected}"
            raise RunnerError("invalid_input", f"{message}: it would train on other labels than those of the dataset")
    return {split: vars(found[split]) for split in SHOWN}
