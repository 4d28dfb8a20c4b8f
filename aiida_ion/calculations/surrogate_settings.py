"""How a surrogate is trained and judged, checked before anything is submitted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from aiida_ion.surrogate.settings import SPLITS, amplitudes_read, kinds_read, protocol_settings

#: Fewer labelled materials than folds leave a fold empty.
MIN_FOLDS = 2


@dataclass(frozen=True)
class TrainSettings:
    """How a model is trained and judged.

    :param protocol: ``baseline``, ``restricted``, ``trajectory`` or ``best``.
    :param settings: changes to the protocol.
    :param split: what is never on both sides of a split: ``material``, ``chemical_system`` or ``prototype``.
    :param n_folds: parts of a cross-validation.
    :param n_repeats: cross-validations with other parts.
    :param controls: train the controls and baselines beside the model.
    :param ablations: train the model without each of its parts, too.
    :param seed: of the parts and of the weights.
    :param device: ``cpu``, ``cuda``, or what is there.
    """

    protocol: str = "baseline"
    settings: dict[str, Any] = field(default_factory=dict)
    split: str = "material"
    n_folds: int = 5
    n_repeats: int = 1
    controls: bool = True
    ablations: bool = False
    seed: int = 1
    device: str | None = "cpu"

    def __post_init__(self) -> None:
        if self.split not in SPLITS:
            raise ValueError(f"split must be one of {', '.join(SPLITS)}, got {self.split!r}")
        for name, least in (("n_folds", MIN_FOLDS), ("n_repeats", 1), ("seed", 0)):
            if type(getattr(self, name)) is not int or getattr(self, name) < least:
                raise ValueError(f"{name} must be a whole number from {least} on, got {getattr(self, name)!r}")
        if not isinstance(self.settings, Mapping):
            raise ValueError(f"settings must be a mapping, got {self.settings!r}")
        protocol_settings(self.protocol, self.settings)
        for name in ("controls", "ablations"):
            if not isinstance(getattr(self, name), bool):
                raise ValueError(f"{name} must be true or false, got {getattr(self, name)!r}")

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any]) -> TrainSettings:
        """Build from a plain mapping.

        :raises ValueError: for an unknown or impossible setting.
        """
        known = [item.name for item in fields(cls)]
        unknown = sorted(set(settings) - set(known))
        if unknown:
            raise ValueError(f"unknown setting {', '.join(unknown)}; known are {', '.join(known)}")
        return cls(**settings)

    def sampling(self, of_dataset: Mapping[str, Any]) -> dict[str, Any]:
        """Return how a material is sampled for a prediction: as those of the dataset, less what the model never reads.

        :param of_dataset: parameters of ``ion.surrogate_samples`` by which its materials were sampled.
        """
        chosen = protocol_settings(self.protocol, self.settings)
        needed = {key: value for key, value in of_dataset.items() if key != "n_trajectory_frames"}
        amplitudes = amplitudes_read(chosen)
        if amplitudes is not None:
            needed["amplitudes_A"] = {f"{amplitude:g}": count for amplitude, count in amplitudes.items()}
        return needed | {"kinds": kinds_read(chosen)}
