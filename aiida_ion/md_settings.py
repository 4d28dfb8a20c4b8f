"""The engine-neutral vocabulary of a molecular-dynamics run, validated before anything is submitted."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

ENSEMBLES = ("nve", "nvt", "npt")
THERMOSTATS = ("csvr", "nose_hoover", "langevin")
KEEPABLE = ("velocities", "forces")
POSITIVE = (
    "temperature_K",
    "timestep_fs",
    "thermostat_time_fs",
    "barostat_time_fs",
    "max_force_eV_A",
    "max_temperature_ratio",
    "min_distance_ratio",
    "restart_every_seconds",
)
COUNTS = ("n_steps", "sample_every")

#: The elements that are no metals. Cations are smaller than their atoms: where distances are judged METAL_PART of the
#: covalent radius of all others counts.
NON_METALS = frozenset(
    "H He B C N O F Ne Si P S Cl Ar Ge As Se Br Kr Sb Te I Xe Po At Rn".split()  # noqa: SIM905
)
METAL_PART = 0.7

#: A thermostat time of 100 fs is the habit of the field for solids at a 1-2 fs time step.
DEFAULT_THERMOSTAT_TIME_FS = 100.0
DEFAULT_BAROSTAT_TIME_FS = 1000.0


class MdSettingsError(ValueError):
    """A setting that no engine could run; the message says what to change."""


@dataclass(frozen=True)
class MdSettings:
    """One molecular-dynamics run, in words every engine shares.

    :param temperature_K: target temperature, K; also the temperature of the starting velocities.
    :param timestep_fs: integration step, fs.
    :param n_steps: the total number of steps of the run, over all its segments.
    :param ensemble: ``nve``, ``nvt`` or ``npt``.
    :param thermostat: ``csvr`` (stochastic velocity rescaling), ``nose_hoover`` (chains) or ``langevin``.
    :param thermostat_time_fs: thermostat time constant, fs (the inverse friction for ``langevin``).
    :param pressure_GPa: target pressure for ``npt``, GPa.
    :param barostat_time_fs: barostat time constant for ``npt``, fs.
    :param sample_every: steps between stored frames; frame k is step ``k * sample_every``.
    :param equilibration_fs: time at the start that analysis leaves out, fs; its frames are kept.
    :param seed: seed of the starting velocities and of the thermostat; every replica has its own.
    :param keep: what to store beside positions: any of ``velocities``, ``forces``.
    :param max_force_eV_A: a larger force on any atom means that the run exploded, eV/angstrom.
    :param max_temperature_ratio: so many times the target temperature means that the run exploded.
    :param min_distance_ratio: two atoms closer than this times the sum of their radii mean that the run exploded; this
        is looked at in every frame that is stored. Radii are covalent, of metals :data:`METAL_PART` of them.
    :param restart_every_seconds: wall time between two writings of the restart file, s.
    """

    temperature_K: float
    timestep_fs: float
    n_steps: int
    ensemble: str = "nvt"
    thermostat: str = "csvr"
    thermostat_time_fs: float = DEFAULT_THERMOSTAT_TIME_FS
    pressure_GPa: float = 0.0
    barostat_time_fs: float = DEFAULT_BAROSTAT_TIME_FS
    sample_every: int = 10
    equilibration_fs: float = 0.0
    seed: int = 1
    keep: tuple[str, ...] = ()
    max_force_eV_A: float = 100.0
    max_temperature_ratio: float = 5.0
    min_distance_ratio: float = 0.4
    restart_every_seconds: float = 60.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "keep", tuple(self.keep))
        for name in POSITIVE:
            value = getattr(self, name)
            _require(_is_positive(value), f"{name} must be a positive number, got {value!r}")
        for name in COUNTS:
            value = getattr(self, name)
            _require(_is_count(value), f"{name} must be a whole number above zero, got {value!r}")
        _require(isinstance(self.seed, int) and self.seed >= 0, f"seed must be a whole number >= 0, got {self.seed!r}")
        _require(
            isinstance(self.pressure_GPa, (int, float)) and math.isfinite(self.pressure_GPa),
            f"pressure_GPa must be a finite number, got {self.pressure_GPa!r}",
        )
        _require(self.ensemble in ENSEMBLES, f"ensemble must be one of {', '.join(ENSEMBLES)}, got {self.ensemble!r}")
        _require(
            self.thermostat in THERMOSTATS,
            f"thermostat must be one of {', '.join(THERMOSTATS)}, got {self.thermostat!r}",
        )
        unknown = set(self.keep) - set(KEEPABLE)
        _require(not unknown, f"keep knows {', '.join(KEEPABLE)}, got {', '.join(sorted(unknown))}")
        _require(
            isinstance(self.equilibration_fs, (int, float)) and 0.0 <= self.equilibration_fs < self.total_time_fs,
            f"equilibration_fs = {self.equilibration_fs!r} leaves nothing of a run of {self.total_time_fs:g} fs",
        )

    @property
    def total_time_fs(self) -> float:
        """Length of the whole run, fs."""
        return self.n_steps * self.timestep_fs

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any]) -> MdSettings:
        """Build from a plain mapping.

        :raises MdSettingsError: for a missing, unknown or impossible setting.
        """
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(settings) - known)
        _require(not unknown, f"unknown MD setting {', '.join(unknown)}; known are {', '.join(sorted(known))}")
        missing = [name for name in ("temperature_K", "timestep_fs", "n_steps") if name not in settings]
        _require(not missing, f"MD settings lack {', '.join(missing)}")
        return cls(**settings)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-serialisable mapping that :meth:`from_dict` reads back."""
        return asdict(self) | {"keep": list(self.keep)}


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise MdSettingsError(message)


def _is_positive(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value) and value > 0


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
