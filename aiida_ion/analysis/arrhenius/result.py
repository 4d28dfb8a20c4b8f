"""Result of an Arrhenius fit: flat numbers with units in their names, sentences, and posterior draws."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from aiida_ion.analysis.diffusion.result import Interval
from aiida_ion.units import BOLTZMANN_EV_K
from aiida_ion.verdicts import MAX_INTERVAL_DECADES

FloatArray = npt.NDArray[np.float64]
#: Half width of the central 95 % of a Gaussian, in standard deviations.
GAUSSIAN95 = 1.959964


@dataclass
class ArrheniusResult:
    """Arrhenius law of one material. Undetermined quantities are ``None``.

    ``verdict``: ``measured`` (there is a value at the target temperature), ``bound`` (an upper bound: from a stated
    prior of D0 where fewer than three temperatures are diffusive, from curved laws where these have no lower edge),
    ``not_measurable`` (neither), ``poorly_known`` (a value whose 95 % interval is wider than ``max_interval_decades``);
    ``reason`` says why there is no value, or none to quote.

    ``preferred_law`` is ``arrhenius`` unless a curved law is decisively more likely; the activation energy is then that
    of the straight line, a mean over the measured range, and the result at the target is averaged over laws.
    """

    verdict: str
    reason: str | None
    target_temperature_K: float
    temperatures_used_K: list[float]
    temperatures_bound_K: list[float]
    temperatures_refused: list[dict[str, Any]]
    priors: dict[str, Any]
    max_interval_decades: float = MAX_INTERVAL_DECADES
    warnings: list[str] = field(default_factory=list)
    activation_energy_eV: float | None = None
    activation_energy_std_eV: float | None = None
    activation_energy_ci95_eV: Interval | None = None
    log10_prefactor_cm2_s: float | None = None
    log10_prefactor_ci95_cm2_s: Interval | None = None
    log10_diffusivity_cm2_s: float | None = None
    log10_diffusivity_ci95_cm2_s: Interval | None = None
    log10_ionic_conductivity_mS_cm: float | None = None
    log10_ionic_conductivity_std_mS_cm: float | None = None
    log10_ionic_conductivity_ci95_mS_cm: Interval | None = None
    log10_ionic_conductivity_ci68_mS_cm: Interval | None = None
    diffusivity_upper_bound_cm2_s: float | None = None
    ionic_conductivity_upper_bound_mS_cm: float | None = None
    chi2: float | None = None
    degrees_of_freedom: int | None = None
    p_value: float | None = None
    arrhenius_consistent: bool | None = None
    error_scale: float | None = None

    preferred_law: str | None = None
    averaged_over_laws: bool | None = None
    log_evidences: dict[str, float] | None = None
    log_odds_of_curvature: float | None = None
    curvature_reason: str | None = None
    vogel_temperature_K: float | None = None
    vogel_temperature_ci95_K: Interval | None = None
    vogel_energy_eV: float | None = None
    vogel_energy_ci95_eV: Interval | None = None
    branch_temperature_K: float | None = None
    branch_temperature_ci95_K: Interval | None = None
    low_temperature_activation_energy_eV: float | None = None
    low_temperature_activation_energy_ci95_eV: Interval | None = None
    high_temperature_activation_energy_eV: float | None = None
    high_temperature_activation_energy_ci95_eV: Interval | None = None

    leave_one_out: list[dict[str, float]] | None = None
    leave_one_out_activation_energy_range_eV: Interval | None = None
    leave_one_out_log10_diffusivity_range_cm2_s: Interval | None = None
    most_influential_temperature_K: float | None = None
    largest_shift_decades: float | None = None
    largest_shift_std: float | None = None

    extrapolation_factor: float | None = None
    extrapolation_leverage: float | None = None
    inverse_temperature_span_per_K: float | None = None

    #: Of the mean of an ensemble: standard deviations of log10 D at the target, by `fill_measured`.
    members: dict[str, float | None] | None = field(default=None, repr=False)
    #: Of the same: draws with the errors of the members alone, and how each member deviates, by name of their arrays.
    member_arrays: dict[str, FloatArray] = field(default_factory=dict, repr=False)

    activation_energy_samples_eV: FloatArray | None = None
    log10_prefactor_samples_cm2_s: FloatArray | None = field(default=None, repr=False)
    log10_diffusivity_samples_cm2_s: FloatArray | None = field(default=None, repr=False)

    def diffusivity_samples_cm2_s(self, temperature_K: float) -> FloatArray:
        """Return draws of D on the straight line at a temperature, cm^2/s.

        :raises ValueError: if fewer than three temperatures are diffusive, so that there is no line.
        """
        if self.activation_energy_samples_eV is None or self.log10_prefactor_samples_cm2_s is None:
            raise ValueError(f"no diffusivity at {temperature_K:g} K: the verdict is {self.verdict}")
        exponent = self.activation_energy_samples_eV / (BOLTZMANN_EV_K * temperature_K * np.log(10.0))
        samples: FloatArray = 10.0 ** (self.log10_prefactor_samples_cm2_s - exponent)
        return samples

    def attributes(self) -> dict[str, Any]:
        """Every number, flag, sentence and list, ready for JSON."""
        values = {
            name: value for name, value in vars(self).items() if name not in (*ARRAYS, "members", "member_arrays")
        }
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}

    def arrays(self) -> dict[str, FloatArray]:
        """The available posterior draws: energy and log10 of the prefactor, paired, and log10 D at the target.

        Of the mean of an ensemble also those with the errors of the members alone, and the deviations of the members.
        """
        result = {name: getattr(self, name) for name in ARRAYS}
        return {name: values for name, values in result.items() if values is not None} | self.member_arrays


ARRAYS = ("activation_energy_samples_eV", "log10_prefactor_samples_cm2_s", "log10_diffusivity_samples_cm2_s")
