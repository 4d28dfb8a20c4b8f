"""Settings of NequIP and Allegro (``nequip-train``): equivariant networks, Allegro's without message passing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from aiida_ion.settings.schema import flag, number, whole
from aiida_ion.training.families.base import Family, FamilySettings


@dataclass(frozen=True)
class NequipSettings(FamilySettings):
    """What NequIP and Allegro share; the loss is the weighted square error of energies per atom and of forces."""

    shape: ClassVar[tuple[str, ...]] = ("cutoff_A", "l_max", "n_layers", "n_scalars", "n_radial", "zbl")

    ema_decay: float = number(0.99, least=0.0, below=1.0, help="Decay of the averaged weights that are kept")
    patience: int = whole(1000, least=1, most=100_000, help="Epochs without improvement after which it stops")
    cutoff_A: float = number(5.0, least=2.0, most=12.0, unit="angstrom", help="Cut-off of neighbours")
    l_max: int = whole(1, least=0, most=4, help="Highest angular momentum of the features")
    n_layers: int = whole(2, least=1, most=6, help="Layers of the network")
    n_scalars: int = whole(32, least=1, most=1024, help="Scalar features")
    n_radial: int = whole(8, least=1, most=32, help="Radial functions")
    zbl: bool = flag(True, help="Whether the screened repulsion of nuclei keeps atoms apart where no frame is")


@dataclass(frozen=True)
class AllegroSettings(NequipSettings):
    """Settings of an Allegro training."""

    shape: ClassVar[tuple[str, ...]] = (*NequipSettings.shape, "n_tensors")

    n_tensors: int = whole(32, least=1, most=1024, help="Tensor features")


_TRAINED = {
    "finetune": {"n_epochs": 60, "learning_rate": 1e-3, "stress_weight": 0.01},
    "scratch": {"n_epochs": 300, "learning_rate": 5e-3, "l_max": 2},
}
_TEST = {"n_epochs": 2, "batch_size": 1, "learning_rate": 1e-2, "n_layers": 1, "n_scalars": 8, "cutoff_A": 4.0}

ALLEGRO = Family(
    name="allegro",
    label="Allegro",
    potential="nequip",
    environment="nequip",
    settings=AllegroSettings,
    protocols={
        **_TRAINED,
        "student": {"n_epochs": 200, "learning_rate": 5e-3, "n_layers": 1, "n_tensors": 8},
        "test": {**_TEST, "n_tensors": 2},
    },
    dtypes=("float32", "float64"),
    filename="potential.nequip.pt2",
    is_compiled=True,
)
NEQUIP = Family(
    name="nequip",
    label="NequIP",
    potential="nequip",
    environment="nequip",
    settings=NequipSettings,
    protocols={
        **_TRAINED,
        "student": {"n_epochs": 200, "learning_rate": 5e-3, "n_layers": 2, "n_scalars": 16},
        "test": _TEST,
    },
    dtypes=("float32", "float64"),
    filename="potential.nequip.pt2",
    is_compiled=True,
)
