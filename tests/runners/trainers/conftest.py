"""Working folders of trainings, run for real by the Python of their environment."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aiida_ion.training.extxyz import PLAIN_KEYS, ExtxyzKeys, write_extxyz
from aiida_ion.training.frames import SPLITS, LabelledFrame
from tests.conftest import engine_environment
from tests.runners.conftest import ENVIRONMENT, place
from tests.training.frames import lithia

COUNTS = (4, 2, 2)


def frames_of(offset_eV_atom: float = 0.0, repeat: int = 1) -> dict[str, list[LabelledFrame]]:
    return {
        split: lithia(count, seed, split, offset_eV_atom, repeat)
        for seed, (split, count) in enumerate(zip(SPLITS, COUNTS, strict=True), start=1)
    }


class Training:
    """The working folder of one training."""

    def __init__(self, path: Path, environment: str) -> None:
        self.path, self.python = path, str(engine_environment(environment) / "bin" / "python")
        path.mkdir(parents=True, exist_ok=True)

    def write(
        self,
        plan: dict[str, Any],
        frames: dict[str, list[LabelledFrame]],
        keys: ExtxyzKeys = PLAIN_KEYS,
        stress: bool = False,
        **inputs: Any,
    ) -> Training:
        for split, each in frames.items():
            (self.path / f"{split}.extxyz").write_text(write_extxyz(each, keys, stress=stress))
        (self.path / "inputs.json").write_text(json.dumps({"plan": plan, "parent": None, "threads": 1} | inputs))
        return self

    def start(self) -> subprocess.Popen[str]:
        command = [self.python, *place(self.path, "trainers.train")]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(command, cwd=self.path, env=ENVIRONMENT, text=True, **pipes)  # type: ignore[call-overload,no-any-return]

    def run(self) -> dict[str, Any]:
        process = self.start()
        _, errors = process.communicate(timeout=600)
        assert process.returncode == 0, errors
        return self.results()

    def results(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.path / "results.json").read_text())
        return content

    def arrays(self, name: str) -> dict[str, Any]:
        with np.load(self.path / name, allow_pickle=False) as stored:
            return {key: stored[key] for key in stored.files}


@pytest.fixture
def training(tmp_path: Path) -> Any:
    def make(environment: str, name: str = "run") -> Training:
        return Training(tmp_path / name, environment)

    return make


def validation_rmse(training: Training, frames: dict[str, list[LabelledFrame]]) -> float:
    """Return the root mean square of the force errors of the finished potential on the frames for validation."""
    predictions = training.arrays("predictions.npz")
    sizes = np.cumsum(
        [
            0,
            *(
                len(frames[SPLITS[s]][i].symbols)
                for s, i in zip(predictions["split"], predictions["index"], strict=True)
            ),
        ]
    )
    errors = [
        predictions["predicted_forces"][sizes[row] : sizes[row + 1]]
        - frames["validation"][predictions["index"][row]].forces
        for row in np.flatnonzero(predictions["split"] == 1)
    ]
    return float(np.sqrt(np.mean(np.concatenate(errors) ** 2)))
