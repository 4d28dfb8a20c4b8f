"""Trains a surrogate: ``python -m aiida_ion.runners.surrogate.train`` beside ``inputs.json`` and ``dataset.npz``.

``inputs.json``: ``protocol``, ``settings`` (changes to it), ``split``, ``n_folds``, ``n_repeats``, ``controls``,
``ablations``, ``seed``, ``device``, ``threads``, ``max_seconds``, ``materials``, ``said`` (noted in the model). Writes
``report.npz``, ``model.safetensors``, ``progress.json``, at last ``results.json``; where it has to stop before that,
``restart.safetensors``, from which the same program in the same folder continues.
"""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from aiida_ion.runners.output import Ledger, RunnerError, run_program, versions, write_json
from aiida_ion.runners.stops import StopSignal, usable_seconds

#: The restart file is written so often, s.
WRITE_EVERY_S = 30.0
PACKAGES = ("torch", "e3nn", "scikit-learn", "safetensors", "vesin")


def main() -> int:
    """Train; the exit status is 0 whenever ``results.json`` was written."""
    return run_program(_body)


def _body(results: dict[str, Any], ledger: Ledger) -> None:
    inputs = json.loads(Path("inputs.json").read_text())
    # What is wrong with these is said before torch is imported, which takes seconds.
    from aiida_ion.surrogate.dataset import read_dataset
    from aiida_ion.surrogate.plan import PARAMETERS, TrainingPlan

    try:
        plan = TrainingPlan.from_parameters({name: inputs[name] for name in PARAMETERS if name in inputs})
        dataset = read_dataset(Path("dataset.npz"), inputs.get("materials"))
    except ValueError as error:
        raise RunnerError("invalid_input", str(error)) from error
    results |= {"settings": plan.settings.to_dict(), "versions": versions(PACKAGES)}
    device, _ = prepare(inputs, results, ledger)
    from aiida_ion.surrogate.evaluation import Evaluator
    from aiida_ion.surrogate.journal import FILENAME, Journal

    try:
        journal = Journal(Path(FILENAME), {"dataset_sha256": inputs.get("dataset_sha256"), **asdict(plan)})
        watch = Watch(usable_seconds(inputs.get("max_seconds")), ledger, journal)
        evaluator = Evaluator(dataset, plan, journal, device, watch)
    except ValueError as error:
        raise RunnerError("invalid_input", str(error)) from error
    evaluation = evaluator.run()
    conclude(results, dataset, plan, evaluation, inputs)
    ledger.n_steps = evaluator.n_epochs


def prepare(inputs: dict[str, Any], results: dict[str, Any], ledger: Ledger) -> tuple[str, int]:
    """Import torch with the threads and on the device that the inputs name.

    :returns: device and threads.
    :raises RunnerError: ``engine_import_failed`` if torch or e3nn cannot be imported, or there is no such device.
    """
    threads = int(inputs.get("threads") or os.environ.get("OMP_NUM_THREADS") or 1)
    try:
        import e3nn
        import torch
    except ImportError as error:
        advice = "use the Python of an environment made by `aiida-ion engine install surrogate`"
        raise RunnerError("engine_import_failed", f"{error}: {advice}") from error
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True, warn_only=True)
    device = str(inputs.get("device") or ("cuda" if torch.cuda.is_available() else "cpu"))
    if device.startswith("cuda"):
        if not torch.cuda.is_available():
            raise RunnerError("engine_import_failed", "device cuda is asked for, and torch sees no GPU here")
        ledger.hold_gpu()
    results["engine"] = {"device": device, "threads": threads, "e3nn": e3nn.__version__}
    return device, threads


def conclude(results: dict[str, Any], dataset: Any, plan: Any, evaluation: Any, inputs: dict[str, Any]) -> None:
    """Write report and model, and what the results say of them."""
    import numpy as np

    from aiida_ion.surrogate.checkpoint import Model, save_model
    from aiida_ion.surrogate.domain import Domain, descriptors
    from aiida_ion.surrogate.report import Report

    report = Report(dataset, plan, evaluation)
    np.savez("report.npz", **report.arrays())  # type: ignore[arg-type]
    domain = Domain.of(descriptors(dataset, plan.settings))
    facts = {"protocol": inputs["protocol"], **(inputs.get("said") or {})}
    save_model(Path("model.safetensors"), Model(evaluation.members, report.halfwidth_dex, domain, facts))
    n_parameters = sum(member.numel() for member in evaluation.members[0].network.parameters())
    results |= {
        "status": "finished",
        "message": report.verdict(),
        "verdict": report.verdict(),
        "metrics": report.metrics(),
        "arms": report.arms,
        "n_parameters": n_parameters,
        "domain_limit": domain.limit,
    }


class Watch:
    """Tells how far the training is, keeps the restart file fresh, and ends the run in good time.

    :param max_seconds: wall time that may be used.
    :param journal: what has been done.
    """

    def __init__(self, max_seconds: float, ledger: Ledger, journal: Any) -> None:
        self._max_seconds, self._ledger, self._journal = max_seconds, ledger, journal
        self._signal, self._written, self._longest = StopSignal(), time.monotonic(), 0.0
        self._last = time.monotonic()

    def __call__(self, arm: str, fold: int, step: int, n_steps: int, curves: Any) -> None:
        """Take note of an epoch.

        :raises RunnerError: ``walltime`` or ``terminated`` when the time is over; the restart file is written.
        """
        now = time.monotonic()
        self._longest, self._last = max(self._longest, now - self._last), now
        latest = {"epoch": curves.epochs[-1], "validation_r2": curves.validation_r2[-1]} if curves.epochs else {}
        progress = {"step": step, "n_steps": n_steps, "arm": arm, "fold": fold}
        write_json(Path("progress.json"), progress | latest | {"wall_time_s": self._ledger.elapsed_s()})
        over = self._ledger.elapsed_s() + self._longest > self._max_seconds
        if over or self._signal.name or now - self._written > WRITE_EVERY_S:
            self._journal.write()
            self._written = now
        if self._signal.name:
            raise RunnerError("terminated", f"stopped by {self._signal.name} after {step} of {n_steps} epochs")
        if over:
            raise RunnerError("walltime", f"out of time after {step} of {n_steps} epochs; continue from the state")


if __name__ == "__main__":
    sys.exit(main())
