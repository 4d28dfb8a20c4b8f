"""The parameters of ``ion.conductivity``, validated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

SUPERCELL_RULES = ("perpendicular", "edge")
#: What is given only where runs go on until they are good enough.
TARGET_PARAMETERS = ("target_relative_error", "target_quantity", "max_time_ps", "max_rounds", "max_total_time_ps")


@dataclass(frozen=True)
class ConductivityParameters:
    """What is simulated and where the conductivity is wanted.

    :param temperatures_K: temperatures of the runs, K.
    :param seeds: one replica for each, at every temperature.
    :param mobile_species: the diffusing element.
    :param charges: formal charge of each element, e.
    :param formula: reduced formula, for tables.
    :param target_temperature_K: temperature at which the conductivity is wanted, K.
    :param min_width_A: smallest width of the supercell, angstrom.
    :param supercell_rule: ``perpendicular`` (distance between faces) or ``edge`` (length of the cell vectors).
    :param supercell: three multiples, instead of the rule.
    :param relax_ions: relax the ions in the fixed cell first.
    :param max_concurrent: runs submitted at a time.
    :param priors: priors of the Arrhenius fit that differ from its own.
    :param jumps: find the jump picture of each temperature too, which needs GEMDAT beside kinisi.
    :param jump_settings: settings of it that differ from its own.
    :param target_relative_error: runs go on until this is reached; each is run once when not given.
    :param target_quantity: of what: ``tracer_diffusivity`` at each temperature, or ``ionic_conductivity`` at the target
        temperature, where it is the standard deviation of its logarithm.
    :param max_time_ps: longest a run may get, ps.
    :param max_rounds: rounds at most.
    :param max_total_time_ps: length of all runs together at most, ps.
    """

    temperatures_K: list[float]
    mobile_species: str
    charges: dict[str, float]
    formula: str = ""
    seeds: list[int] = field(default_factory=lambda: [1])
    target_temperature_K: float = 300.0
    min_width_A: float = 10.0
    supercell_rule: str = "perpendicular"
    supercell: list[int] | None = None
    relax_ions: bool = True
    max_concurrent: int = 8
    priors: dict[str, float] = field(default_factory=dict)
    jumps: bool = False
    jump_settings: dict[str, Any] = field(default_factory=dict)
    target_relative_error: float | None = None
    target_quantity: str | None = None
    max_time_ps: float | None = None
    max_rounds: int | None = None
    max_total_time_ps: float | None = None

    def __post_init__(self) -> None:
        if not self.temperatures_K or any(not temperature > 0 for temperature in self.temperatures_K):
            raise ValueError(f"temperatures_K must be numbers above zero, got {self.temperatures_K!r}")
        if len(set(self.temperatures_K)) != len(self.temperatures_K):
            raise ValueError(f"temperatures_K names a temperature twice: {self.temperatures_K!r}")
        if not self.seeds or len(set(self.seeds)) != len(self.seeds):
            raise ValueError(
                f"seeds must be different whole numbers, got {self.seeds!r}: the same seed is the same run"
            )
        if not self.target_temperature_K > 0:
            raise ValueError(f"target_temperature_K must be above zero, got {self.target_temperature_K!r}")
        if self.mobile_species not in self.charges:
            raise ValueError(f"charges must give the charge of {self.mobile_species}, e; zero means no conductivity")
        if self.supercell_rule not in SUPERCELL_RULES:
            raise ValueError(f"supercell_rule must be one of {', '.join(SUPERCELL_RULES)}, got {self.supercell_rule!r}")
        if self.supercell is not None and (len(self.supercell) != 3 or any(int(n) < 1 for n in self.supercell)):
            raise ValueError(f"supercell must be three whole numbers above zero, got {self.supercell!r}")
        if not self.min_width_A > 0:
            raise ValueError(f"min_width_A must be above zero, got {self.min_width_A!r}")
        if not isinstance(self.jumps, bool):
            raise ValueError(f"jumps must be true or false, got {self.jumps!r}")
        if self.max_concurrent < 1:
            raise ValueError(f"max_concurrent must be at least one, got {self.max_concurrent!r}")
        idle = [name for name in TARGET_PARAMETERS if getattr(self, name) is not None]
        if idle and self.target_relative_error is None:
            raise ValueError(f"{', '.join(idle)} extend runs until target_relative_error is met; give that too")

    @classmethod
    def from_dict(cls, parameters: Mapping[str, Any]) -> ConductivityParameters:
        """Build from a plain mapping.

        :raises ValueError: for a missing, unknown or impossible parameter.
        """
        known = {item.name for item in fields(cls)}
        unknown = sorted(set(parameters) - known)
        if unknown:
            raise ValueError(f"unknown parameter {', '.join(unknown)}; known are {', '.join(sorted(known))}")
        missing = [name for name in ("temperatures_K", "mobile_species", "charges") if name not in parameters]
        if missing:
            raise ValueError(f"parameters lack {', '.join(missing)}")
        return cls(**parameters)
