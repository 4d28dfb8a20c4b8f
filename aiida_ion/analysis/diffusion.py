"""From trajectories to a diffusivity with its uncertainty, or to an upper bound and the reason why."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from aiida_ion.analysis import cross_checks, hops
from aiida_ion.analysis.conductivity import ionic_conductivity_mS_cm
from aiida_ion.analysis.diffusion_result import DiffusionResult, interval95
from aiida_ion.analysis.diffusion_settings import DiffusionSettings
from aiida_ion.analysis.kinisi_fit import exact_interval_fs, fit_diffusivity
from aiida_ion.analysis.msd import collective_displacement, mean_squared_displacement, msd_of_each
from aiida_ion.analysis.regime import Window, find_window, lag_grid
from aiida_ion.analysis.trajectory import Replica, Segment, join_segments

__all__ = ["DiffusionResult", "DiffusionSettings", "Segment", "analyse_diffusion"]

FloatArray = npt.NDArray[np.float64]

#: An MSD at longer lags rests on too few windows to count hops with (He et al. 2018).
MAX_N_EFF_LAG_FRACTION = 0.7
#: The benchmark paper's mark of a temperature that diffused, angstrom^2.
LEGACY_MSD_A2 = 20.0
#: Points of the MSD kept over all lags.
N_ALL_LAGS = 300
#: kinisi and least squares may differ by this part of the latter, or by so many standard errors of the blocks.
CONSISTENT_PART = 0.5
CONSISTENT_ERRORS = 3.0
#: Least length of the lags of a slope that bounds D, as a part of its end.
BOUND_LAG_START = 0.3


class _Motion(NamedTuple):
    """The mobile ions of all replicas side by side, and their mean squared displacement at every lag."""

    positions: FloatArray
    msd: FloatArray
    times_ps: FloatArray
    interval_fs: float
    n_replicas: int
    has_framework: bool

    @property
    def n_frames(self) -> int:
        return len(self.positions)

    @property
    def n_particles(self) -> int:
        return self.positions.shape[1]


def analyse_diffusion(
    replicas: Sequence[Sequence[Segment]],
    symbols: Sequence[str],
    mobile_species: str,
    charges: Mapping[str, float],
    temperature_K: float,
    settings: DiffusionSettings | None = None,
) -> DiffusionResult:
    """Analyse the diffusion of one species at one temperature.

    :param replicas: for each replica its segments in order; replicas share cell and frame interval, and the longest
        are cut to the shortest.
    :param symbols: element of each atom, (N,).
    :param mobile_species: the element whose ions diffuse; all other atoms are the framework.
    :param charges: formal charge of the elements, e; that of the mobile one is needed.
    :param temperature_K: measured mean temperature where known, K.
    :param settings: defaults when ``None``.
    :returns: a diffusivity when a diffusive window exists, enough effective hops were seen and the MSD grows by half a
        squared jump distance over the window; an upper bound otherwise.
    :raises ValueError: for input that cannot be analysed; the message says why.
    """
    settings = settings or DiffusionSettings()
    mobile, framework = _split(symbols, mobile_species)
    _check_inputs(replicas, mobile_species, charges, temperature_K)
    joined = [
        join_segments(segments, mobile, framework, settings.equilibration_fs, settings.max_frames) for segments in replicas
    ]
    motion = _stack(joined, has_framework=len(framework) > 0)
    window, reason = _diffusive_window(motion, settings)
    result = _describe(joined, motion, mobile_species, float(charges[mobile_species]), temperature_K, settings)
    if window is None:
        _bound(result, motion, settings, reason)
    else:
        _measure(result, motion, window, settings)
    return result


def _split(symbols: Sequence[str], mobile_species: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    is_mobile = np.array([symbol == mobile_species for symbol in symbols], dtype=bool)
    if not is_mobile.any():
        raise ValueError(f"no {mobile_species} among the symbols {', '.join(sorted(set(symbols)))}")
    return np.flatnonzero(is_mobile), np.flatnonzero(~is_mobile)


def _check_inputs(
    replicas: Sequence[Sequence[Segment]], mobile_species: str, charges: Mapping[str, float], temperature_K: float
) -> None:
    if not replicas:
        raise ValueError("no replica was given")
    if mobile_species not in charges:
        raise ValueError(f"the charges lack the mobile species {mobile_species}")
    if not (math.isfinite(temperature_K) and temperature_K > 0):
        raise ValueError(f"temperature_K must be positive, got {temperature_K!r}")


def _stack(replicas: Sequence[Replica], has_framework: bool) -> _Motion:
    intervals = [replica.interval_fs for replica in replicas]
    if max(intervals) - min(intervals) > 1e-4 * min(intervals):
        raise ValueError(f"replicas have different frame intervals after thinning: {sorted(set(intervals))} fs")
    n_frames = min(len(replica.mobile) for replica in replicas)
    positions = np.concatenate([replica.mobile[:n_frames] for replica in replicas], axis=1)
    interval_fs = exact_interval_fs(intervals[0])
    msd = mean_squared_displacement(positions)
    return _Motion(positions, msd, np.arange(n_frames) * interval_fs / 1000.0, interval_fs, len(replicas), has_framework)


def _n_eff(motion: _Motion, settings: DiffusionSettings) -> float:
    longest = max(1, int(MAX_N_EFF_LAG_FRACTION * (motion.n_frames - 1)))
    return hops.effective_hops(motion.n_particles, float(motion.msd[: longest + 1].max()), settings.jump_distance_A)


def _diffusive_window(motion: _Motion, settings: DiffusionSettings) -> tuple[Window | None, str]:
    """The window of the fit, or ``None`` and a sentence that says why the run counts as not moved."""
    n_eff = _n_eff(motion, settings)
    if n_eff < settings.min_n_eff:
        return None, f"{n_eff:.1f} effective hops were seen, fewer than {settings.min_n_eff:g}: too few for a diffusivity."
    half = 0.5 * settings.jump_distance_A**2
    bounds = (settings.min_log_log_slope, settings.max_log_log_slope)
    reason = (
        f"No diffusive regime: no lag up to {settings.extended_lag_fraction:.0%} of the run has a mean squared displacement "
        f"above {half:g} angstrom^2 that grows with a log-log slope between {bounds[0]:g} and {bounds[1]:g}."
    )
    for fraction in sorted({settings.max_lag_fraction, settings.extended_lag_fraction}):
        if fraction < settings.max_lag_fraction:
            continue
        last = int(fraction * (motion.n_frames - 1))
        window = find_window(motion.times_ps, motion.msd, last, half, bounds)
        if window is None:
            continue
        growth = float(motion.msd[window.last] - motion.msd[window.first])
        if growth >= half:
            return window, ""
        reason = f"The mean squared displacement grows by {growth:.1f} angstrom^2 over the fit window, {half:g} are needed."
    return None, reason


def _describe(
    joined: Sequence[Replica],
    motion: _Motion,
    mobile_species: str,
    charge_e: float,
    temperature_K: float,
    settings: DiffusionSettings,
) -> DiffusionResult:
    """All that is known whether or not the ions moved."""
    n_mobile = motion.n_particles // motion.n_replicas
    volume = float(np.mean([replica.mean_volume_A3 for replica in joined]))
    n_eff = _n_eff(motion, settings)
    smoothing = max(3, round(settings.hop_smoothing_fs / motion.interval_fs))
    counted = hops.count_hops(motion.positions, settings.jump_distance_A, smoothing)
    framework = [cross_checks.framework_msd_A2(replica.framework) for replica in joined]
    kept = np.unique(np.round(np.geomspace(1, motion.n_frames - 1, N_ALL_LAGS)).astype(int))
    return DiffusionResult(
        verdict="bound",
        grade="bound",
        reason=None,
        mobile_species=mobile_species,
        temperature_K=float(temperature_K),
        charge_e=charge_e,
        n_mobile_ions=n_mobile,
        n_replicas=motion.n_replicas,
        n_frames=motion.n_frames,
        n_frames_stored=sum(replica.n_frames_stored for replica in joined),
        frame_stride=joined[0].stride,
        frame_interval_fs=motion.interval_fs,
        analysed_time_ps=float(motion.times_ps[-1]),
        volume_A3=volume,
        number_density_A3=n_mobile / volume,
        jump_distance_A=settings.jump_distance_A,
        max_msd_A2=float(motion.msd.max()),
        msd_passes_20_A2=bool(motion.msd.max() >= LEGACY_MSD_A2),
        n_eff=n_eff,
        model_relative_error=hops.relative_error(n_eff) if n_eff > 0 else None,
        n_hops=counted.n_hops,
        n_ions_hopped=counted.n_ions_hopped,
        drift_A=max(replica.drift_A for replica in joined),
        framework_msd_A2=max((value for value in framework if value is not None), default=None),
        all_lag_times_ps=motion.times_ps[kept],
        all_msd_A2=motion.msd[kept],
    )


def _bound(result: DiffusionResult, motion: _Motion, settings: DiffusionSettings, reason: str) -> None:
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


def _measure(result: DiffusionResult, motion: _Motion, window: Window, settings: DiffusionSettings) -> None:
    """Fill in the diffusivities, their checks and the conductivities."""
    lags = lag_grid(window.first, window.last, settings.n_lags)
    fit = fit_diffusivity(motion.positions, lags, motion.interval_fs, settings.seed, settings.n_samples)
    samples = fit.samples_cm2_s
    result.verdict, result.grade = "moved", hops.grade(result.n_eff)
    result.tracer_diffusivity_cm2_s = float(samples.mean())
    result.tracer_diffusivity_std_cm2_s = float(samples.std(ddof=1))
    result.tracer_diffusivity_ci95_cm2_s = interval95(samples)
    result.tracer_diffusivity_samples_cm2_s = samples
    result.fit_window_ps = (float(motion.times_ps[lags[0]]), float(motion.times_ps[lags[-1]]))
    result.fit_variance_scale = fit.variance_scale
    result.warnings = list(fit.messages)
    result.lag_times_ps = motion.times_ps[lags[: len(fit.msd_A2)]]
    result.msd_A2, result.msd_std_A2 = fit.msd_A2, fit.msd_std_A2
    result.log_log_slope = window.slope
    each = msd_of_each(motion.positions, lags)
    result.log_log_slope_ci95 = cross_checks.slope_interval(lags * motion.interval_fs, each, settings.seed)
    sigma = _conductivity(result, samples)
    result.ionic_conductivity_mS_cm, result.ionic_conductivity_ci95_mS_cm = float(sigma.mean()), interval95(sigma)
    _cross_check(result, motion, lags, each.mean(axis=1))
    _measure_collective(result, motion, lags, settings)


def _conductivity(result: DiffusionResult, samples: FloatArray) -> FloatArray:
    return ionic_conductivity_mS_cm(samples, result.charge_e, result.number_density_A3, result.temperature_K)


def _cross_check(result: DiffusionResult, motion: _Motion, lags: npt.NDArray[np.int64], msd: FloatArray) -> None:
    """Compare the posterior mean with least squares on the same window; keep every estimate."""
    plain = cross_checks.least_squares_diffusivity(lags, msd, motion.interval_fs)
    blocks = cross_checks.block_diffusivities(motion.positions, lags, motion.interval_fs, motion.n_replicas)
    error = 0.0
    if blocks is not None:
        error = blocks.standard_error_cm2_s
        result.block_diffusivities_cm2_s = blocks.diffusivities_cm2_s.tolist()
        result.block_standard_error_cm2_s, result.block_kind = error, blocks.kind
    result.least_squares_diffusivity_cm2_s = plain
    result.fit_consistent = _consistent(result.tracer_diffusivity_cm2_s or 0.0, plain, error)
    if not result.fit_consistent:
        result.warnings.append("The kinisi fit and least squares disagree: do not rely on this diffusivity.")


def _consistent(fitted: float, plain: float, error: float) -> bool:
    return abs(fitted - plain) <= max(CONSISTENT_ERRORS * error, CONSISTENT_PART * abs(plain))


def _measure_collective(
    result: DiffusionResult, motion: _Motion, lags: npt.NDArray[np.int64], settings: DiffusionSettings
) -> None:
    """D_sigma from the summed displacement of the mobile ions in the framework's frame, one centre per replica."""
    if not settings.collective:
        result.collective_reason = "The settings leave the collective diffusivity out."
        return
    if not motion.has_framework:
        result.collective_reason = "There is no framework to measure the displacement of the mobile ions against."
        return
    centres = collective_displacement(motion.positions, motion.n_replicas)
    fit = fit_diffusivity(centres, lags, motion.interval_fs, settings.seed, settings.n_samples)
    samples = fit.samples_cm2_s
    plain = cross_checks.least_squares_diffusivity(lags, msd_of_each(centres, lags).mean(axis=1), motion.interval_fs)
    result.collective_diffusivity_cm2_s = float(samples.mean())
    result.collective_diffusivity_ci95_cm2_s = interval95(samples)
    result.collective_diffusivity_samples_cm2_s = samples
    result.collective_fit_consistent = _consistent(float(samples.mean()), plain, 0.0)
    sigma = _conductivity(result, samples)
    result.collective_ionic_conductivity_mS_cm = float(sigma.mean())
    result.collective_ionic_conductivity_ci95_mS_cm = interval95(sigma)
    tracer = result.tracer_diffusivity_samples_cm2_s
    if tracer is not None:
        shuffled = np.random.default_rng(settings.seed).permutation(tracer)
        ratio = shuffled / samples
        result.haven_ratio, result.haven_ratio_ci95 = float(np.median(ratio)), interval95(ratio)
