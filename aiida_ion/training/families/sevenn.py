"""Settings of SevenNet (``sevenn train``): an equivariant graph network in single precision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from aiida_ion.settings.schema import flag, number, whole
from aiida_ion.settings.values import SettingsError
from aiida_ion.training.families.base import Family, FamilySettings


@dataclass(frozen=True)
class SevennSettings(FamilySettings):
    """Settings of a SevenNet training; the loss is Huber's, energies per atom in eV, forces in eV/angstrom."""

    shape: ClassVar[tuple[str, ...]] = ("cutoff_A", "channels", "l_max", "n_layers", "parity")

    learning_rate_decay: float = number(0.99, above=0.0, most=1.0, help="Factor of the learning rate after each epoch")
    huber_delta: float = number(0.01, above=0.0, most=1e3, help="Error from which the loss grows linearly")
    cutoff_A: float = number(5.0, least=2.0, most=12.0, unit="angstrom", help="Cut-off of neighbours")
    channels: int = whole(32, least=1, most=1024, help="Features of each kind")
    l_max: int = whole(2, least=0, most=4, help="Highest angular momentum of the features")
    n_layers: int = whole(3, least=1, most=10, help="Rounds of message passing")
    parity: bool = flag(False, help="Whether features have parity")

    def check_together(self) -> None:
        """Refuse a loss without energies, which SevenNet does not have.

        :raises SettingsError: saying so.
        """
        super().check_together()
        if self.energy_weight == 0.0:
            raise SettingsError("energy_weight must be above 0: SevenNet always trains on energies")


SEVENN = Family(
    name="sevenn",
    label="SevenNet",
    potential="sevenn",
    environment="sevenn",
    settings=SevennSettings,
    protocols={
        "finetune": {"n_epochs": 60, "learning_rate": 2e-3, "stress_weight": 0.01},
        "scratch": {"n_epochs": 300, "learning_rate": 5e-3},
        "student": {"n_epochs": 200, "learning_rate": 5e-3, "channels": 16, "l_max": 1, "n_layers": 2},
        "test": {"n_epochs": 2, "batch_size": 1, "channels": 4, "l_max": 1, "n_layers": 2, "cutoff_A": 4.0},
    },
    dtypes=("float32",),
    filename="potential.pth",
)
