"""CHGNet: its own ``Trainer``, run by :mod:`aiida_ion.runners.trainers.chgnet_program`."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aiida_ion.runners.checkpoints import import_module, numpy_rebuilders
from aiida_ion.runners.output import RunnerError, write_json
from aiida_ion.runners.trainers import chgnet_program
from aiida_ion.runners.trainers.base import SHOWN, Counts, Row, Trainer
from aiida_ion.training.extxyz import write_extxyz
from aiida_ion.training.families.chgnet import ChgnetSettings

WEIGHT = "composition_model.fc.weight"


class ChgnetTrainer(Trainer):
    """Fine-tunes CHGNet."""

    packages = ("chgnet", "pymatgen")

    def prepare(self) -> None:
        """Write ``config.json`` and the frames."""
        for split in SHOWN:
            text = write_extxyz(self.work.frames[split], stress=self.work.with_stress, origin=False)
            (self.work.folder / f"{split}.extxyz").write_text(text)
        write_json(self.work.folder / chgnet_program.CONFIG, self.config())

    def config(self) -> dict[str, Any]:
        """Return the input of the program.

        :raises RunnerError: ``invalid_input`` without a parent.
        """
        settings, parent = self.work.settings, self.work.parent
        assert isinstance(settings, ChgnetSettings)
        if parent is None:
            raise RunnerError("invalid_input", "CHGNet is trained from a parent only: give one")
        return {
            "parent": str(parent.path.resolve()),
            "seed": self.work.plan.seed,
            "batch_size": settings.batch_size,
            "last_layers_only": settings.last_layers_only,
            "targets": "efs" if self.work.with_stress else "ef",
            "trainer": {
                "criterion": "Huber",
                "delta": settings.huber_delta,
                "energy_loss_ratio": settings.energy_weight,
                "force_loss_ratio": settings.force_weight,
                "stress_loss_ratio": settings.stress_weight,
                "optimizer": "Adam",
                "scheduler": "CosLR",
                "epochs": settings.n_epochs,
                "learning_rate": settings.learning_rate,
                "allow_missing_labels": False,
                "use_device": self.device,
            },
        }

    def counts(self) -> dict[str, Counts]:
        """Make the graphs that the program trains on, and count their labels."""
        return {split: chgnet_program.counted(self.work.folder, split) for split in SHOWN}

    def command(self) -> list[str]:
        """Return the command of the program."""
        return [sys.executable, "-m", chgnet_program.__name__]

    def curve(self) -> list[Row]:
        """Read the lines that the program writes."""
        path = self.work.folder / chgnet_program.CURVE
        lines = path.read_text().splitlines() if path.is_file() else []
        rows = []
        for line in lines:
            try:
                given = json.loads(line)
            except ValueError:
                break  # still being written
            rows.append({name: math.nan if value is None else float(value) for name, value in given.items()})
        return rows

    def best(self) -> Path | None:
        """Return the checkpoint of the best epoch."""
        path = self.work.folder / chgnet_program.BEST
        return path if path.is_file() else None

    def export(self, best: Path, constants: Mapping[str, float]) -> dict[str, Path]:
        """Add the constants to the energy of each element."""
        from ase.data import atomic_numbers

        torch = import_module("torch", "chgnet")
        with torch.serialization.safe_globals(numpy_rebuilders()):
            model = torch.load(best, map_location="cpu", weights_only=True)["model"]
        weight = model["state_dict"][WEIGHT].double()
        for symbol, constant in constants.items():
            weight[0, atomic_numbers[symbol] - 1] += constant
        model["state_dict"][WEIGHT] = weight.float()
        path = Path(self.work.plan.kind.filename)
        torch.save({"model": model}, path)
        return {"potential": path}
