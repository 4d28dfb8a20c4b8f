"""SevenNet: ``sevenn train input.yaml``."""

from __future__ import annotations

import csv
import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aiida_ion.runners.checkpoints import import_module
from aiida_ion.runners.output import RunnerError
from aiida_ion.runners.trainers.base import SHOWN, Counts, Row, Trainer
from aiida_ion.training.extxyz import write_extxyz
from aiida_ion.training.families.sevenn import SevennSettings

#: Columns of its learning curve -> ours; ComponentRMSE is of components, its RMSE of forces of vectors.
COLUMNS = {"Energy_RMSE": "energy_rmse_eV_atom", "Force_ComponentRMSE": "force_rmse_eV_A", "TotalLoss": "loss"}
#: Parts of its checkpoint that potentials need. The rest is the state of the optimiser, and the time and a random
#: number of this very training, without which the same training gives the same file.
KEPT = ("config", "model_state_dict", "epoch")
#: What its folder of graphs calls each split.
GRAPHS = {"train": "trainset", "validation": "validset"}
SHIFT, SCALE = "rescale_atomic_energy.shift", "rescale_atomic_energy.scale"


class SevennTrainer(Trainer):
    """Trains SevenNet."""

    packages = ("sevenn", "e3nn")

    def prepare(self) -> None:
        """Write ``input.yaml`` and the frames."""
        yaml = import_module("yaml", "pyyaml")
        for split in SHOWN:
            text = write_extxyz(self.work.frames[split], stress=self.work.with_stress, origin=False)
            (self.work.folder / f"{split}.extxyz").write_text(text)
        (self.work.folder / "input.yaml").write_text(yaml.safe_dump(self.config(), sort_keys=False))

    def config(self) -> dict[str, Any]:
        """Return the input of the program."""
        return {"model": self._model(), "train": self._train(), "data": self._data()}

    def _settings(self) -> SevennSettings:
        assert isinstance(self.work.settings, SevennSettings)
        return self.work.settings

    def _model(self) -> dict[str, Any]:
        if self.work.parent is not None:
            checkpoints = import_module("sevenn.checkpoint", "sevenn")
            with self.work.parent.loading():
                checkpoint = checkpoints.SevenNetCheckpoint(str(self.work.parent.path))
                if checkpoint.config.get("use_modality"):
                    message = "a SevenNet of several modalities cannot be a parent: take 7net-0 or 7net-l3i5"
                    raise RunnerError("invalid_input", message)
                config = checkpoint.yaml_dict("continue")["model"]
            return {**_plain(config), "train_shift_scale": False, "train_denominator": False}
        settings = self._settings()
        return {
            "chemical_species": self.work.elements,
            "cutoff": settings.cutoff_A,
            "channel": settings.channels,
            "lmax": settings.l_max,
            "num_convolution_layer": settings.n_layers,
            "is_parity": settings.parity,
            "weight_nn_hidden_neurons": [64, 64],
            "radial_basis": {"radial_basis_name": "bessel", "bessel_basis_num": 8},
            "cutoff_function": {"cutoff_function_name": "XPLOR", "cutoff_on": 0.9 * settings.cutoff_A},
            "self_connection_type": "linear",
            "train_shift_scale": False,
            "train_denominator": False,
        }

    def _train(self) -> dict[str, Any]:
        settings, parent = self._settings(), self.work.parent
        start = {"reset_optimizer": True, "reset_scheduler": True, "reset_epoch": True}
        return {
            "random_seed": self.work.plan.seed,
            "device": self.device,
            "is_train_stress": self.work.with_stress,
            "epoch": settings.n_epochs,
            "loss": "Huber",
            "loss_param": {"delta": settings.huber_delta},
            "optimizer": "adam",
            "optim_param": {"lr": settings.learning_rate},
            "scheduler": "exponentiallr",
            "scheduler_param": {"gamma": settings.learning_rate_decay},
            # The program's own weight of energies is 1, and the step of Adam does not depend on the size of the loss.
            "force_loss_weight": settings.force_weight / settings.energy_weight,
            **self._stress(settings),
            "per_epoch": settings.n_epochs,
            "best_metric": "TotalLoss",
            "error_record": [["Energy", "RMSE"], ["Force", "ComponentRMSE"], ["TotalLoss", "None"]],
            **({"continue": {**start, "checkpoint": str(parent.path.resolve())}} if parent is not None else {}),
        }

    def _stress(self, settings: SevennSettings) -> dict[str, float]:
        return {"stress_loss_weight": settings.stress_weight / settings.energy_weight} if self.work.with_stress else {}

    def _data(self) -> dict[str, Any]:
        own = {} if self.work.parent is not None else {"shift": [0.0] * len(self.work.elements), "scale": "force_rms"}
        return {
            "batch_size": self._settings().batch_size,
            "data_format_args": {"index": ":"},
            "load_trainset_path": ["train.extxyz"],
            "load_validset_path": ["validation.extxyz"],
            **own,
        }

    def counts(self) -> dict[str, Counts]:
        """Build the program's own graphs, which it then trains on, and count their labels."""
        kind = import_module("sevenn.train.graph_dataset", "sevenn").SevenNetGraphDataset
        cutoff = float(self._model()["cutoff"])
        found = {}
        for split in SHOWN:
            file = str((self.work.folder / f"{split}.extxyz").resolve())
            graphs = kind(
                cutoff=cutoff,
                root=str(self.work.folder),
                files=[file],
                processed_name=GRAPHS[split],
                log=False,
                index=":",
            )
            found[split] = _counted(graphs)
        return found

    def command(self) -> list[str]:
        """Return ``sevenn train``."""
        return [sys.executable, "-m", "sevenn.main.sevenn", "train", "input.yaml"]

    def curve(self) -> list[Row]:
        """Read ``lc.csv``."""
        path = self.work.folder / "lc.csv"
        if not path.is_file():
            return []
        with path.open(newline="") as stream:
            rows = list(csv.reader(stream))
        return [_row(dict(zip(rows[0], row, strict=True))) for row in rows[1:] if len(row) == len(rows[0])]

    def best(self) -> Path | None:
        """Return ``checkpoint_best.pth``."""
        path = self.work.folder / "checkpoint_best.pth"
        return path if path.is_file() else None

    def export(self, best: Path, constants: Mapping[str, float]) -> dict[str, Path]:
        """Add the constants to the shift of each element."""
        torch = import_module("torch", "sevenn")
        from aiida_ion.runners.checkpoints import numpy_rebuilders

        with torch.serialization.safe_globals(numpy_rebuilders()):
            content = torch.load(best, map_location="cpu", weights_only=True)
        content = shifted(content, constants)
        path = Path(self.work.plan.kind.filename)
        torch.save(content, path)
        return {"potential": path}


def shifted(content: dict[str, Any], constants: Mapping[str, float]) -> dict[str, Any]:
    """Return a checkpoint whose energies are higher by a constant of each element.

    :param content: what SevenNet wrote.
    :param constants: eV of each element.
    """
    from ase.data import atomic_numbers

    config, state = dict(content["config"]), dict(content["model_state_dict"])
    types = {int(number): int(index) for number, index in config["_type_map"].items()}
    shift, scale = (state[name].double().expand(len(types)).clone() for name in (SHIFT, SCALE))
    for symbol, constant in constants.items():
        shift[types[atomic_numbers[symbol]]] += constant
    state |= {SHIFT: shift.float(), SCALE: scale.float()}
    config |= {"shift": shift.tolist(), "scale": scale.tolist()}
    config.pop("when", None)
    return {name: content[name] for name in KEPT} | {"config": config, "model_state_dict": state}


def _plain(value: Any) -> Any:
    """Return a value of a checkpoint as YAML has it."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value if isinstance(value, (str, bool, int, float, type(None))) else str(value)


def _counted(graphs: Any) -> Counts:
    """Return the labels of graphs; what is not a number counts as no label."""
    energies = sum(int(graph["total_energy"].isfinite().sum()) for graph in graphs)
    forces = sum(int(graph["force_of_atoms"].isfinite().sum()) for graph in graphs)
    stresses = sum(bool(graph["stress"].isfinite().all()) for graph in graphs)
    return Counts(len(graphs), energies, forces, stresses)


def _row(given: Mapping[str, str]) -> Row:
    row = {"epoch": float(given["epoch"]), "learning_rate": float(given["lr"])}
    for name, value in given.items():
        for split, prefix in (("train", "trainset_"), ("validation", "validset_")):
            column = next((ours for theirs, ours in COLUMNS.items() if name.startswith(prefix + theirs)), None)
            if column is not None:
                row[f"{split}_{column}"] = float(value) if value else math.nan
    return row
