"""A diffusivity with its uncertainty from trajectories, or an upper bound and the reason for it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from aiida_ion.analysis.checks.judge import judge
from aiida_ion.analysis.diffusion import cross_checks, hops
from aiida_ion.analysis.diffusion.estimates import fill_bound, fill_measured
from aiida_ion.analysis.diffusion.motion import Motion, side_by_side
from aiida_ion.analysis.diffusion.result import DiffusionResult
from aiida_ion.analysis.diffusion.settings import DiffusionSettings
from aiida_ion.analysis.diffusion.window import Window, find_window
from aiida_ion.analysis.green_kubo.charge_frame import ChargeFrame, charge_frame
from aiida_ion.analysis.green_kubo.estimate import fill_green_kubo
from aiida_ion.analysis.species.every import fill_species, say_framework
from aiida_ion.analysis.species.roles import Roles, assign_roles
from aiida_ion.analysis.trajectories.thermo import Thermo
from aiida_ion.analysis.trajectories.trajectory import Replica, Segment, common_stride, join_segments
from aiida_ion.verdicts import POORLY_KNOWN, SHOWN_LIMITS, interval_decades, is_too_wide, too_wide

__all__ = ["DiffusionResult", "DiffusionSettings", "Segment", "analyse_diffusion"]

FloatArray = npt.NDArray[np.float64]

#: Beyond this fraction of the run, an MSD averages too few windows to count hops (He et al. 2018).
MAX_N_EFF_LAG_FRACTION = 0.7
#: The benchmark paper's criterion for a diffusive temperature, angstrom^2.
LEGACY_MSD_A2 = 20.0
#: Points of the MSD kept over all lags.
N_ALL_LAGS = 300


def analyse_diffusion(
    replicas: Sequence[Sequence[Segment]],
    symbols: Sequence[str],
    mobile_species: str,
    charges: Mapping[str, float],
    temperature_K: float,
    *,
    settings: DiffusionSettings | None = None,
    thermo: Sequence[Thermo] | None = None,
    target_temperature_K: float | None = None,
) -> DiffusionResult:
    """Analyse the diffusion of one species at one temperature.

    :param replicas: for each replica its segments in order; replicas share cell and frame interval, not length.
    :param symbols: element of each atom, (N,).
    :param mobile_species: the diffusing element. By default all other atoms are the framework, except usual mobile ions
        that leave their sites while the rest stays.
    :param charges: formal charges of the elements, e; that of the mobile species is required, those of all others make
        the collective diffusivity independent of the frame of reference.
    :param temperature_K: measured mean temperature, if known, K.
    :param settings: defaults when ``None``.
    :param thermo: step-by-step records of the replicas, where available, from their first step on.
    :param target_temperature_K: target temperature of the run, if known, K.
    :returns: a diffusivity if a diffusive window exists, there are enough effective hops, and the MSD grows by half a
        squared jump distance over the window; an upper bound otherwise.
    :raises ValueError: for input that cannot be analysed; the message gives the reason.
    """
    settings = settings or DiffusionSettings()
    _check_inputs(replicas, symbols, mobile_species, charges, temperature_K)
    roles = assign_roles(
        replicas,
        symbols,
        mobile_species,
        charges,
        framework_species=settings.framework_species,
        equilibration_fs=settings.equilibration_fs,
        jump_distance_A=settings.jump_distance_A,
        limits=settings.limits,
    )
    frame = charge_frame(symbols, mobile_species, charges)
    stride = common_stride(replicas, settings.equilibration_fs, settings.max_frames)

    def measure(species: str, species_settings: DiffusionSettings, every: int) -> DiffusionResult:
        return _measure(replicas, symbols, roles, species, charges, temperature_K, species_settings, every, frame)

    result = measure(mobile_species, settings, stride)
    result.framework_species, result.other_mobile_species = list(roles.framework), list(roles.others)
    result.framework_reason = roles.reason
    fill_species(result, roles, charges, settings, stride, measure)
    fill_green_kubo(result, thermo or (), frame, settings)
    judge(
        result,
        replicas,
        symbols,
        thermo=thermo,
        target_temperature_K=target_temperature_K,
        equilibration_fs=settings.equilibration_fs,
        limits=settings.limits,
    )
    say_framework(result)
    return result


def _measure(
    replicas: Sequence[Sequence[Segment]],
    symbols: Sequence[str],
    roles: Roles,
    species: str,
    charges: Mapping[str, float],
    temperature_K: float,
    settings: DiffusionSettings,
    stride: int,
    frame: ChargeFrame,
) -> DiffusionResult:
    """Compute the diffusivity or bound of one species in the framework's frame, before any check.

    The displacement of charge is computed only for the analysed species.
    """
    is_analysed = species == roles.mobile
    own, framework = (roles.indices(symbols, elements) for elements in ({species}, set(roles.framework)))
    rest = roles.indices(symbols, {roles.mobile, *roles.others} - {species})
    joined = [
        join_segments(
            segments,
            own,
            framework,
            settings.equilibration_fs,
            other_indices=rest,
            stride=stride,
            charges_e=frame.charges_e if is_analysed else None,
            follow_mobile=not is_analysed,
        )
        for segments in replicas
    ]
    motion = side_by_side(joined)
    window, reason = _diffusive_window(motion, settings)
    charge_e = float(charges.get(species, 0.0))
    result = _describe(
        joined, motion, mobile_species=species, charge_e=charge_e, temperature_K=temperature_K, settings=settings
    )
    if not roles.framework:
        result.collective_reason = "There is no framework to measure the displacement of the mobile ions against."
    elif is_analysed:
        result.collective_frame, result.collective_frame_reason = frame.name, frame.reason
    if window is None:
        fill_bound(result, motion, settings, reason)
        result.collective_reason = result.collective_reason or f"No diffusion detected. {reason}"
    else:
        fill_measured(result, motion, *window, settings)
        _judge_interval(result, settings)
    for name in SHOWN_LIMITS:
        setattr(result, name, getattr(settings, name))
    return result


def _judge_interval(result: DiffusionResult, settings: DiffusionSettings) -> None:
    """Mark a diffusivity as poorly known if its interval is too wide."""
    decades = interval_decades(*(result.tracer_diffusivity_ci95_cm2_s or (None, None)))
    if decades is not None and is_too_wide(decades, settings.max_interval_decades):
        result.verdict, result.reason = POORLY_KNOWN, too_wide(decades, settings.max_interval_decades)


def _check_inputs(
    replicas: Sequence[Sequence[Segment]],
    symbols: Sequence[str],
    mobile_species: str,
    charges: Mapping[str, float],
    temperature_K: float,
) -> None:
    if not replicas:
        raise ValueError("no replica was given")
    if mobile_species not in symbols:
        raise ValueError(f"no {mobile_species} among the symbols {', '.join(sorted(set(symbols)))}")
    if mobile_species not in charges:
        raise ValueError(f"the charges lack the mobile species {mobile_species}")
    if not (math.isfinite(temperature_K) and temperature_K > 0):
        raise ValueError(f"temperature_K must be positive, got {temperature_K!r}")


def _n_eff(motion: Motion, settings: DiffusionSettings) -> float:
    return hops.effective_hops(1, motion.summed_msd(MAX_N_EFF_LAG_FRACTION), settings.jump_distance_A)


def _diffusive_window(motion: Motion, settings: DiffusionSettings) -> tuple[tuple[Window, float] | None, str]:
    """Return the fit window and the fraction of a replica it may span, or ``None`` and the reason in a sentence."""
    n_eff = _n_eff(motion, settings)
    if n_eff < settings.min_n_eff:
        return (
            None,
            f"{n_eff:.1f} effective hops were seen, {settings.min_n_eff:g} are needed for a diffusivity.",
        )
    half = 0.5 * settings.jump_distance_A**2
    bounds = (settings.min_log_log_slope, settings.max_log_log_slope)
    reason = (
        f"No diffusive regime: no lag up to {settings.extended_lag_fraction:.0%} of the run has a mean "
        f"squared displacement above {half:g} angstrom^2 that grows with a log-log slope between "
        f"{bounds[0]:g} and {bounds[1]:g}."
    )
    for fraction in sorted({settings.max_lag_fraction, settings.extended_lag_fraction}):
        if fraction < settings.max_lag_fraction:
            continue
        last = motion.batches[0].last_lag(fraction)
        window = find_window(motion.times_ps, motion.msd, last, half, bounds)
        if window is None:
            continue
        n_fitted = hops.effective_hops(1, motion.summed_growth(window, fraction), settings.jump_distance_A)
        if n_fitted >= settings.min_n_eff:
            return (window, fraction), ""
        reason = (
            f"The mean squared displacement grows by {max(n_fitted, 0.0):.1f} effective hops over the fit window; "
            f"{settings.min_n_eff:g} are needed."
        )
    return None, reason


def _describe(
    joined: Sequence[Replica],
    motion: Motion,
    *,
    mobile_species: str,
    charge_e: float,
    temperature_K: float,
    settings: DiffusionSettings,
) -> DiffusionResult:
    """Fill in what is known with or without diffusion."""
    n_mobile = motion.n_ions
    volume = float(np.mean([replica.mean_volume_A3 for replica in joined]))
    n_eff = _n_eff(motion, settings)
    smoothing = max(3, round(settings.hop_smoothing_fs / motion.interval_fs))
    counted = [hops.count_hops(batch.positions, settings.jump_distance_A, smoothing) for batch in motion.batches]
    # Positions are measured from a single atom, so it cannot move.
    frameworks = [replica.framework for replica in joined if replica.framework.shape[1] > 1]
    framework = [cross_checks.largest_framework_msd(positions) for positions in frameworks]
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
        analysed_time_ps=motion.mean_time_ps,
        volume_A3=volume,
        number_density_A3=n_mobile / volume,
        jump_distance_A=settings.jump_distance_A,
        max_msd_A2=float(motion.msd.max()),
        msd_passes_20_A2=bool(motion.msd.max() >= LEGACY_MSD_A2),
        n_eff=n_eff,
        model_relative_error=hops.relative_error(n_eff) if n_eff > 0 else None,
        n_hops=sum(count.n_hops for count in counted),
        n_ions_hopped=sum(count.n_ions_hopped for count in counted),
        drift_A=max(replica.drift_A for replica in joined),
        framework_msd_A2=max((value for value in framework if value is not None), default=None),
        all_lag_times_ps=motion.times_ps[kept],
        all_msd_A2=motion.msd[kept],
    )
