"""What the Arrhenius fit takes for granted, stored with its result."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Priors:
    """Priors of the fit.

    :param min_activation_energy_eV: the activation energy is uniform from here; also each energy of a curved law
    :param max_activation_energy_eV: to here, eV.
    :param min_log10_prefactor_cm2_s: log10 of the prefactor is uniform from here
    :param max_log10_prefactor_cm2_s: to here, cm^2/s.
    :param bound_log10_prefactor_mean: used only for a bound: log10 D0 is normal about this, cm^2/s,
    :param bound_log10_prefactor_std: with this standard deviation. The default is that of ions that try hops of 3
        angstrom 10^12 to 10^13 times a second, a^2 nu / 6, give or take their entropy.
    :param uninformative_bound_cm2_s: a bound above this says nothing of a solid: the diffusivity of liquid water at
        300 K is 2e-5 cm^2/s.
    """

    min_activation_energy_eV: float = 0.0
    max_activation_energy_eV: float = 3.0
    min_log10_prefactor_cm2_s: float = -8.0
    max_log10_prefactor_cm2_s: float = 4.0
    bound_log10_prefactor_mean: float = -3.2
    bound_log10_prefactor_std: float = 0.7
    uninformative_bound_cm2_s: float = 2e-5

    def __post_init__(self) -> None:
        if not self.min_activation_energy_eV < self.max_activation_energy_eV:
            raise ValueError("the prior of the activation energy is empty")
        if not self.min_log10_prefactor_cm2_s < self.max_log10_prefactor_cm2_s:
            raise ValueError("the prior of the prefactor is empty")
        for name in ("bound_log10_prefactor_std", "uninformative_bound_cm2_s"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be positive")

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-serialisable mapping."""
        return asdict(self)
