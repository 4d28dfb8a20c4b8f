"""One training from its inputs to the finished potential and its predictions."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from ase.data import atomic_numbers

from aiida_ion.runners.output import Ledger, RunnerError, sha256_of, versions, write_json
from aiida_ion.runners.potentials import Potential, load_potential
from aiida_ion.runners.run_inputs import PotentialInputs, potential_inputs, read_inputs, require
from aiida_ion.runners.stops import StopSignal, usable_seconds
from aiida_ion.runners.trainers.allegro import AllegroTrainer
from aiida_ion.runners.trainers.base import CURVE, FOLDER, Parent, Row, Trainer, Work, check_counts
from aiida_ion.runners.trainers.chgnet import ChgnetTrainer
from aiida_ion.runners.trainers.mace import MaceTrainer
from aiida_ion.runners.trainers.nequip import NequipTrainer
from aiida_ion.runners.trainers.predictions import Array, Evaluated, choose_evaluated, predict
from aiida_ion.runners.trainers.sevenn import SevennTrainer
from aiida_ion.runners.trainers.supervise import TrainerFailedError, supervise
from aiida_ion.training.constants import sum_of_constants
from aiida_ion.training.extxyz import read_extxyz
from aiida_ion.training.frames import SPLITS, LabelledFrame
from aiida_ion.training.plan import TrainingPlan
from aiida_ion.training.zero import zero_constants

TRAINERS: dict[str, type[Trainer]] = {
    "sevenn": SevennTrainer,
    "nequip": NequipTrainer,
    "allegro": AllegroTrainer,
    "mace": MaceTrainer,
    "chgnet": ChgnetTrainer,
}
#: Time that the evaluation of the finished potential gets: this many times that of its parent, or this part of all.
SAFETY, SHARE = 1.5, 0.05


@dataclass(frozen=True)
class Before:
    """What the parent says of the frames that are evaluated.

    :param energies_eV: shape (n,).
    :param forces: of all atoms, shape (P, 3), eV/angstrom.
    :param wall_time_s: how long that took.
    """

    energies_eV: Array
    forces: Array
    wall_time_s: float


def train(results: dict[str, Any], ledger: Ledger) -> None:
    """Train the potential that the working folder describes.

    :param results: gets status, message, label counts, constants, epochs, versions, hashes of the files.
    :param ledger: gets the costs, an epoch counting as a step.
    :raises RunnerError: for whatever keeps the training from its end.
    """
    inputs = read_inputs(Path("inputs.json"))
    plan = _plan(inputs)
    frames = {split: _read(split) for split in SPLITS}
    has_parent = inputs.get("parent") is not None
    try:
        settings = plan.family_settings(has_parent)
    except ValueError as error:
        raise RunnerError("invalid_input", str(error)) from error
    threads = int(inputs.get("threads") or 1)
    engine = {"potential": plan.family, "device": plan.device, "threads": threads, "dtype": plan.precision}
    # The shape of the model is that of its parent, where there is one.
    fixed = type(settings).shape if has_parent else ()
    used = {name: value for name, value in settings.to_dict().items() if name not in fixed}
    results |= {"settings": used, "engine": engine}
    stop, evaluated = StopSignal(), choose_evaluated(frames, plan.n_train_evaluated)
    if plan.device.startswith("cuda"):
        ledger.hold_gpu()
    parent, before = None, None
    if has_parent:
        parent, before = _evaluate_parent(inputs, evaluated, results)
    kind, work = TRAINERS[plan.family], Work(plan, settings, frames, threads, parent)
    constants, are_determined = _constants(kind(work), evaluated, before)
    results |= {"constants_eV": constants, "constants_are_determined": are_determined}
    trainer = kind(replace(work, frames=_relative(frames, constants)))
    _prepare(trainer, results)
    reserve_s = trainer.export_s + _evaluation_s(before, inputs.get("max_seconds"))
    deadline_s = ledger.start_s + usable_seconds(inputs.get("max_seconds")) - reserve_s
    status = _run(trainer, deadline_s, stop, ledger)
    _conclude(trainer, status, constants, results)
    if status != "finished":
        # The scheduler may end this process before the predictions are made: what there is then counts.
        write_json(Path("results.json"), results | {"cost": ledger.cost(None, plan.device, threads)}, durable=True)
    _evaluate(trainer, evaluated, before, results)


def _plan(inputs: Mapping[str, Any]) -> TrainingPlan:
    try:
        return TrainingPlan.from_dict(inputs.get("plan") or {})
    except ValueError as error:
        raise RunnerError("invalid_input", f"inputs.json, 'plan': {error}") from error


def _read(split: str) -> list[LabelledFrame]:
    path = Path(f"{split}.extxyz")
    if not path.is_file():
        require(split == "test", f"{path.name} is missing in the working folder")
        return []
    try:
        frames = read_extxyz(path.read_text())
    except (ValueError, KeyError, IndexError) as error:
        raise RunnerError("invalid_input", f"{path.name} does not hold labelled frames: {error}") from error
    require(bool(frames) or split == "test", f"{path.name} holds no frames")
    return [replace(frame, split=split) for frame in frames]


def _evaluate_parent(inputs: Mapping[str, Any], evaluated: Evaluated, results: dict[str, Any]) -> tuple[Parent, Before]:
    """Load the parent and evaluate it."""
    settings = potential_inputs({"potential": inputs["parent"]})
    potential = _loaded(settings, evaluated.frames)
    if potential.path is None:
        raise RunnerError(
            "invalid_input", f"the potential {settings.name} is not a file that a training can start from"
        )
    begin = time.monotonic()
    energies, forces = predict(potential.calculator, evaluated.frames, "The parent")
    results["parent"] = potential.checkpoint
    return Parent(potential.path, potential.checkpoint), Before(energies, forces, time.monotonic() - begin)


def _loaded(settings: PotentialInputs, frames: Sequence[LabelledFrame]) -> Potential:
    symbols = {symbol for frame in frames for symbol in frame.symbols}
    return load_potential(settings, [atomic_numbers[symbol] for symbol in sorted(symbols)])


def _constants(trainer: Trainer, evaluated: Evaluated, before: Before | None) -> tuple[dict[str, float], bool]:
    """Return the constants of the elements: by the frames that the parent was evaluated on, else by all."""
    if before is None:
        frames = trainer.work.frames["train"]
        return zero_constants(frames, trainer.prior(frames))
    return zero_constants([evaluated.frames[row] for row in evaluated.train], before.energies_eV[evaluated.train])


def _relative(
    frames: Mapping[str, Sequence[LabelledFrame]], constants: Mapping[str, float]
) -> dict[str, list[LabelledFrame]]:
    """Return frames with energies relative to the constants."""
    return {split: [_less(frame, constants) for frame in each] for split, each in frames.items()}


def _less(frame: LabelledFrame, constants: Mapping[str, float]) -> LabelledFrame:
    missing = sorted(set(frame.symbols) - set(constants))
    require(not missing, f"{', '.join(missing)} is in no frame for training, but in one for {frame.split}")
    return replace(frame, energy_eV=frame.energy_eV - sum_of_constants(frame, dict(constants)))


def _prepare(trainer: Trainer, results: dict[str, Any]) -> None:
    """Write the input of the family's program, and compare the labels that its own reader finds with the frames'."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    trainer.prepare()
    results["versions"] = versions(trainer.packages)
    results["labels"] = check_counts(trainer.work, trainer.counts())


def _evaluation_s(before: Before | None, max_seconds: float | None) -> float:
    if before is not None:
        return SAFETY * before.wall_time_s
    return SHARE * float(max_seconds) if max_seconds is not None else 0.0


def _run(trainer: Trainer, deadline_s: float, stop: StopSignal, ledger: Ledger) -> str:
    """Run the family's own program; return how it ended, where it left something to use.

    :raises RunnerError: ``walltime`` or ``terminated`` if no epoch was done, ``failed`` if it failed.
    """
    if time.monotonic() >= deadline_s:
        raise RunnerError("walltime", "no time is left for the training itself: allow more wall time")
    try:
        status = supervise(trainer, deadline_s, stop, ledger)
    except TrainerFailedError as error:
        raise RunnerError(
            "failed", f"The training program of {trainer.work.plan.kind.label} failed: {error}"
        ) from error
    if trainer.best() is None:
        why = f"signal {stop.name} came" if stop.name else "the wall time was over"
        status = "walltime" if status == "finished" else status
        raise RunnerError(status, f"{why} before one epoch was done: allow more wall time")
    return status


def _conclude(trainer: Trainer, status: str, constants: Mapping[str, float], results: dict[str, Any]) -> None:
    """Write the finished potential and its learning curve."""
    best, curve = trainer.best(), trainer.curve()
    assert best is not None
    np.savez("curve.npz", **curve_arrays(curve))  # type: ignore[arg-type]
    files = trainer.export(best, constants)
    results["files"] = {name: {"name": path.name, "sha256": sha256_of(path)} for name, path in files.items()}
    n_epochs = trainer.work.settings.n_epochs
    done = f"{len(curve)} of {n_epochs} epochs were done"
    sentences = {
        "finished": f"{done}.",
        "walltime": f"the wall time was over after {done}; train on with this potential as the parent",
        "terminated": f"a signal came after {done}; train on with this potential as the parent",
    }
    stopped_early = "patience" if len(curve) < n_epochs else "all epochs"
    results |= {
        "status": status,
        "message": sentences[status],
        "stop_reason": stopped_early if status == "finished" else status,
        "n_epochs": len(curve),
        "best_epoch": best_epoch(curve),
        "segments": 1,
        "trains_on_stress": trainer.work.with_stress,
    }


def curve_arrays(curve: Sequence[Row]) -> dict[str, Array]:
    """Return the learning curve as arrays, shape (epochs,); columns that the program does not print are left out."""
    return {
        name: np.array([row.get(name, math.nan) for row in curve])
        for name in CURVE
        if any(name in row for row in curve)
    }


def best_epoch(curve: Sequence[Row]) -> float | None:
    """Return the epoch with the smallest loss on the frames for validation."""
    losses = [
        (row["validation_loss"], row["epoch"]) for row in curve if math.isfinite(row.get("validation_loss", math.nan))
    ]
    return min(losses)[1] if losses else None


def _evaluate(trainer: Trainer, evaluated: Evaluated, before: Before | None, results: dict[str, Any]) -> None:
    """Load the finished file as molecular dynamics will, and evaluate it."""
    plan, file = trainer.work.plan, results["files"]["potential"]
    settings = PotentialInputs(
        plan.kind.potential,
        device=plan.device,
        threads=trainer.work.threads,
        checkpoint_file=file["name"],
        checkpoint_sha256=file["sha256"],
        trusted_sha256=[file["sha256"]],  # this program wrote it
    )
    potential = _loaded(settings, evaluated.frames)
    energies, forces = predict(potential.calculator, evaluated.frames, "The trained potential")
    arrays = {"predicted_energies": energies, "predicted_forces": forces}
    if before is not None:
        arrays |= {"parent_energies": before.energies_eV, "parent_forces": before.forces}
    arrays |= {"split": evaluated.split, "index": evaluated.index}
    np.savez("predictions.npz", **arrays)  # type: ignore[arg-type]
    results["engine"]["dtype"] = potential.dtype or results["engine"]["dtype"]
    results["n_weights"] = trainer.n_weights(potential)
