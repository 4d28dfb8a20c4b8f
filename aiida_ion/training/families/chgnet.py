"""Settings of CHGNet: the universal potential, fine-tuned by its own trainer in single precision."""

from __future__ import annotations

from dataclasses import dataclass

from aiida_ion.settings.schema import flag, number
from aiida_ion.training.families.base import Family, FamilySettings


@dataclass(frozen=True)
class ChgnetSettings(FamilySettings):
    """Settings of a fine-tuning; the loss is Huber's, of energies per atom in eV and forces in eV/angstrom.

    Magnetic moments are not trained.
    """

    huber_delta: float = number(0.1, above=0.0, most=1e3, help="Error from which the loss grows linearly")
    last_layers_only: bool = flag(False, help="Whether only the last layers are trained")


CHGNET = Family(
    name="chgnet",
    label="CHGNet",
    potential="chgnet",
    environment="chgnet",
    settings=ChgnetSettings,
    protocols={
        "finetune": {"n_epochs": 60, "learning_rate": 1e-3, "stress_weight": 0.1},
        "test": {"n_epochs": 2, "batch_size": 1, "learning_rate": 1e-3},
    },
    dtypes=("float32",),
    filename="potential.pth.tar",
)
