"""Radial distributions and vibrations of the trajectories of two levels of theory, temperature by temperature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from aiida import orm
from ase.data import atomic_masses, atomic_numbers
from numpy.typing import NDArray

from aiida_ion.analysis.comparison.radial_distribution import (
    MAX_FRAMES,
    RadialDistribution,
    averaged,
    radial_distribution,
    rdf_distance,
    rdf_range_A,
)
from aiida_ion.analysis.comparison.vibrational_density import (
    VibrationalDensity,
    common_frequencies,
    on_frequencies,
    vdos_distance,
    vibrational_density,
)
from aiida_ion.analysis.trajectories.trajectory import check_spacing
from aiida_ion.calculations.comparison.findings import Findings, starting_with, symbols_of_all
from aiida_ion.units import FS_PER_PS

#: Segments of each run of one temperature, in the order of time.
Runs = list[list[orm.TrajectoryData]]


def compare_structure(nodes: Mapping[str, Any], settings: Mapping[str, Any]) -> Findings:
    """Compare where the atoms are and how they vibrate.

    :param nodes: segments `trajectory_<key>` and `reference_trajectory_<key>`.
    :param settings: parameters of the comparison.
    """
    findings = Findings()
    sides = [starting_with(nodes, f"{prefix}trajectory_") for prefix in ("", "reference_")]
    levels = [settings[f"{prefix}level_of_theory"] for prefix in ("", "reference_")]
    runs, reference = (runs_by_temperature(side) for side in sides)
    shared = sorted(set(runs) & set(reference))
    problem = _validate(sides, levels) or (None if shared else "the two levels have no temperature in common")
    if problem is not None:
        findings.lack(f"Structure and vibrations: {problem}.")
        return findings
    findings.say({"structure_temperatures_K": shared})
    pairs = [(runs[temperature], reference[temperature]) for temperature in shared]
    for what, compare in (("Structure", _radial_distributions), ("Vibrations", _vibrations)):
        try:
            findings.add(compare(pairs, settings))
        except ValueError as error:
            findings.lack(f"{what}: {error}.")
    return findings


def _validate(sides: Sequence[Mapping[str, orm.TrajectoryData]], levels: Sequence[str]) -> str | None:
    """Return why the trajectories of the two levels cannot be compared."""
    elements = []
    for side, level in zip(sides, levels, strict=True):
        if not side:
            return f"there is no trajectory of {level}"
        symbols = symbols_of_all(side)
        if len(symbols) > 1:
            return f"the runs of {level} hold different atoms"
        elements.append(set(symbols[0]))
    return None if elements[0] == elements[1] else "the trajectories of the two levels hold different elements"


def runs_by_temperature(trajectories: Mapping[str, orm.TrajectoryData]) -> dict[float, Runs]:
    """Return the segments of each run, by the temperature and the seed that they state."""
    runs: dict[float, dict[Any, list[orm.TrajectoryData]]] = {}
    for node in trajectories.values():
        attributes = node.base.attributes.all
        if attributes.get("target_temperature_K") is not None:
            seeds = runs.setdefault(float(attributes["target_temperature_K"]), {})
            seeds.setdefault(attributes.get("seed"), []).append(node)
    return {
        temperature: [sorted(segments, key=_first_step) for segments in seeds.values()]
        for temperature, seeds in runs.items()
    }


def _first_step(node: orm.TrajectoryData) -> int:
    return int(node.get_array("steps")[0])


def _radial_distributions(pairs: Sequence[tuple[Runs, Runs]], settings: Mapping[str, Any]) -> Findings:
    findings = Findings()
    range_A = rdf_range_A(pairs[0][1][0][0].get_array("cells")[0])
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


def _rdf_halves(runs: Runs, settings: Mapping[str, Any], range_A: float) -> list[RadialDistribution]:
    """Return g(r) of the first and the second half of some frames, which are spread over all runs of a temperature."""
    symbols = runs[0][0].base.attributes.get("symbols")
    kept = [(node, row) for run in runs for node in run for row in _after_equilibration(node, settings)]
    if not kept:
        raise ValueError("no frame is left after equilibration")
    n_frames = int(settings.get("max_rdf_frames", MAX_FRAMES))
    chosen = np.unique(np.linspace(0, len(kept) - 1, min(n_frames, len(kept))).round().astype(int))
    frames = [(kept[index][0].get_array("positions")[kept[index][1]], _cell(*kept[index])) for index in chosen]
    for run in runs:
        for node in run:
            node.clear_internal_cache()
    parts = [frames[: len(frames) // 2], frames[len(frames) // 2 :]]
    return [
        radial_distribution(np.array([p for p, _ in part]), np.array([c for _, c in part]), symbols, range_A, n_frames)
        for part in parts
        if part
    ]


def _cell(node: orm.TrajectoryData, row: int) -> NDArray[Any]:
    cell: NDArray[Any] = node.get_array("cells")[row]
    return cell


def _after_equilibration(node: orm.TrajectoryData, settings: Mapping[str, Any]) -> NDArray[np.int64]:
    times_fs = node.get_array("times") * FS_PER_PS
    return np.flatnonzero(times_fs >= float(settings.get("equilibration_fs", 0.0)) - 1e-6)


def _vibrations(pairs: Sequence[tuple[Runs, Runs]], settings: Mapping[str, Any]) -> Findings:
    findings = Findings()
    levels = [settings["level_of_theory"], settings["reference_level_of_theory"]]
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


def _density(runs: Runs, settings: Mapping[str, Any], level: str) -> VibrationalDensity:
    """Return the vibrational density of all runs of one temperature.

    :raises ValueError: if they keep no velocities, or too few.
    """
    joined, spacings = [], []
    for run in runs:
        if not all("velocities" in node.get_arraynames() for node in run):
            raise ValueError(f"{level} keeps no velocities; run it with 'keep: [velocities]'")
        rows = [_after_equilibration(node, settings) for node in run]
        times = np.concatenate([node.get_array("times")[kept] for node, kept in zip(run, rows, strict=True)])
        joined.append(
            np.concatenate([node.get_array("velocities")[kept] for node, kept in zip(run, rows, strict=True)])
        )
        spacings.append(check_spacing(times) * FS_PER_PS)
        for node in run:
            node.clear_internal_cache()
    if not np.allclose(spacings, spacings[0], rtol=1e-3):
        raise ValueError(f"the runs of {level} keep velocities at different intervals")
    masses = atomic_masses[[atomic_numbers[symbol] for symbol in runs[0][0].base.attributes.get("symbols")]]
    try:
        return vibrational_density(joined, masses, spacings[0])
    except ValueError as error:
        raise ValueError(f"{level}: {error}") from error
