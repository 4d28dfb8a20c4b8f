"""What is trained and how it is evaluated, validated before anything is submitted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from aiida_ion.surrogate.settings import SPLITS, Settings, protocol_settings

DEFAULT_PROTOCOL = "baseline"
#: Fewest folds, since one must be held out.
MIN_FOLDS = 2


@dataclass(frozen=True)
class TrainingPlan:
    """A training and its evaluation.

    :param settings: of the model.
    :param split: what is held out together: ``material``, ``chemical_system`` or ``prototype``.
    :param n_folds: number of folds.
    :param n_repeats: number of repeats with other folds.
    :param controls: whether to run the control experiments too.
    :param ablations: whether to train the model without each of its parts too.
    :param seed: seed of everything.
    :raises ValueError: for a value that cannot be used.
    """

    settings: Settings
    split: str = "material"
    n_folds: int = 5
    n_repeats: int = 1
    controls: bool = True
    ablations: bool = False
    seed: int = 1

    def __post_init__(self) -> None:
        if self.split not in SPLITS:
            raise ValueError(f"split must be one of {', '.join(SPLITS)}, got {self.split!r}")
        for name, least in (("n_folds", MIN_FOLDS), ("n_repeats", 1), ("seed", 0)):
            if type(getattr(self, name)) is not int or getattr(self, name) < least:
                raise ValueError(f"{name} must be a whole number from {least} on, got {getattr(self, name)!r}")
        for name in ("controls", "ablations"):
            if not isinstance(getattr(self, name), bool):
                raise ValueError(f"{name} must be true or false, got {getattr(self, name)!r}")

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, Any]) -> TrainingPlan:
        """Build from the user's parameters: ``protocol``, ``settings`` that differ from it, and the fields of a plan.

        ``device`` is accepted and has no effect here.

        :raises ValueError: for an unknown or invalid parameter.
        """
        unknown = sorted(set(parameters) - set(PARAMETERS))
        if unknown:
            raise ValueError(f"unknown setting {', '.join(unknown)}; choose from {', '.join(PARAMETERS)}")
        changes = parameters.get("settings", {})
        if not isinstance(changes, Mapping):
            raise ValueError(f"settings must be a mapping, got {changes!r}")
        settings = protocol_settings(parameters.get("protocol", DEFAULT_PROTOCOL), changes)
        rest = {name: value for name, value in parameters.items() if name not in _NOT_OF_THE_PLAN}
        return cls(settings, **rest)


_NOT_OF_THE_PLAN = ("protocol", "settings", "device")
#: Parameters that a user can set.
PARAMETERS = ("protocol", *(item.name for item in fields(TrainingPlan)), "device")
