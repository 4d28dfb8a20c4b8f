"""Filling a result: a bound when nothing moved; else diffusivities, their checks and conductivities."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from aiida_ion.analysis import cross_checks, hops
from aiida_ion.analysis.conductivity import ionic_conductivity_mS_cm
from aiida_ion.analysis.diffusion_result import DiffusionResult, interval95
from aiida_ion.analysis.diffusion_settings import DiffusionSettings
from aiida_ion.analysis.kinisi_fit import fit_diffusivity
from aiida_ion.analysis.msd import collective_displacement, msd_of_each
from aiida_ion.analysis.regime import Window, lag_grid

FloatArray = npt.NDArray[np.float64]

#: kinisi and least squares may differ by this part of the latter, or by so many standard errors of blocks.
CONSISTENT_PART = 0.5
CONSISTENT_ERRORS = 3.0
#: First lag of the slope that bounds D, as a part of the last one.
BOUND_LAG_START = 0.3
#: Fewest degrees of freedom of a collective diffusivity.
MIN_FREEDOM = 2.0


class Motion(NamedTuple):
    """The mobile ions of all replicas side by side, and their mean squared displacement at every lag."""

    positions: FloatArray
    msd: FloatArray
    times_ps: FloatArray
    interval_fs: float
    n_replicas: int
    has_framework: bool

    @property
    def n_frames(self) -> int:
        """Frames of each replica."""
        return len(self.positions)

    @property
    def n_particles(self) -> int:
        """Mobile ions of all replicas."""
        return int(self.positions.shape[1])


def fill_bound(result: DiffusionResult, motion: Motion, settings: DiffusionSettings, reason: str) -> None:
    """Fill in an upper bound: the larger of what the hops counted and what the slope of the MSD allow."""
    last = max(2, int(settings.max_lag_fraction * (motion.n_frames - 1)))
    lags = lag_grid(max(1, int(BOUND_LAG_START * last)), last, settings.n_lags)
    each = msd_of_each(motion.positions, lags)
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
    result.ionic_conductivity_upper_bound_mS_cm = ionic_conductivity_mS_cm(
        bound, result.charge_e, result.number_density_A3, result.temperature_K
    )
    result.lag_times_ps = motion.times_ps[lags]
    result.msd_A2 = each.mean(axis=1)
    if motion.n_particles > 1:
        result.msd_std_A2 = each.std(axis=1, ddof=1) / np.sqrt(motion.n_particles)


def fill_measured(result: DiffusionResult, motion: Motion, window: Window, settings: DiffusionSettings) -> None:
    """Fill in the diffusivities, their checks and the conductivities."""
    lags = lag_grid(window.first, window.last, settings.n_lags)
    fit = fit_diffusivity(motion.positions, lags, motion.interval_fs, settings.seed, settings.n_samples)
    each = msd_of_each(motion.positions, lags)
    _cross_check(result, motion, lags, each.mean(axis=1), float(fit.samples_cm2_s.mean()))
    samples = _widened(result, fit.samples_cm2_s)
    result.verdict, result.grade = "moved", hops.grade(result.n_eff)
    result.tracer_diffusivity_cm2_s = float(samples.mean())
    result.tracer_diffusivity_std_cm2_s = float(samples.std(ddof=1))
    result.tracer_diffusivity_ci95_cm2_s = interval95(samples)
    result.tracer_diffusivity_samples_cm2_s = samples
    result.fit_window_ps = (float(motion.times_ps[lags[0]]), float(motion.times_ps[lags[-1]]))
    result.fit_variance_scale = fit.variance_scale
    result.warnings += list(fit.messages)
    result.lag_times_ps = motion.times_ps[lags[: len(fit.msd_A2)]]
    result.msd_A2, result.msd_std_A2 = fit.msd_A2, fit.msd_std_A2
    result.log_log_slope = window.slope
    result.log_log_slope_ci95 = cross_checks.slope_interval(
        lags.astype(np.float64) * motion.interval_fs, each, settings.seed
    )
    sigma = _conductivity(result, samples)
    result.ionic_conductivity_mS_cm, result.ionic_conductivity_ci95_mS_cm = (
        float(sigma.mean()),
        interval95(sigma),
    )
    _measure_collective(result, motion, lags, settings)


def _conductivity(result: DiffusionResult, samples: FloatArray) -> FloatArray:
    return ionic_conductivity_mS_cm(samples, result.charge_e, result.number_density_A3, result.temperature_K)


def _widened(result: DiffusionResult, draws: FloatArray) -> FloatArray:
    """Widen a posterior to what blocks and hops allow, around its mean in ln D.

    kinisi takes the ions for independent of each other. Where they move together they are fewer than they look, and the
    scatter over blocks says so; and no diffusivity is known better than the hops it was counted from, 1/sqrt(N_eff).

    :param draws: posterior draws of the fit, cm^2/s, (n,).
    """
    logs = np.log(draws)
    blocks = (result.block_standard_error_cm2_s or 0.0) / float(draws.mean())
    result.interval_scale = float(max(1.0, blocks / logs.std(ddof=1), result.n_eff**-0.5 / logs.std(ddof=1)))
    widened: FloatArray = np.exp(logs.mean() + result.interval_scale * (logs - logs.mean()))
    return widened


def _cross_check(
    result: DiffusionResult, motion: Motion, lags: npt.NDArray[np.int64], msd: FloatArray, fitted: float
) -> None:
    """Compare the posterior mean (cm^2/s) with least squares on the same window; keep every estimate."""
    plain = cross_checks.least_squares_diffusivity(lags, msd, motion.interval_fs)
    blocks = cross_checks.block_diffusivities(motion.positions, lags, motion.interval_fs, motion.n_replicas)
    error = 0.0
    if blocks is not None:
        error = blocks.standard_error_cm2_s
        result.block_diffusivities_cm2_s = blocks.diffusivities_cm2_s.tolist()
        result.block_standard_error_cm2_s, result.block_kind = error, blocks.kind
    result.least_squares_diffusivity_cm2_s = plain
    result.fit_consistent = _consistent(fitted, plain, error)
    if not result.fit_consistent:
        result.warnings.append("The kinisi fit and least squares disagree: do not rely on this diffusivity.")


def _consistent(fitted: float, plain: float, error: float) -> bool:
    return abs(fitted - plain) <= max(CONSISTENT_ERRORS * error, CONSISTENT_PART * abs(plain))


def _measure_collective(
    result: DiffusionResult, motion: Motion, lags: npt.NDArray[np.int64], settings: DiffusionSettings
) -> None:
    """D_sigma from the summed displacement of the mobile ions in the frame of the framework."""
    if not settings.collective:
        result.collective_reason = "The settings leave the collective diffusivity out."
        return
    if not motion.has_framework:
        result.collective_reason = "There is no framework to measure the displacement of the mobile ions against."
        return
    centres = collective_displacement(motion.positions, motion.n_replicas)
    fit = fit_diffusivity(centres, lags, motion.interval_fs, settings.seed, settings.n_samples)
    samples = skewed_draws(fit.samples_cm2_s, settings.seed)
    plain = cross_checks.least_squares_diffusivity(lags, msd_of_each(centres, lags).mean(axis=1), motion.interval_fs)
    result.collective_diffusivity_cm2_s = float(np.median(samples))
    result.collective_diffusivity_ci95_cm2_s = interval95(samples)
    result.collective_diffusivity_samples_cm2_s = samples
    result.collective_fit_consistent = _consistent(float(fit.samples_cm2_s.mean()), plain, 0.0)
    sigma = _conductivity(result, samples)
    result.collective_ionic_conductivity_mS_cm = float(np.median(sigma))
    result.collective_ionic_conductivity_ci95_mS_cm = interval95(sigma)
    tracer = result.tracer_diffusivity_samples_cm2_s
    if tracer is not None:
        shuffled = np.random.default_rng(settings.seed).permutation(tracer)
        ratio = shuffled / samples
        result.haven_ratio, result.haven_ratio_ci95 = float(np.median(ratio)), interval95(ratio)


def skewed_draws(draws: FloatArray, seed: int) -> FloatArray:
    """Give the draws of a diffusivity that rests on few displacements the skew of a variance estimate, cm^2/s.

    A collective diffusivity has one centre per replica, so its relative error r is a quarter or more, and an
    estimate that came out low claims too small an error: symmetric intervals miss the truth above them. D is the
    variance of a displacement; an estimate with relative error r has nu = 2 / r^2 degrees of freedom, and the
    posterior of a variance is D_fit nu / chi^2_nu. Centre and r are those of the fit.

    :param draws: posterior draws of the fit, cm^2/s, (n,).
    """
    relative = float(draws.std(ddof=1) / draws.mean())
    freedom = max(2.0 / relative**2, MIN_FREEDOM)
    skewed: FloatArray = draws.mean() * freedom / np.random.default_rng(seed).chisquare(freedom, len(draws))
    return skewed
