"""What a training is told: the parameters of ``ion.train``, read the same way before and after submission."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from aiida_ion.settings.md import DEVICE
from aiida_ion.settings.rules import MAX_SEED, Json
from aiida_ion.settings.schema import Settings, setting, whole, word
from aiida_ion.settings.values import SettingsError
from aiida_ion.training.families import FAMILIES, PROTOCOLS, Family, FamilySettings


@dataclass(frozen=True)
class TrainingPlan(Settings):
    """Family, protocol, seed, and what differs from the protocol."""

    what: ClassVar[str] = "training parameter"

    family: str = word(tuple(FAMILIES), help="Family of potentials")
    protocol: str = word(PROTOCOLS, "finetune", help="Protocol")
    seed: int = whole(1, least=0, most=MAX_SEED, help="Seed of weights and of the order of frames")
    settings: dict[str, Any] = setting(Json(help="Settings that differ from the protocol"), {})
    dtype: str | None = word(("float32", "float64"), None, help="Precision  [default: the family's own]")
    device: str = setting(DEVICE, "cpu")
    n_train_evaluated: int = whole(
        50, least=1, most=100_000, help="Training frames that the finished potential is evaluated on"
    )

    def check_together(self) -> None:
        """Refuse a precision that the family does not have.

        :raises SettingsError: with those it has.
        """
        if self.dtype is not None and self.dtype not in self.kind.dtypes:
            raise SettingsError(f"{self.kind.label} is trained in {' or '.join(self.kind.dtypes)}, not {self.dtype}")

    @property
    def kind(self) -> Family:
        """The family."""
        return FAMILIES[self.family]

    @property
    def precision(self) -> str:
        """The precision, the family's own where none is chosen."""
        return self.dtype or self.kind.dtypes[0]

    def family_settings(self, has_parent: bool) -> FamilySettings:
        """Return the settings, with everything that the protocol says written out.

        :raises SettingsError: see :meth:`Family.settings_of`.
        """
        return self.kind.settings_of(self.protocol, self.settings, has_parent)


def validate_plan(
    parameters: Mapping[str, Any], parent: Mapping[str, Any] | None, dataset: Mapping[str, Any]
) -> str | None:
    """Return why a training cannot be submitted; ``None`` if it can.

    :param parameters: those of ``ion.train``.
    :param parent: the potential it starts from, as the input ``potential`` of ``ion.mlip_md``; ``None`` without one.
    :param dataset: attributes of the dataset.
    """
    try:
        plan = TrainingPlan.from_dict(parameters)
        settings = plan.family_settings(parent is not None)
    except SettingsError as error:
        return str(error)
    if parent is not None and parent.get("name") != plan.kind.potential:
        return f"{plan.kind.label} cannot start from {parent.get('name')}: give a parent of the same family"
    return validate_counts(dataset, settings.batch_size) or _validate_stress(dataset, settings, plan.settings)


def validate_counts(dataset: Mapping[str, Any], batch_size: int) -> str | None:
    """Return which split of a dataset cannot be used; ``None`` if all can."""
    n_train, n_validation = (int(dataset.get(f"n_{split}") or 0) for split in ("train", "validation"))
    if not n_train:
        return "the dataset has no frames for training"
    if not n_validation:
        return (
            "the dataset has no frames for validation: the best epoch would be picked on training frames; give the "
            "dataset a run or a block for validation"
        )
    if batch_size > n_train:
        return f"batch_size {batch_size} is larger than the {n_train} frames for training"
    return None


def _validate_stress(dataset: Mapping[str, Any], settings: FamilySettings, overrides: Mapping[str, Any]) -> str | None:
    if "stress_weight" in overrides and settings.stress_weight > 0 and not dataset.get("has_stress"):
        return "stress_weight is above 0, and the dataset has no stress: leave it out, or label the frames with stress"
    return None


def validate_elements(known: Sequence[str] | None, needed: Sequence[str], what: str) -> str | None:
    """Return which elements are not known; ``None`` if all are, or it cannot be said.

    :param known: symbols that the potential knows; ``None`` where it does not say.
    :param needed: symbols of the frames.
    :param what: how the message calls the potential.
    """
    missing = sorted(set(needed) - set(known)) if known is not None else []
    return f"{what} does not know {', '.join(missing)}: start from another one, or from scratch" if missing else None
