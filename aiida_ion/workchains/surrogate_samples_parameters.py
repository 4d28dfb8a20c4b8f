"""The parameters of ``ion.surrogate_samples``, validated."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from aiida_ion.calculations.surrogate import KINDS
from aiida_ion.calculations.surrogate_smearing import amplitudes_fault


@dataclass(frozen=True)
class SampleParameters:
    """Which configurations of a material are evaluated.

    :param temperature_K: temperature of the short run, K.
    :param kinds: any of ``smeared``, ``trajectory`` and ``short_md``.
    :param amplitudes_A: standard deviation of each Cartesian component, angstrom, as text -> smeared copies.
    :param n_trajectory_frames: frames of the given run.
    :param equilibration_fs: time of the given run that is left out, fs.
    :param short_md_fs: length of the short run, fs.
    :param n_short_md_frames: frames of it.
    :param timestep_fs: its time step, fs; that of the MD settings when not given.
    :param seed: of the smearing and, as another number, of the short run.
    """

    temperature_K: float
    kinds: list[str] = field(default_factory=lambda: list(KINDS))
    amplitudes_A: dict[str, int] = field(default_factory=lambda: {"0.05": 5, "0.1": 20, "0.2": 5})
    n_trajectory_frames: int = 20
    equilibration_fs: float = 0.0
    short_md_fs: float = 1000.0
    n_short_md_frames: int = 50
    timestep_fs: float | None = None
    seed: int = 1

    def __post_init__(self) -> None:
        if not self.kinds or len(set(self.kinds)) != len(self.kinds) or set(self.kinds) - set(KINDS):
            raise ValueError(f"kinds must be any of {', '.join(KINDS)}, each once, got {self.kinds!r}")
        problem = amplitudes_fault(self.amplitudes_A)
        if problem is not None:
            raise ValueError(problem)
        for name in ("n_trajectory_frames", "n_short_md_frames"):
            if type(getattr(self, name)) is not int or getattr(self, name) < 1:
                raise ValueError(f"{name} must be a whole number above zero, got {getattr(self, name)!r}")
        for name in ("temperature_K", "short_md_fs", "timestep_fs"):
            if (value := getattr(self, name)) is not None and not 0 < value < math.inf:
                raise ValueError(f"{name} must be a number above zero, got {value!r}")
        if not 0 <= self.equilibration_fs < math.inf:
            raise ValueError(f"equilibration_fs must not be negative, got {self.equilibration_fs!r}")
        if type(self.seed) is not int or self.seed < 0:
            raise ValueError(f"seed must be a whole number that is not negative, got {self.seed!r}")

    @classmethod
    def from_dict(cls, parameters: Mapping[str, Any]) -> SampleParameters:
        """Build from a plain mapping.

        :raises ValueError: for a missing, unknown or impossible parameter.
        """
        known = {item.name for item in fields(cls)}
        unknown = sorted(set(parameters) - known)
        if unknown:
            raise ValueError(f"unknown parameter {', '.join(unknown)}; known are {', '.join(sorted(known))}")
        if "temperature_K" not in parameters:
            raise ValueError("parameters lack temperature_K")
        return cls(**parameters)
