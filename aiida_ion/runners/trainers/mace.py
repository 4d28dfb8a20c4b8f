"""MACE: ``mace_run_train --config config.yaml``."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ase.data import atomic_numbers

from aiida_ion.runners.checkpoints import import_module
from aiida_ion.runners.output import RunnerError
from aiida_ion.runners.trainers.base import SHOWN, Counts, Row, Trainer
from aiida_ion.training.extxyz import ExtxyzKeys, write_extxyz
from aiida_ion.training.families.mace import MaceSettings

#: What it calls labels by default; the usual names are not safe between MACE and ASE.
KEYS = ExtxyzKeys("REF_energy", "REF_forces", "REF_stress")
NAME = "trained"


class MaceTrainer(Trainer):
    """Trains MACE."""

    packages = ("mace-torch", "e3nn")
    # Where it was stopped, its own program starts once more to write the best epoch.
    export_s = 60.0

    def prepare(self) -> None:
        """Write ``config.yaml`` and the frames."""
        yaml = import_module("yaml", "pyyaml")
        for split in SHOWN:
            text = write_extxyz(self.work.frames[split], KEYS, stress=self.work.with_stress, origin=False)
            (self.work.folder / f"{split}.xyz").write_text(text)
        (self.work.folder / "config.yaml").write_text(yaml.safe_dump(self.config(), sort_keys=False))

    def _settings(self) -> MaceSettings:
        assert isinstance(self.work.settings, MaceSettings)
        return self.work.settings

    def config(self) -> dict[str, Any]:
        """Return the input of the program."""
        settings, n_train = self._settings(), len(self.work.frames["train"])
        return {
            "name": NAME,
            "seed": self.work.plan.seed,
            "device": self.device,
            "default_dtype": self.work.plan.precision,
            "train_file": "train.xyz",
            "valid_file": "validation.xyz",
            "energy_key": KEYS.energy,
            "forces_key": KEYS.forces,
            "stress_key": KEYS.stress,
            **self._model(),
            **self._loss(),
            "batch_size": settings.batch_size,
            "valid_batch_size": min(settings.batch_size, len(self.work.frames["validation"]), n_train),
            "max_num_epochs": settings.n_epochs,
            "patience": settings.patience,
            "eval_interval": 1,
            "error_table": "PerAtomRMSE",
            "optimizer": "adam",
            "amsgrad": True,
            "lr": settings.learning_rate,
            "weight_decay": 5e-7,
            "clip_grad": settings.clip_gradient,
            "scheduler": "ReduceLROnPlateau",
            "lr_factor": 0.8,
            "scheduler_patience": 50,
            "ema": settings.ema_decay > 0.0,
            "ema_decay": settings.ema_decay,
            "swa": False,
            "plot": False,
            "num_workers": 0,
            "save_cpu": True,
        }

    def _model(self) -> dict[str, Any]:
        parent = self.work.parent
        if parent is not None:
            # The energies that are trained have the zero of the parent already.
            path = str(parent.path.resolve())
            return {"foundation_model": path, "multiheads_finetuning": False, "E0s": "foundation", "model": "MACE"}
        settings = self._settings()
        irreps = "+".join(f"{settings.channels}x{order}{'eo'[order % 2]}" for order in range(settings.l_max + 1))
        return {
            "model": "MACE",
            "E0s": str({int(atomic_numbers[symbol]): 0.0 for symbol in self.work.elements}),
            "r_max": settings.cutoff_A,
            "num_interactions": settings.n_layers,
            "correlation": settings.correlation,
            "max_ell": settings.l_max_edges,
            "num_radial_basis": settings.n_radial,
            "num_cutoff_basis": 5,
            "hidden_irreps": irreps,
            "MLP_irreps": "16x0e",
            "scaling": "rms_forces_scaling",
        }

    def _loss(self) -> dict[str, Any]:
        settings = self._settings()
        weights = {"energy_weight": settings.energy_weight, "forces_weight": settings.force_weight}
        if not self.work.with_stress:
            return {"loss": "weighted", **weights}
        return {"loss": "stress", **weights, "stress_weight": settings.stress_weight, "compute_stress": True}

    def counts(self) -> dict[str, Counts]:
        """Read the frames with the program's own reader, and count the labels that have a weight."""
        data = import_module("mace.data", "mace-torch")
        keys = import_module("mace.data.utils", "mace-torch").KeySpecification.from_defaults()
        found = {}
        for split in SHOWN:
            found[split] = _counted(data.load_from_xyz(str(self.work.folder / f"{split}.xyz"), keys)[1])
        return found

    def command(self) -> list[str]:
        """Return ``mace_run_train``."""
        return [sys.executable, "-m", "mace.cli.run_train", "--config=config.yaml"]

    def curve(self) -> list[Row]:
        """Read the JSON lines of its results: one for each batch, and one for each epoch."""
        path = self.work.folder / "results" / f"{self._tag}_train.txt"
        if not path.is_file():
            return []
        batches: dict[int, list[float]] = {}
        done: list[Row] = []
        for line in path.read_text().splitlines():
            entry = _read(line)
            if entry is None or entry.get("epoch") is None:
                continue
            epoch = int(entry["epoch"])
            if entry["mode"] == "opt":
                batches.setdefault(epoch, []).append(float(entry["loss"]))
            else:
                done.append(_row(epoch, entry, batches.get(epoch, [])))
        return done

    @property
    def _tag(self) -> str:
        return f"{NAME}_run-{self.work.plan.seed}"

    def best(self) -> Path | None:
        """Return the checkpoint of the best epoch: it keeps only those that are better than all before."""
        paths = list((self.work.folder / "checkpoints").glob(f"{self._tag}_epoch-*.pt"))
        return max(paths, key=lambda path: int(path.stem.rpartition("-")[2]), default=None)

    def export(self, best: Path, constants: Mapping[str, float]) -> dict[str, Path]:  # noqa: ARG002
        """Add the constants to the energy of each element in the model that the program wrote.

        :raises RunnerError: ``failed`` where it did not write one.
        """
        written = self.work.folder / f"{NAME}.model"
        if not written.is_file():
            self._write_model()
        if not written.is_file():
            raise RunnerError("failed", f"mace_run_train ended without writing {written.name}")
        torch = import_module("torch", "mace-torch")
        import_module("mace.modules", "mace-torch")
        model = torch.load(written, map_location="cpu", weights_only=False)  # this very job wrote it
        block = model.atomic_energies_fn
        amounts = [constants.get(symbol, 0.0) for symbol in _symbols(model)]
        raised = block.atomic_energies.double() + torch.tensor(amounts, dtype=torch.float64)
        block.atomic_energies = raised.to(block.atomic_energies.dtype)
        path = Path(self.work.plan.kind.filename)
        torch.save(model, path)
        return {"potential": path}

    def _write_model(self) -> None:
        """Let the program write the best epoch of a training that was stopped; it trains no more."""
        command = [*self.command(), "--restart_latest", "--max_num_epochs=0"]
        subprocess.run(command, cwd=self.work.folder, env=self.environment(), capture_output=True, check=False)


def _symbols(model: Any) -> list[str]:
    from ase.data import chemical_symbols

    return [chemical_symbols[int(number)] for number in model.atomic_numbers]


def _counted(configurations: Sequence[Any]) -> Counts:
    """Return the labels of configurations; those without a weight count as none."""

    def number(name: str) -> int:
        values = [each.properties.get(name) for each in configurations if each.property_weights.get(name)]
        return sum(int(np.isfinite(np.asarray(value, dtype=float)).sum()) for value in values if value is not None)

    return Counts(len(configurations), number("energy"), number("forces"), number("stress") // 9)


def _read(line: str) -> dict[str, Any] | None:
    """Return a line of results; ``None`` for one that is not complete."""
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None


def _row(epoch: int, entry: Mapping[str, Any], losses: Sequence[float]) -> Row:
    return {
        "epoch": epoch + 1.0,
        "train_loss": float(np.mean(losses)) if losses else math.nan,
        "validation_loss": float(entry["loss"]),
        "validation_force_rmse_eV_A": float(entry["rmse_f"]),
        "validation_energy_rmse_eV_atom": float(entry["rmse_e_per_atom"]),
    }
