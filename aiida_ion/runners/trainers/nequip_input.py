"""The input of ``nequip-train``, for NequIP and what shares its program."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aiida_ion.runners.trainers.base import Trainer
from aiida_ion.training.families.nequip import NequipSettings

#: Where it writes.
OUTPUT = Path("output")
#: Error of the frames for validation that picks the best epoch, and by which the learning rate falls.
MONITOR = "val0_epoch/weighted_sum"
#: The learning rate is multiplied by this after so many epochs without improvement.
PLATEAU_FACTOR, PLATEAU_EPOCHS = 0.6, 20


class NequipInput(Trainer):
    """Writes the settings of a training as the program reads them."""

    _types: list[str]
    _cutoff_A: float

    def _settings(self) -> NequipSettings:
        assert isinstance(self.work.settings, NequipSettings)
        return self.work.settings

    def config(self) -> dict[str, Any]:
        """Return the input of the program."""
        return {
            "run": ["train"],
            "data": self._data(),
            "trainer": self._lightning(),
            "training_module": self._module(),
            "global_options": {"allow_tf32": False},
        }

    def _data(self) -> dict[str, Any]:
        settings = self._settings()
        loader = {"_target_": "torch.utils.data.DataLoader", "num_workers": 0}
        return {
            "_target_": "nequip.data.datamodule.ASEDataModule",
            "seed": self.work.plan.seed,
            "train_file_path": "train.extxyz",
            "val_file_path": "validation.extxyz",
            "transforms": [
                {
                    "_target_": "nequip.data.transforms.ChemicalSpeciesToAtomTypeMapper",
                    "model_type_names": self._types,
                },
                {"_target_": "nequip.data.transforms.NeighborListTransform", "r_max": self._cutoff_A},
            ],
            "train_dataloader": {**loader, "batch_size": settings.batch_size, "shuffle": True},
            "val_dataloader": {**loader, "batch_size": settings.batch_size},
            "stats_manager": {
                "_target_": "nequip.data.CommonDataStatisticsManager",
                "dataloader_kwargs": {"batch_size": settings.batch_size},
                "type_names": self._types,
            },
        }

    def _lightning(self) -> dict[str, Any]:
        settings, on_gpu = self._settings(), self.device == "cuda"
        callbacks = "lightning.pytorch.callbacks"
        return {
            "_target_": "lightning.Trainer",
            "accelerator": "gpu" if on_gpu else "cpu",
            "devices": 1,
            "max_epochs": settings.n_epochs,
            "check_val_every_n_epoch": 1,
            "log_every_n_steps": 1,
            "num_sanity_val_steps": 0,
            "enable_progress_bar": False,
            "logger": {
                "_target_": "lightning.pytorch.loggers.CSVLogger",
                "save_dir": str(OUTPUT),
                "name": "",
                "version": "",
                "flush_logs_every_n_steps": 1,
            },
            "callbacks": [
                {
                    "_target_": f"{callbacks}.ModelCheckpoint",
                    "monitor": MONITOR,
                    "dirpath": str(OUTPUT),
                    "filename": "best",
                    "save_last": False,
                },
                {
                    "_target_": f"{callbacks}.EarlyStopping",
                    "monitor": MONITOR,
                    "min_delta": 0.0,
                    "patience": settings.patience,
                },
                {"_target_": f"{callbacks}.LearningRateMonitor", "logging_interval": "epoch"},
            ],
        }

    def _module(self) -> dict[str, Any]:
        settings = self._settings()
        kind = "EnergyForceStress" if self.work.with_stress else "EnergyForce"
        weights = {"total_energy": settings.energy_weight, "forces": settings.force_weight}
        errors: dict[str, float | None] = {
            "total_energy_rmse": None,
            "per_atom_energy_rmse": settings.energy_weight,
            "forces_rmse": settings.force_weight,
        }
        if self.work.with_stress:
            weights["stress"] = settings.stress_weight
            errors["stress_rmse"] = settings.stress_weight
        metrics = {"_target_": f"nequip.train.{kind}Metrics", "coeffs": errors}
        return {
            "_target_": "nequip.train.EMALightningModule",
            "ema_decay": settings.ema_decay,
            "loss": {"_target_": f"nequip.train.{kind}Loss", "per_atom_energy": True, "coeffs": weights},
            "val_metrics": metrics,
            "train_metrics": metrics,
            "optimizer": {"_target_": "torch.optim.Adam", "lr": settings.learning_rate},
            "lr_scheduler": {
                "scheduler": {
                    "_target_": "torch.optim.lr_scheduler.ReduceLROnPlateau",
                    "factor": PLATEAU_FACTOR,
                    "patience": PLATEAU_EPOCHS,
                    "min_lr": 1e-6,
                },
                "monitor": MONITOR,
                "interval": "epoch",
                "frequency": 1,
            },
            "model": self._model(),
        }

    def _model(self) -> dict[str, Any]:
        if self.work.parent is not None:
            path = str(self.work.parent.path.resolve())
            return {"_target_": "nequip.model.ModelFromPackage", "package_path": path, "compile_mode": "eager"}
        settings = self._settings()
        zbl = {
            "_target_": "nequip.nn.pair_potential.ZBL",
            "units": "metal",  # eV and angstrom
            "chemical_species": self._types,
        }
        return {
            **self.network(),
            "compile_mode": "eager",
            "seed": self.work.plan.seed,
            "model_dtype": self.work.plan.precision,
            "type_names": self._types,
            "r_max": settings.cutoff_A,
            "l_max": settings.l_max,
            "parity": True,
            "num_layers": settings.n_layers,
            "avg_num_neighbors": "${training_data_stats:num_neighbors_mean}",
            "per_type_energy_scales": "${training_data_stats:forces_rms}",
            "per_type_energy_shifts": dict.fromkeys(self._types, 0.0),
            "per_type_energy_scales_trainable": False,
            "per_type_energy_shifts_trainable": False,
            **({"pair_potential": zbl} if settings.zbl else {}),
        }

    def network(self) -> dict[str, Any]:
        """Return the part of the model that NequIP and Allegro do not share."""
        settings = self._settings()
        return {
            "_target_": "nequip.model.NequIPGNNModel",
            "num_features": settings.n_scalars,
            "num_bessels": settings.n_radial,
            "polynomial_cutoff_p": 6,
            "radial_mlp_depth": 1,
            "radial_mlp_width": 64,
        }
