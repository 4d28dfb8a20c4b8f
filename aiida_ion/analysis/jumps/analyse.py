"""The jump analysis of trajectories: sites, occupancies, jumps, rates, vibration, percolation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from aiida_ion.analysis.jumps import by_gemdat
from aiida_ion.analysis.jumps.caveats import ASSUMED_ATTEMPT_FREQUENCY_THZ, JumpStatistics, caveats
from aiida_ion.analysis.jumps.detection import find_jumps, stays
from aiida_ion.analysis.jumps.frames import JumpFrames, read_jump_frames
from aiida_ion.analysis.jumps.percolation import percolation_barriers
from aiida_ion.analysis.jumps.rates import FloatArray, IntArray, JumpTable, concatenate, jump_diffusivity, jump_types
from aiida_ion.analysis.jumps.result import JumpResult, Sampling
from aiida_ion.analysis.jumps.settings import JumpSettings
from aiida_ion.analysis.jumps.sites import (
    NO_SITES,
    Reference,
    Sites,
    align,
    closest_distance,
    far_peaks,
    structure_sites,
)
from aiida_ion.analysis.jumps.vibration import Vibration, vibration_between_jumps
from aiida_ion.analysis.species.framework import validate_framework
from aiida_ion.analysis.trajectories.trajectory import Segment

#: Gap that keeps spheres from touching, angstrom.
SPHERE_GAP_A = 0.005


class _Visits(NamedTuple):
    """Occupancies and jumps over all replicas."""

    occupancy: FloatArray
    at_no_site: float
    jumps: JumpTable
    first: tuple[Any, JumpTable]


def analyse_jumps(
    replicas: Sequence[Sequence[Segment]],
    symbols: Sequence[str],
    mobile_species: str,
    temperature_K: float,
    *,
    reference: Reference | None = None,
    settings: JumpSettings | None = None,
) -> JumpResult:
    """Return the jump analysis of one species.

    :param replicas: for each replica its segments in the order of time; positions unwrapped, angstrom; times in ps.
    :param symbols: element of each atom.
    :param mobile_species: the diffusing element.
    :param temperature_K: temperature of all replicas, K.
    :param reference: structure with the sites, in the cell of the trajectory.
    :param settings: defaults when ``None``.
    :raises ValueError: for input that cannot be analysed; the message gives the reason.
    :raises GemdatMissingError: when GEMDAT cannot be imported.
    """
    by_gemdat.require_gemdat()
    settings = settings or JumpSettings()
    is_mobile = np.array([symbol == mobile_species for symbol in symbols])
    if not is_mobile.any():
        raise ValueError(f"there is no {mobile_species} among {', '.join(sorted(set(symbols)))}")
    if settings.sites == "structure" and reference is None:
        raise ValueError("sites are to come from a structure, but none is given")
    problem = validate_framework(settings.framework_species, mobile_species, set(symbols))
    if problem is not None:
        raise ValueError(problem)
    framework = settings.framework_species or sorted(set(symbols) - {mobile_species})
    is_framework = np.isin(np.array(symbols), framework)
    frames = read_jump_frames(replicas, np.flatnonzero(is_mobile), np.flatnonzero(is_framework), settings)
    frames, sites, counts = _find_sites(frames, symbols, mobile_species, framework, reference, settings)
    described = (mobile_species, frames.cell)

    def gemdat_of(positions: FloatArray, interval_fs: float) -> Any:
        return by_gemdat.gemdat_trajectory(positions, *described, interval_fs, temperature_K)

    vibrating = gemdat_of(frames.vibration, frames.stored_interval_fs)
    gemdat_vibration = by_gemdat.vibration(vibrating)
    radius = _site_radius(sites, frames.cell, gemdat_vibration.amplitude_A, settings)
    trajectories = [gemdat_of(positions, frames.interval_fs) for positions in frames.mobile]
    visits = _visit(trajectories, frames, sites, mobile_species, radius, settings)
    vibration = _vibration(vibrating, frames, sites, mobile_species, radius)
    frequency, source = _attempt_frequency(vibration, settings)
    vectors = visits.jumps.vectors(sites.fractional, frames.cell)
    lengths = np.linalg.norm(vectors, axis=1)
    time_ps = frames.time_ps
    types = jump_types(
        visits.jumps, lengths, sites.labels, visits.occupancy, frames.n_ions, time_ps, temperature_K, frequency
    )
    percolation = percolation_barriers(counts, temperature_K)
    statistics = JumpStatistics(frames, len(visits.jumps), visits.at_no_site, source)
    return JumpResult(
        mobile_species=mobile_species,
        temperature_K=temperature_K,
        sampling=Sampling(
            len(frames.mobile),
            frames.n_ions,
            time_ps,
            frames.interval_fs,
            frames.stride,
            frames.n_frames_stored,
            frames.drift_A,
        ),
        cell=frames.cell,
        sites=sites,
        site_radius_A=radius,
        occupancy=visits.occupancy,
        at_no_site=visits.at_no_site,
        jumps=visits.jumps,
        types=types,
        diffusivity=jump_diffusivity(vectors, frames.n_ions, time_ps),
        vibration=vibration,
        gemdat_vibration=gemdat_vibration,
        attempt_frequency_THz=frequency,
        attempt_frequency_source=source,
        collective=by_gemdat.collective_jumps(
            *visits.first, settings.max_collective_jumps, settings.collective_distance_A, frequency
        ),
        percolation=percolation,
        warnings=caveats(statistics, percolation),
    )


def _find_sites(
    frames: JumpFrames,
    symbols: Sequence[str],
    species: str,
    framework_species: Sequence[str],
    reference: Reference | None,
    settings: JumpSettings,
) -> tuple[JumpFrames, Sites, IntArray]:
    """Return the frames aligned with the sites, the sites, and the density over all replicas."""
    sites, framework = NO_SITES, None
    if reference is not None and settings.sites != "density":
        sites, framework = structure_sites(reference, frames.cell, symbols, species, framework_species)
    frames = align(frames, framework)
    counts = sum(
        by_gemdat.density(
            by_gemdat.gemdat_trajectory(positions, species, frames.cell, frames.interval_fs, 1.0),
            settings.density_resolution_A,
        )
        for positions in frames.mobile
    )
    assert isinstance(counts, np.ndarray)
    if settings.sites != "structure":
        smoothing = settings.density_smoothing_A
        peaks = by_gemdat.density_peaks(counts, frames.cell, settings.density_background, smoothing)
        if len(sites):
            n_frames = sum(len(positions) for positions in frames.mobile)
            peaks = far_peaks(peaks, sites.fractional, counts, n_frames, frames.cell, settings)
        sites = sites.with_peaks(peaks, f"{species}_density" if len(sites) else species)
    if not len(sites):
        raise ValueError("the density of the mobile ions has no peaks: give a structure with their sites")
    return frames, sites, counts


def _site_radius(sites: Sites, cell: FloatArray, amplitude_A: float, settings: JumpSettings) -> float:
    """Radius by GEMDAT's rule, twice its vibration amplitude, limited so that spheres do not touch, angstrom."""
    largest = 0.5 * closest_distance(sites.fractional, cell) - SPHERE_GAP_A
    if settings.site_radius_A is None:
        return min(2.0 * amplitude_A, largest) if amplitude_A > 0 else largest
    if settings.site_radius_A > largest:
        raise ValueError(
            f"site_radius_A is {settings.site_radius_A:g} angstrom, and sites are so close that their spheres would "
            f"overlap: at most {largest:.3f}"
        )
    return settings.site_radius_A


def _visit(
    trajectories: Sequence[Any], frames: JumpFrames, sites: Sites, species: str, radius: float, settings: JumpSettings
) -> _Visits:
    """Collect occupancy, time at no site, and jumps over the replicas."""
    residence = round(settings.minimal_residence_fs / frames.interval_fs)
    frame_counts = np.zeros(len(sites) + 1, dtype=np.int64)
    tables, first = [], None
    for number, (trajectory, positions) in enumerate(zip(trajectories, frames.mobile, strict=True)):
        states, transitions = by_gemdat.site_visits(trajectory, sites.fractional, species, radius)
        frame_counts += np.bincount(states.ravel() + 1, minlength=len(sites) + 1)
        tables.append(find_jumps(states, positions, sites.fractional, number, residence))
        first = first or (transitions, tables[-1])
    assert first is not None
    n_frames = sum(len(positions) for positions in frames.mobile)
    return _Visits(frame_counts[1:] / n_frames, float(frame_counts[0] / frame_counts.sum()), concatenate(tables), first)


def _vibration(trajectory: Any, frames: JumpFrames, sites: Sites, species: str, radius: float) -> Vibration:
    states, _ = by_gemdat.site_visits(trajectory, sites.fractional, species, radius)
    table = find_jumps(states, frames.vibration, sites.fractional, 0)
    numbers = stays(table, *states.shape)
    return vibration_between_jumps(frames.vibration @ frames.cell, numbers, frames.stored_interval_fs)


def _attempt_frequency(vibration: Vibration, settings: JumpSettings) -> tuple[float, str]:
    """Return the attempt frequency, THz, and whether it was given, measured or assumed."""
    if settings.attempt_frequency_THz is not None:
        return settings.attempt_frequency_THz, "given"
    if vibration.attempt_frequency_THz is not None:
        return vibration.attempt_frequency_THz, "measured"
    return ASSUMED_ATTEMPT_FREQUENCY_THZ, "assumed"
