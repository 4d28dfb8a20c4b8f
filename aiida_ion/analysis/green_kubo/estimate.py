"""The collective conductivity from the charge current at every step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from aiida_ion.analysis.diffusion.result import DiffusionResult
from aiida_ion.analysis.diffusion.settings import DiffusionSettings
from aiida_ion.analysis.green_kubo.cepstral import (
    MIN_COEFFICIENTS,
    Periodogram,
    ZeroFrequency,
    expected_error,
    log_power_at_zero,
    periodogram,
)
from aiida_ion.analysis.green_kubo.charge_frame import ChargeFrame
from aiida_ion.analysis.green_kubo.running_integral import RunningIntegral, running_integral
from aiida_ion.analysis.trajectories.thermo import Thermo
from aiida_ion.analysis.trajectories.trajectory import SAME_INTERVAL, check_spacing
from aiida_ion.units import BOLTZMANN_EV_K, FS_PER_PS, MS_CM_PER_S_M, S_M_PER_E_V_A_FS

FloatArray = npt.NDArray[np.float64]
Interval = tuple[float, float]

#: The cutoff frequency is this divided by the time from which the motion is diffusive.
CUTOFF_TIMES = 1.0
#: Fewest frequencies needed below the cutoff.
MIN_FREQUENCIES = 12
#: Vibrations of bonds without hydrogen have periods of 20 fs and more.
MAX_INTERVAL_FS = 10.0
#: Largest ratio of power in the highest tenth of the frequencies to that below the cutoff: it is aliased to zero
#: frequency.
MAX_FOLDED = 0.05
#: Allowed difference of the value at half the cutoff, in standard errors.
STABLE_ERRORS = 2.0
#: Number of points kept for plots.
N_KEPT = 300
NORMAL_975 = 1.96


class NotDeterminedError(Exception):
    """There is no Green-Kubo conductivity; the message is a sentence with the reason."""


class Conditions(NamedTuple):
    """Measured mean temperature, mean volume, and the time from which the tracer motion is diffusive."""

    temperature_K: float
    volume_A3: float
    diffusive_from_ps: float

    @property
    def mS_cm_per_integral(self) -> float:  # noqa: N802
        """Conductivity for an integral of one component's autocorrelation of 1 (e angstrom/fs)^2 fs."""
        per_volt = 1.0 / (self.volume_A3 * BOLTZMANN_EV_K * self.temperature_K)
        return per_volt * S_M_PER_E_V_A_FS * MS_CM_PER_S_M


@dataclass
class GreenKubo:
    """The stored quantities, named as in :class:`DiffusionResult`."""

    green_kubo_ionic_conductivity_mS_cm: float
    green_kubo_ionic_conductivity_std_mS_cm: float
    green_kubo_ionic_conductivity_ci95_mS_cm: Interval
    green_kubo_ionic_conductivity_xyz_mS_cm: list[float]
    green_kubo_ionic_conductivity_xyz_ci95_mS_cm: list[Interval]
    green_kubo_cutoff_THz: float
    green_kubo_n_frequencies: int
    green_kubo_n_coefficients: float
    green_kubo_half_cutoff_ratio: float | None
    green_kubo_frequencies_THz: FloatArray
    green_kubo_spectrum_mS_cm: FloatArray
    green_kubo_running_mS_cm: float | None = None
    green_kubo_running_ci95_mS_cm: Interval | None = None
    green_kubo_plateau_ps: float | None = None
    green_kubo_n_blocks: int | None = None
    green_kubo_lag_times_ps: FloatArray | None = None
    green_kubo_integral_mS_cm: FloatArray | None = None
    green_kubo_integral_std_mS_cm: FloatArray | None = None


def fill_green_kubo(
    result: DiffusionResult, thermo: Sequence[Thermo], frame: ChargeFrame, settings: DiffusionSettings
) -> None:
    """Fill in the Green-Kubo conductivity, or the reason why there is none.

    :param thermo: records of the replicas, from their first step on.
    :param frame: the charges and their frame of reference.
    """
    if not settings.green_kubo:
        result.green_kubo_reason = "The settings leave the Green-Kubo conductivity out."
        return
    try:
        currents, interval_fs = _currents(result, thermo, frame, settings.equilibration_fs)
        assert result.diffusive_from_ps is not None
        conditions = Conditions(result.temperature_K, result.volume_A3, result.diffusive_from_ps)
        estimate = green_kubo(currents, interval_fs, conditions, settings.green_kubo_max_relative_error)
    except NotDeterminedError as refusal:
        result.green_kubo_reason = str(refusal)
        return
    for entry in fields(estimate):
        setattr(result, entry.name, getattr(estimate, entry.name))


def _currents(
    result: DiffusionResult, thermo: Sequence[Thermo], frame: ChargeFrame, equilibration_fs: float
) -> tuple[list[FloatArray], float]:
    """Return the currents after equilibration and the time between two of their rows, fs."""
    kept = [replica.after(equilibration_fs) for replica in thermo if replica.charge_current_e_A_fs is not None]
    currents = [replica.charge_current_e_A_fs for replica in kept if replica.charge_current_e_A_fs is not None]
    if not currents or not any(np.any(current) for current in currents):
        raise NotDeterminedError("The runs did not record their charge current.")
    if frame.charges_e is None:
        raise NotDeterminedError(
            f"The charge current of all atoms depends on the frame of reference unless all charges are known and add "
            f"up to zero. {frame.reason}"
        )
    if result.diffusive_from_ps is None:
        raise NotDeterminedError(
            "Without a diffusive regime the charge current has no zero-frequency limit to look for."
        )
    try:
        intervals = [check_spacing(replica.times_ps) * FS_PER_PS for replica in kept]
    except ValueError as error:
        raise NotDeterminedError(f"The rows of the charge current are not evenly spaced: {error}.") from error
    if max(intervals) - min(intervals) > SAME_INTERVAL * min(intervals):
        raise NotDeterminedError("The replicas recorded their charge current at different intervals.")
    return currents, intervals[0]


def green_kubo(
    currents: list[FloatArray], interval_fs: float, conditions: Conditions, max_relative_error: float = 0.4
) -> GreenKubo:
    """Green-Kubo conductivity, sigma = 1/(3 V k_B T) int_0^inf <J(0) . J(t)> dt = S(0) / (2 V k_B T).

    S is the two-sided spectrum of one component. The value is the cepstral estimate; the block-averaged running
    integral is kept for comparison.

    :param currents: sum of q_i v_i over all atoms, e angstrom/fs, (n, 3) for each replica.
    :param max_relative_error: a run too short for this standard error of ln sigma gives no value.
    :raises NotDeterminedError: if the run does not determine it; the message says why.
    """
    spectrum = periodogram(currents, interval_fs)
    cutoff_THz = CUTOFF_TIMES / conditions.diffusive_from_ps
    _check_sampling(spectrum, interval_fs, cutoff_THz)
    n_points = int(np.searchsorted(spectrum.frequencies_THz, cutoff_THz))
    if n_points < MIN_FREQUENCIES:
        raise NotDeterminedError(
            f"The motion is diffusive from {conditions.diffusive_from_ps:.3g} ps on, and the run resolves {n_points} "
            f"frequencies below {cutoff_THz:.3g} THz; {MIN_FREQUENCIES} are needed: run "
            f"{MIN_FREQUENCIES / max(n_points, 1):.1f} times longer."
        )
    expected = expected_error(n_points + 1, 3 * len(currents))
    if expected > max_relative_error:
        raise NotDeterminedError(
            f"A run of this length gives the Green-Kubo conductivity to {expected:.0%}, the limit is "
            f"{max_relative_error:.0%}: run longer or with more seeds."
        )
    axes, estimate = _estimate(spectrum, n_points)
    relative = float(np.sqrt(estimate.variance))
    unit = conditions.mS_cm_per_integral
    value, interval = _conductivity(estimate, unit)
    integral = _running(currents, interval_fs, conditions)
    frequencies, smooth = _smooth(spectrum)
    result = GreenKubo(
        green_kubo_ionic_conductivity_mS_cm=value,
        green_kubo_ionic_conductivity_std_mS_cm=value * relative,
        green_kubo_ionic_conductivity_ci95_mS_cm=interval,
        green_kubo_ionic_conductivity_xyz_mS_cm=[_conductivity(axis, unit)[0] for axis in axes],
        green_kubo_ionic_conductivity_xyz_ci95_mS_cm=[_conductivity(axis, unit)[1] for axis in axes],
        green_kubo_cutoff_THz=cutoff_THz,
        green_kubo_n_frequencies=n_points,
        green_kubo_n_coefficients=estimate.n_coefficients,
        green_kubo_half_cutoff_ratio=_half_cutoff_ratio(spectrum, n_points, estimate),
        green_kubo_frequencies_THz=frequencies,
        green_kubo_spectrum_mS_cm=0.5 * smooth * unit,
    )
    if integral is not None:
        _add_integral(result, integral, unit)
    return result


def _check_sampling(spectrum: Periodogram, interval_fs: float, cutoff_THz: float) -> None:
    """Refuse a current whose vibrations are aliased to low frequencies."""
    if interval_fs > MAX_INTERVAL_FS * (1 + 1e-6):
        raise NotDeterminedError(
            f"The charge current was recorded every {interval_fs:g} fs; vibrations need every {MAX_INTERVAL_FS:g} fs."
        )
    power, frequencies = spectrum.power.mean(axis=1), spectrum.frequencies_THz
    if not np.all(spectrum.power > 0):
        raise NotDeterminedError("The charge current has no component in some direction.")
    highest = power[frequencies > 0.9 * frequencies[-1]].mean()
    if highest > MAX_FOLDED * power[frequencies <= max(cutoff_THz, frequencies[1])].mean():
        raise NotDeterminedError(
            f"The charge current still fluctuates at {frequencies[-1]:.0f} THz, the highest frequency that rows "
            f"{interval_fs:g} fs apart show: record it more often."
        )


def _estimate(spectrum: Periodogram, n_points: int) -> tuple[list[ZeroFrequency], ZeroFrequency]:
    """Estimate ln S(0) for each Cartesian direction and for their mean.

    Unequal directions count as fewer than three: l = (sum S)^2 / sum S^2 (Satterthwaite), corrected for the noise of
    the three, exp(variance).
    """
    power = spectrum.power[: n_points + 1]
    axes = [log_power_at_zero(power[:, axis], spectrum.n_records) for axis in range(3)]
    values = np.exp([axis.log_power for axis in axes])
    noise = np.exp(np.mean([axis.variance for axis in axes]))
    alike = min(3.0, float(values.sum() ** 2 / (values**2).sum() * noise))
    return axes, log_power_at_zero(power.mean(axis=1), alike * spectrum.n_records)


def _half_cutoff_ratio(spectrum: Periodogram, n_points: int, whole: ZeroFrequency) -> float | None:
    """The conductivity at half the cutoff over that at the cutoff; ``None`` if there are too few frequencies.

    :raises NotDeterminedError: when they differ by more than :data:`STABLE_ERRORS`.
    """
    half_points = n_points // 2
    if half_points < max(MIN_FREQUENCIES, 2 * MIN_COEFFICIENTS):
        return None
    _, half = _estimate(spectrum, half_points)
    difference = half.log_power - whole.log_power
    if abs(difference) > STABLE_ERRORS * np.sqrt(half.variance):
        raise NotDeterminedError(
            f"The conductivity changes by a factor of {np.exp(difference):.2g} when the cutoff of the spectrum is "
            "halved: a slower motion is not resolved; run longer."
        )
    return float(np.exp(difference))


def _conductivity(estimate: ZeroFrequency, unit: float) -> tuple[float, Interval]:
    value = 0.5 * float(np.exp(estimate.log_power)) * unit
    factor = float(np.exp(NORMAL_975 * np.sqrt(estimate.variance)))
    return value, (value / factor, value * factor)


def _running(currents: list[FloatArray], interval_fs: float, conditions: Conditions) -> RunningIntegral | None:
    try:
        return running_integral(currents, interval_fs, conditions.diffusive_from_ps * FS_PER_PS)
    except ValueError:
        return None


def _add_integral(estimate: GreenKubo, integral: RunningIntegral, unit: float) -> None:
    kept = np.unique(np.linspace(0, len(integral.mean) - 1, N_KEPT).astype(int))
    estimate.green_kubo_lag_times_ps = integral.lag_times_fs[kept] / FS_PER_PS
    estimate.green_kubo_integral_mS_cm = integral.mean[kept] * unit
    estimate.green_kubo_integral_std_mS_cm = integral.standard_error[kept] * unit
    estimate.green_kubo_n_blocks = integral.n_blocks
    interval = integral.plateau_interval()
    if integral.plateau is not None and integral.plateau_fs is not None and interval is not None:
        estimate.green_kubo_running_mS_cm = integral.plateau * unit
        estimate.green_kubo_running_ci95_mS_cm = (interval[0] * unit, interval[1] * unit)
        estimate.green_kubo_plateau_ps = integral.plateau_fs / FS_PER_PS


def _smooth(spectrum: Periodogram) -> tuple[FloatArray, FloatArray]:
    """Mean spectrum over bins of equal width in ln f, without f = 0: at most :data:`N_KEPT` points."""
    frequencies, power = spectrum.frequencies_THz[1:], spectrum.power[1:].mean(axis=1)
    edges = np.geomspace(frequencies[0], frequencies[-1] * (1 + 1e-9), N_KEPT + 1)
    place = np.clip(np.searchsorted(edges, frequencies, side="right") - 1, 0, N_KEPT - 1)
    counts = np.bincount(place, minlength=N_KEPT)
    full = counts > 0
    middle, mean = (
        np.bincount(place, weights=what, minlength=N_KEPT)[full] / counts[full] for what in (frequencies, power)
    )
    return middle, mean
