"""Fill in a result: a bound if no diffusion was detected; else diffusivities, their checks and conductivities."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from aiida_ion.analysis.conductivity import FloatOrArray, ionic_conductivity_mS_cm
from aiida_ion.analysis.diffusion import block_averages, cross_checks, hops, tensor
from aiida_ion.analysis.diffusion.block_averages import CM2_S_PER_SLOPE
from aiida_ion.analysis.diffusion.collective import (
    CollectiveFit,
    collective_inflation,
    fit_collective,
    unequal_directions,
)
from aiida_ion.analysis.diffusion.motion import Motion
from aiida_ion.analysis.diffusion.msd import msd_of_each, slope_lags
from aiida_ion.analysis.diffusion.result import DiffusionResult, interval95
from aiida_ion.analysis.diffusion.settings import DiffusionSettings
from aiida_ion.analysis.diffusion.tracer import TracerFit, fit_tracer
from aiida_ion.analysis.diffusion.transient import Start, best_start, find_starts, start_from
from aiida_ion.analysis.diffusion.uncertainty import Inflation, diffusivity_draws
from aiida_ion.analysis.diffusion.window import Window, lag_grid

FloatArray = npt.NDArray[np.float64]

#: First lag of the slope that bounds D, as a fraction of the last one.
BOUND_LAG_START = 0.3
#: Degrees of freedom that each element of a collective tensor needs.
MIN_TENSOR_FREEDOM = 5.0


def fill_bound(result: DiffusionResult, motion: Motion, settings: DiffusionSettings, reason: str) -> None:
    """Fill in an upper bound: the larger of those from the hop count and from the slope of the MSD."""
    longest = motion.batches[0]
    last = max(2, longest.last_lag(settings.max_lag_fraction))
    lags = lag_grid(max(1, int(BOUND_LAG_START * last)), last, settings.n_lags)
    each = msd_of_each(longest.positions, lags)
    slope = cross_checks.slope_bound(each, lags, motion.interval_fs)
    poisson = hops.poisson_upper_bound_cm2_s(
        result.n_hops, motion.n_particles, result.analysed_time_ps, settings.jump_distance_A
    )
    bound = max(poisson, slope.upper_cm2_s or 0.0)
    result.reason = reason
    result.poisson_upper_bound_cm2_s = poisson
    result.slope_upper_bound_cm2_s = slope.upper_cm2_s
    result.least_squares_diffusivity_cm2_s = slope.diffusivity_cm2_s
    result.tracer_diffusivity_upper_bound_cm2_s = bound
    result.ionic_conductivity_upper_bound_mS_cm = _conductivity(result, bound)
    result.lag_times_ps = motion.times_ps[lags]
    result.msd_A2 = each.mean(axis=1)
    if longest.n_particles > 1:
        result.msd_std_A2 = each.std(axis=1, ddof=1) / np.sqrt(longest.n_particles)


def fill_measured(
    result: DiffusionResult, motion: Motion, window: Window, fraction: float, settings: DiffusionSettings
) -> None:
    """Fill in the diffusivities, their checks and the conductivities.

    :param window: the first diffusive window; the fit may start later.
    :param fraction: part of a replica's length that lags may have.
    """
    growth_A2 = settings.min_n_eff * settings.jump_distance_A**2
    starts = find_starts(motion, window, fraction, expected=settings.expected_transient, min_growth_A2=growth_A2)
    start = best_start(starts)
    moved_on = start_from(motion, window, start)
    fit = fit_tracer(motion, moved_on, fraction, settings)
    blocks = block_averages.cut(motion, moved_on, fraction)
    inflation = fit.inflation(blocks)
    statistical = fit.relative_variance(inflation)
    systematic = fit.bias(start.first) ** 2 * start.expected_square
    samples = diffusivity_draws(
        fit.diffusivity_cm2_s, statistical + systematic, inflation.freedom, settings.n_samples, settings.seed
    )
    sigma = _conductivity(result, samples)
    result.verdict, result.grade = "moved", hops.grade(result.n_eff)
    result.tracer_diffusivity_cm2_s = fit.diffusivity_cm2_s
    result.tracer_diffusivity_std_cm2_s = float(samples.std(ddof=1))
    result.tracer_diffusivity_ci95_cm2_s = interval95(samples)
    result.tracer_diffusivity_samples_cm2_s = samples
    result.statistical_relative_error = float(np.sqrt(statistical))
    result.systematic_relative_error = float(np.sqrt(systematic))
    result.independent_relative_error = float(np.sqrt(fit.independent_variance))
    result.displacement_spread_scale = fit.spread_scale
    result.correlation_inflation, result.uncertainty_freedom = inflation.factor, inflation.freedom
    result.ionic_conductivity_mS_cm = _conductivity(result, fit.diffusivity_cm2_s)
    result.ionic_conductivity_ci95_mS_cm = interval95(sigma)
    if blocks is not None:
        result.block_diffusivities_cm2_s, result.block_kind = blocks.diffusivities_cm2_s.tolist(), blocks.kind
        result.block_standard_error_cm2_s = blocks.standard_error_cm2_s
    _describe_fit(result, motion, moved_on, fit, settings)
    _describe_starts(result, motion, starts)
    _cross_check(result, motion, moved_on, fraction, fit, start, inflation)
    diffusivity_tensor = fit.tensor_cm2_s()
    _fill_tensor(result, diffusivity_tensor, fit, inflation, systematic, settings.seed)
    _measure_collective(result, motion, window, fraction, starts, diffusivity_tensor, settings)


def _describe_fit(
    result: DiffusionResult, motion: Motion, window: Window, fit: TracerFit, settings: DiffusionSettings
) -> None:
    """Fill in what was fitted: window, MSD, slope; of the longest replicas if lengths differ."""
    longest = fit.each[0]
    result.fit_window_ps = (float(motion.times_ps[longest.lags[0]]), float(motion.times_ps[longest.lags[-1]]))
    result.fit_variance_scale = longest.fit.variance_scale
    result.warnings += sorted({message for batch in fit.each for message in batch.fit.messages})
    result.lag_times_ps = motion.times_ps[longest.lags]
    result.msd_A2, result.msd_std_A2 = longest.fit.msd_A2, longest.fit.msd_std_A2
    result.log_log_slope = window.slope
    lags = slope_lags(int(longest.lags[0]), int(longest.lags[-1]))
    result.log_log_slope_ci95 = cross_checks.slope_interval(
        lags.astype(np.float64) * motion.interval_fs, msd_of_each(longest.batch.positions, lags), settings.seed
    )


def _describe_starts(result: DiffusionResult, motion: Motion, starts: Sequence[Start]) -> None:
    """Fill in where the slope first matches diffusion, how it continues to change, and D from later windows."""
    unit = CM2_S_PER_SLOPE / motion.interval_fs
    result.diffusive_from_ps = float(motion.times_ps[starts[0].first])
    measured = [start for start in starts if np.isfinite(start.variance)]
    if not measured:
        return
    result.slope_deviation, result.slope_deviation_std = measured[0].deviation, measured[0].deviation_error
    result.window_starts_ps = [float(motion.times_ps[start.first]) for start in measured]
    result.window_diffusivities_cm2_s = [start.slope * unit for start in measured]
    result.window_statistical_relative_errors = [float(np.sqrt(start.variance)) for start in measured]
    result.window_systematic_relative_errors = [float(np.sqrt(start.systematic)) for start in measured]


def _cross_check(
    result: DiffusionResult,
    motion: Motion,
    window: Window,
    fraction: float,
    fit: TracerFit,
    start: Start,
    inflation: Inflation,
) -> None:
    """Compare with unweighted least squares and with single replicas; keep all estimates."""
    plain = fit.least_squares_cm2_s(motion.interval_fs)
    variance, bias = fit.least_squares_difference(start.first)
    result.least_squares_diffusivity_cm2_s = plain
    comparison = cross_checks.compare(
        fit.diffusivity_cm2_s,
        plain,
        variance * fit.spread_scale * inflation.factor + bias**2 * start.expected_square,
        inflation.freedom,
    )
    result.least_squares_difference_errors, result.fit_consistent = comparison.errors, comparison.consistent
    if not comparison.consistent:
        result.warnings.append(comparison.sentence("kinisi", "this diffusivity"))
    replicas = block_averages.of_replicas(motion, window, fraction)
    if replicas is not None:
        result.replica_diffusivities_cm2_s = replicas.diffusivities_cm2_s.tolist()
        result.replica_standard_error_cm2_s = replicas.standard_error_cm2_s
        result.replica_ci95_cm2_s = replicas.ci95_cm2_s


def _fill_tensor(
    result: DiffusionResult,
    tensor_cm2_s: FloatArray,
    fit: TracerFit,
    inflation: Inflation,
    systematic: float,
    seed: int,
) -> None:
    shape = max(fit.first_moments.shape_inflation, 1.0)
    common = fit.independent_variance * fit.spread_scale * max(inflation.factor - shape, 0.0) + systematic
    covariance = tensor.tensor_covariance(tensor_cm2_s, fit.moments, fit.independent_variance * shape, common)
    values, directions = tensor.principal(tensor_cm2_s)
    result.tracer_diffusivity_tensor_cm2_s = tensor_cm2_s.tolist()
    result.tracer_diffusivity_tensor_ci95_cm2_s = tensor.diagonal_intervals(
        tensor_cm2_s, covariance, inflation.freedom, seed
    )
    result.tracer_diffusivity_principal_values_cm2_s = values.tolist()
    result.tracer_diffusivity_principal_directions = directions.tolist()
    result.anisotropy = tensor.anisotropy(tensor_cm2_s)
    result.isotropy_p_value = tensor.isotropy_p_value(tensor_cm2_s, covariance, inflation.freedom)
    result.ionic_conductivity_tensor_mS_cm = _conductivity(result, tensor_cm2_s).tolist()


def _measure_collective(
    result: DiffusionResult,
    motion: Motion,
    window: Window,
    fraction: float,
    starts: Sequence[Start],
    tracer_tensor: FloatArray,
    settings: DiffusionSettings,
) -> None:
    """Fill in D_sigma and the Haven ratio, or the reason why there are none."""
    if not settings.collective:
        result.collective_reason = "The settings leave the collective diffusivity out."
    if result.collective_reason is not None:
        return
    fit = fit_collective(motion, window, fraction, starts, settings.n_lags)
    if not fit.diffusivity_cm2_s > 0:
        result.collective_reason = "The mean squared displacement of the charge does not grow over the window."
        return
    scale = unequal_directions(fit, tracer_tensor)
    inflation = collective_inflation(block_averages.cut(motion, fit.window, fraction, collective=True), scale)
    noise = scale * inflation.factor
    samples = diffusivity_draws(
        fit.diffusivity_cm2_s,
        fit.variance * noise + fit.systematic,
        inflation.freedom,
        settings.n_samples,
        settings.seed + 1,
    )
    sigma = _conductivity(result, samples)
    result.collective_diffusivity_cm2_s = float(np.median(samples))
    result.collective_diffusivity_ci95_cm2_s = interval95(samples)
    result.collective_diffusivity_samples_cm2_s = samples
    result.collective_fit_window_ps = (
        float(motion.times_ps[fit.window.first]),
        float(motion.times_ps[fit.window.last]),
    )
    variance = fit.difference_variance * noise + fit.systematic
    comparison = cross_checks.compare(fit.diffusivity_cm2_s, fit.least_squares_cm2_s, variance, inflation.freedom)
    result.collective_least_squares_difference_errors = comparison.errors
    result.collective_fit_consistent = comparison.consistent
    if not comparison.consistent:
        result.warnings.append(
            comparison.sentence("The weighted fit", "the collective diffusivity and the Haven ratio")
        )
    result.collective_ionic_conductivity_mS_cm = float(np.median(sigma))
    result.collective_ionic_conductivity_ci95_mS_cm = interval95(sigma)
    if result.tracer_diffusivity_samples_cm2_s is not None:
        ratio = result.tracer_diffusivity_samples_cm2_s / samples
        result.haven_ratio, result.haven_ratio_ci95 = float(np.median(ratio)), interval95(ratio)
    replicas = block_averages.of_replicas(motion, fit.window, fraction, collective=True)
    if replicas is not None:
        result.replica_collective_diffusivities_cm2_s = replicas.diffusivities_cm2_s.tolist()
        result.replica_collective_standard_error_cm2_s = replicas.standard_error_cm2_s
        result.replica_collective_ci95_cm2_s = replicas.ci95_cm2_s
    _fill_collective_tensor(result, fit, inflation, settings.seed)


def _fill_collective_tensor(result: DiffusionResult, fit: CollectiveFit, inflation: Inflation, seed: int) -> None:
    of_element = 3.0 * fit.variance * inflation.factor
    if 2.0 / of_element < MIN_TENSOR_FREEDOM:
        return
    tensor_cm2_s = fit.tensor_cm2_s
    covariance = tensor.gaussian_covariance(tensor_cm2_s, of_element)
    values, directions = tensor.principal(tensor_cm2_s)
    result.collective_diffusivity_tensor_cm2_s = tensor_cm2_s.tolist()
    result.collective_diffusivity_tensor_ci95_cm2_s = tensor.diagonal_intervals(
        tensor_cm2_s, covariance, inflation.freedom, seed
    )
    result.collective_diffusivity_principal_values_cm2_s = values.tolist()
    result.collective_diffusivity_principal_directions = directions.tolist()
    result.collective_ionic_conductivity_tensor_mS_cm = _conductivity(result, tensor_cm2_s).tolist()


def _conductivity(result: DiffusionResult, diffusivity_cm2_s: FloatOrArray) -> FloatOrArray:
    return ionic_conductivity_mS_cm(diffusivity_cm2_s, result.charge_e, result.number_density_A3, result.temperature_K)
