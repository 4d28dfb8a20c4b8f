"""Radial distributions and vibrations of the trajectories of two levels of theory, temperature by temperature."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from ase.data import atomic_masses, atomic_numbers
from numpy.typing import NDArray

from aiida_ion.analysis.comparison.findings import Findings
from aiida_ion.analysis.comparison.radial_distribution import (
    RadialDistribution,
    averaged,
    radial_distribution,
    rdf_distance,
    rdf_range_A,
)
from aiida_ion.analysis.comparison.segments import ComparedSegment, Segments, distinct_symbols
from aiida_ion.analysis.comparison.settings import ComparisonSettings
from aiida_ion.analysis.comparison.vibrational_density import (
    VibrationalDensity,
    common_frequencies,
    on_frequencies,
    vdos_distance,
    vibrational_density,
)
from aiida_ion.analysis.trajectories.trajectory import check_spacing
from aiida_ion.units import FS_PER_PS

#: Segments of each run of one temperature, in the order of time.
Runs = list[list[ComparedSegment]]


def compare_structure(sides: Sequence[Segments], levels: Sequence[str], settings: ComparisonSettings) -> Findings:
    """Compare where the atoms are and how they vibrate.

    :param sides: segments of the compared level and of the reference.
    :param levels: their levels of theory.
    :param settings: what is left out and how many frames are looked at.
    """
    findings = Findings()
    runs, reference = (runs_by_temperature(side) for side in sides)
    shared = sorted(set(runs) & set(reference))
    problem = _validate(sides, levels) or (None if shared else "the two levels have no temperature in common")
    if problem is not None:
        findings.lack(f"Structure and vibrations: {problem}.")
        return findings
    findings.say({"structure_temperatures_K": shared})
    pairs = [(runs[temperature], reference[temperature]) for temperature in shared]
    try:
        findings.add(_radial_distributions(pairs, settings))
    except ValueError as error:
        findings.lack(f"Structure: {error}.")
    try:
        findings.add(_vibrations(pairs, levels, settings))
    except ValueError as error:
        findings.lack(f"Vibrations: {error}.")
    return findings


def _validate(sides: Sequence[Segments], levels: Sequence[str]) -> str | None:
    """Return why the trajectories of the two levels cannot be compared."""
    elements = []
    for side, level in zip(sides, levels, strict=True):
        if not side:
            return f"there is no trajectory of {level}"
        symbols = distinct_symbols(list(side.values()))
        if len(symbols) > 1:
            return f"the runs of {level} hold different atoms"
        elements.append(set(symbols[0]))
    return None if elements[0] == elements[1] else "the trajectories of the two levels hold different elements"


def runs_by_temperature(segments: Segments) -> dict[float, Runs]:
    """Return the segments of each run, by the temperature and the seed that they state."""
    runs: dict[float, dict[Any, list[ComparedSegment]]] = {}
    for segment in segments.values():
        if segment.temperature_K is not None:
            runs.setdefault(segment.temperature_K, {}).setdefault(segment.seed, []).append(segment)
    return {
        temperature: [sorted(run, key=_first_step) for run in seeds.values()] for temperature, seeds in runs.items()
    }


def _first_step(segment: ComparedSegment) -> int:
    return int(segment.arrays["steps"][0])


def _radial_distributions(pairs: Sequence[tuple[Runs, Runs]], settings: ComparisonSettings) -> Findings:
    findings = Findings()
    range_A = rdf_range_A(pairs[0][1][0][0].arrays["cells"][0])
    halves = [[_rdf_halves(runs, settings, range_A) for runs in pair] for pair in pairs]
    both = [[averaged(parts) for parts in pair] for pair in halves]
    apart = [rdf_distance(*pair) for pair in both]
    within = [rdf_distance(*parts).mean for _, parts in halves if len(parts) == 2]
    names = apart[0].by_pair
    findings.say(
        {
            "rdf_distance": float(np.mean([one.mean for one in apart])),
            "rdf_distance_by_pair": {name: float(np.mean([one.by_pair[name] for one in apart])) for name in names},
            "rdf_distance_by_temperature": [one.mean for one in apart],
            "rdf_distance_of_reference_halves": float(np.mean(within)) if within else None,
            "rdf_pairs": list(both[0][0].pairs),
            "rdf_n_frames": [pair[0].n_frames for pair in both],
            "reference_rdf_n_frames": [pair[1].n_frames for pair in both],
        }
    )
    findings.arrays = {
        "rdf_r_A": both[0][0].r_A,
        "rdf": np.array([pair[0].g for pair in both]),
        "reference_rdf": np.array([pair[1].g for pair in both]),
    }
    return findings


def _rdf_halves(runs: Runs, settings: ComparisonSettings, range_A: float) -> list[RadialDistribution]:
    """Return g(r) of the first and the second half of some frames, which are spread over all runs of a temperature."""
    symbols = runs[0][0].symbols
    kept = [(segment, row) for run in runs for segment in run for row in _after_equilibration(segment, settings)]
    if not kept:
        raise ValueError("no frame is left after equilibration")
    n_frames = settings.max_rdf_frames
    chosen = np.unique(np.linspace(0, len(kept) - 1, min(n_frames, len(kept))).round().astype(int))
    frames = [[kept[index][0].arrays[name][kept[index][1]] for name in ("positions", "cells")] for index in chosen]
    parts = [frames[: len(frames) // 2], frames[len(frames) // 2 :]]
    return [
        radial_distribution(np.array([p for p, _ in part]), np.array([c for _, c in part]), symbols, range_A, n_frames)
        for part in parts
        if part
    ]


def _after_equilibration(segment: ComparedSegment, settings: ComparisonSettings) -> NDArray[np.int64]:
    times_fs = segment.arrays["times"] * FS_PER_PS
    return np.flatnonzero(times_fs >= settings.equilibration_fs - 1e-6)


def _vibrations(pairs: Sequence[tuple[Runs, Runs]], levels: Sequence[str], settings: ComparisonSettings) -> Findings:
    findings = Findings()
    both = [[_density(runs, settings, level) for runs, level in zip(pair, levels, strict=True)] for pair in pairs]
    apart = [vdos_distance(*pair) for pair in both]
    grid = common_frequencies([density for _, density in both] + [density for density, _ in both])
    findings.say(
        {
            "vdos_distance": float(np.mean(apart)),
            "vdos_distance_by_temperature": apart,
            "vdos_nyquist_THz": min(density.nyquist_THz for density, _ in both),
            "reference_vdos_nyquist_THz": min(density.nyquist_THz for _, density in both),
            "vdos_resolution_THz": float(grid[1] - grid[0]),
        }
    )
    findings.arrays = {
        "vdos_frequency_THz": grid,
        "vdos_1_THz": np.array([on_frequencies(density, grid) for density, _ in both]),
        "reference_vdos_1_THz": np.array([on_frequencies(density, grid) for _, density in both]),
    }
    return findings


def _density(runs: Runs, settings: ComparisonSettings, level: str) -> VibrationalDensity:
    """Return the vibrational density of all runs of one temperature.

    :raises ValueError: if they keep no velocities, or too few.
    """
    joined, spacings = [], []
    for run in runs:
        if not all("velocities" in segment.arrays for segment in run):
            raise ValueError(f"{level} keeps no velocities; run it with 'keep: [velocities]'")
        rows = [_after_equilibration(segment, settings) for segment in run]
        times, velocities = (
            np.concatenate([segment.arrays[name][kept] for segment, kept in zip(run, rows, strict=True)])
            for name in ("times", "velocities")
        )
        joined.append(velocities)
        spacings.append(check_spacing(times) * FS_PER_PS)
    if not np.allclose(spacings, spacings[0], rtol=1e-3):
        raise ValueError(f"the runs of {level} keep velocities at different intervals")
    masses = atomic_masses[[atomic_numbers[symbol] for symbol in runs[0][0].symbols]]
    try:
        return vibrational_density(joined, masses, spacings[0])
    except ValueError as error:
        raise ValueError(f"{level}: {error}") from error
