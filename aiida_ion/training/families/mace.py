"""Settings of MACE (``mace_run_train``): an equivariant graph network with products of many neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from aiida_ion.settings.schema import number, whole
from aiida_ion.training.families.base import Family, FamilySettings


@dataclass(frozen=True)
class MaceSettings(FamilySettings):
    """Settings of a MACE training; the loss is the weighted square error of energies per atom and of forces."""

    shape: ClassVar[tuple[str, ...]] = (
        *("cutoff_A", "channels", "l_max", "n_layers", "correlation", "l_max_edges", "n_radial"),
    )

    force_weight: float = number(100.0, least=0.0, most=1e6, help="Weight of forces in the loss")
    ema_decay: float = number(0.99, least=0.0, below=1.0, help="Decay of the averaged weights that are kept")
    clip_gradient: float = number(10.0, above=0.0, most=1e6, help="Largest norm of a gradient")
    patience: int = whole(2048, least=1, most=100_000, help="Epochs without improvement after which it stops")
    cutoff_A: float = number(5.0, least=2.0, most=12.0, unit="angstrom", help="Cut-off of neighbours")
    channels: int = whole(32, least=1, most=1024, help="Features of each kind")
    l_max: int = whole(1, least=0, most=3, help="Highest angular momentum of the features")
    n_layers: int = whole(2, least=1, most=5, help="Rounds of message passing")
    correlation: int = whole(3, least=1, most=4, help="Neighbours in one product")
    l_max_edges: int = whole(3, least=0, most=4, help="Highest angular momentum of the edges")
    n_radial: int = whole(8, least=1, most=32, help="Radial functions")


_TEST = {
    "n_epochs": 2,
    "batch_size": 1,
    "learning_rate": 1e-2,
    "channels": 4,
    "correlation": 1,
    "l_max": 0,
    "l_max_edges": 1,
    "cutoff_A": 4.0,
}

MACE = Family(
    name="mace",
    label="MACE",
    potential="mace",
    environment="mace",
    settings=MaceSettings,
    protocols={
        "finetune": {"n_epochs": 60, "learning_rate": 1e-3, "stress_weight": 1.0},
        "scratch": {"n_epochs": 300, "learning_rate": 1e-2},
        "student": {"n_epochs": 200, "learning_rate": 1e-2, "channels": 16, "correlation": 2, "l_max_edges": 2},
        "test": _TEST,
    },
    dtypes=("float64", "float32"),
    filename="potential.model",
)
