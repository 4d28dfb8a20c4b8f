"""What the maps of a frozen potential-energy surface say: percolation barriers, sites, saddles and caveats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from aiida_ion.analysis.crystals.cell import perpendicular_widths
from aiida_ion.analysis.energy_maps.frozen.compute import FrozenMap
from aiida_ion.analysis.energy_maps.frozen.descriptors import IonMap, published_descriptors
from aiida_ion.analysis.energy_maps.frozen.grid import distance_to_host_A
from aiida_ion.analysis.energy_maps.frozen.hop_region import hop_region, saddle_eV
from aiida_ion.analysis.energy_maps.frozen.map_plan import FrozenPlan
from aiida_ion.analysis.energy_maps.percolation import Percolation, Threshold, percolate_graph, percolate_grid

FloatArray = npt.NDArray[np.float64]

Barriers = list[float | None]
#: Atoms further from a point than this are not looked for, angstrom.
REACH_A = 6.0
#: A minimum this much lower than the site, eV, or this far from it, angstrom, is not that of a relaxed crystal: the
#: limits of the published checks.
DEEPER_EV, FURTHER_A = 0.2, 0.5
#: Error of a barrier as a part of its difference to that of twice the step, where errors fall with its square.
SECOND_ORDER = 1.0 / 3.0
#: The box of the published descriptors has eight times as many points as the grid.
MAX_DESCRIPTOR_POINTS = 200_000
#: In narrower cells the images of an ion that moves among all others are part of what it feels, angstrom.
MIN_WIDTH_KEPT_A = 8.0


def frozen_results(plan: FrozenPlan, maps: Sequence[FrozenMap], with_descriptors: bool = True) -> dict[str, Any]:
    """Return the results of all maps of a crystal, as plain data.

    :param plan: the plan that the maps are of.
    :param maps: in the order of the plan.
    :param with_descriptors: whether the published descriptors are computed, too; a map of a hop has none.
    """
    summaries = [_summary(one) for one in maps]
    result: dict[str, Any] = {
        "others": plan.others,
        "maps": summaries,
        "n_atoms": plan.n_atoms,
        "multiples": list(plan.multiples),
        "evaluations": _evaluations(maps),
        "caveats": _caveats(plan, maps, summaries),
    }
    if plan.others == "vacancy":
        return result | _hop_barriers(plan, maps)
    result |= _map_barriers(maps, summaries)
    result["caveats"] += _without_error(result)
    largest = max(one.n_points for one in maps)
    if with_descriptors and largest > MAX_DESCRIPTOR_POINTS:
        result["caveats"].append(f"no published descriptors: their box needs too much memory for {largest:,} points")
    elif with_descriptors:
        ions = [IonMap(one.energies_eV, one.site, one.plan.copies) for one in maps]
        result["descriptors"] = published_descriptors(ions, maps[0].plan.host.cell)
    return result


def _map_barriers(maps: Sequence[FrozenMap], summaries: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the barriers of the ion that percolates most easily, and what every second point makes of them."""
    fine = [percolate_grid(one.energies_eV) for one in maps]
    coarse = [percolate_grid(one.energies_eV[::2, ::2, ::2]) for one in maps]
    for summary, found, one in zip(summaries, fine, maps, strict=True):
        summary["barriers_eV"] = found.barriers_eV
        summary["saddles"] = [_saddle(threshold, one) for threshold in found.thresholds]
    barriers = _lowest([one.barriers_eV for one in fine])
    coarser = _lowest([one.barriers_eV for one in coarse])
    errors = [
        None if one is None or other is None else SECOND_ORDER * abs(one - other)
        for one, other in zip(barriers, coarser, strict=True)
    ]
    return {
        "zero": "lowest point of the map of the ion",
        "barriers_eV": barriers,
        "uncertainty_eV": errors,
        "barriers_interval_eV": [_interval(one, error) for one, error in zip(barriers, errors, strict=True)],
        "barriers_at_twice_the_step_eV": coarser,
        "barriers_in_component_eV": _lowest([one.barriers_in_component_eV for one in fine]),
        "barriers_above_site_eV": _lowest([_above_site(found, one) for found, one in zip(fine, maps, strict=True)]),
        "site_depth_eV": min(site["energy_above_minimum_eV"] for summary in summaries for site in summary["sites"]),
    }


def _without_error(result: Mapping[str, Any]) -> list[str]:
    """Return a sentence on barriers whose grid has no error that is known."""
    pairs = zip(result["barriers_eV"], result["uncertainty_eV"], strict=True)
    missing = [f"{n + 1}-D" for n, (barrier, error) in enumerate(pairs) if barrier is not None and error is None]
    if not missing:
        return []
    return [f"every second point does not percolate: the error of the {', '.join(missing)} barriers is not known"]


def _interval(barrier: float | None, error: float | None) -> list[float] | None:
    return None if barrier is None or error is None else [max(0.0, barrier - error), barrier + error]


def _hop_barriers(plan: FrozenPlan, maps: Sequence[FrozenMap]) -> dict[str, Any]:
    """Return the barriers of the graph of hops to nearest vacancies; all energies are of crystals with one vacancy."""
    energies = np.full(len(plan.mobile), np.inf)
    edges, weights, hops = [], [], []
    for one in maps:
        hop, start, end = one.plan.hop, float(one.site_energies_eV[0]), one.vacancy_energy_eV
        assert hop is not None and end is not None
        saddle = saddle_eV(hop_region(one.plan.host.cell, one.grid, hop.vacancy), one.energies_eV, end)
        # With the ion at its site the other place is empty, and the other way round.
        for ion, energy in zip(hop.ions, (end, start), strict=True):
            same = plan.orbits == plan.orbits[ion]
            energies[same] = np.minimum(energies[same], energy)
        edges.append(hop.edges)
        weights.append(np.full(len(hop.edges), saddle))
        hops.append(_hop(one, saddle, start, end))
    graph = np.vstack(edges)
    energies[~np.isfinite(energies)] = energies[np.isfinite(energies)].max()  # no hop begins or ends there
    found = percolate_graph(energies, graph[:, :2], graph[:, 2:], np.concatenate(weights))
    return {
        "zero": "crystal with its vacancy where it costs least",
        "barriers_eV": found.barriers_eV,
        "barriers_in_component_eV": found.barriers_in_component_eV,
        "uncertainty_eV": [None, None, None],
        "barriers_interval_eV": [None, None, None],
        "hops": hops,
    }


def _hop(one: FrozenMap, saddle: float, start: float, end: float) -> dict[str, Any]:
    """Return length and barriers of a hop; no barrier where every pathway in its region is too close to an atom."""
    assert one.plan.hop is not None
    is_open = np.isfinite(saddle)
    return {
        "length_A": float(np.linalg.norm((one.plan.hop.vacancy - one.site) @ one.plan.host.cell)),
        "n_hops": len(one.plan.hop.edges),
        "forward_eV": saddle - start if is_open else None,
        "backward_eV": saddle - end if is_open else None,
    }


def _lowest(rows: Sequence[Barriers]) -> Barriers:
    """Return the lowest barrier of any map, for each number of dimensions."""
    columns = [[row[column] for row in rows] for column in range(3)]
    return [min((one for one in column if one is not None), default=None) for column in columns]


def _above_site(found: Percolation, one: FrozenMap) -> Barriers:
    site = float(one.site_energies_eV[one.origin])
    above: Barriers = [threshold.energy_eV - site for threshold in found.thresholds]
    return above + [None] * (3 - len(above))


def _summary(one: FrozenMap) -> dict[str, Any]:
    """Return what a map is of, its sites and its minimum."""
    lowest = float(one.energies_eV.min())
    index = int(one.energies_eV.argmin())
    minimum = one.grid.fractions(np.array([index]))[0]
    nearest = _to_sites_A(one, minimum)
    return {
        "sites": [
            {
                "fractional": (site % 1.0).tolist(),
                "multiplicity": int(count),
                "energy_above_minimum_eV": float(energy) - min(lowest, float(one.site_energies_eV.min())),
            }
            for site, count, energy in zip(one.plan.sites, one.plan.multiplicities, one.site_energies_eV, strict=True)
        ],
        "origin": one.origin,
        "minimum": {
            "fractional": (minimum % 1.0).tolist(),
            "distance_to_site_A": nearest,
            **_surroundings(one, minimum),
        },
        "grid": list(one.grid.shape),
        "n_operations": one.grid.n_operations,
        "n_points": one.n_points,
        "n_valid": one.n_valid,
        "n_inequivalent": len(one.grid.representatives),
        "n_evaluated": one.n_evaluated,
        "n_not_finite": one.n_not_finite,
        "highest_eV": float(one.energies_eV[np.isfinite(one.energies_eV)].max()) - lowest,
    }


def _to_sites_A(one: FrozenMap, point: FloatArray) -> float:  # noqa: N802
    """Return the distance of a point to the nearest site of the ion or an equivalent one in the host, angstrom."""
    host = one.plan.host
    sites = [host.rotations @ site + host.translations for site in one.plan.sites]
    apart = np.vstack(sites) - point
    return float(np.linalg.norm((apart - np.round(apart)) @ host.cell, axis=1).min())


def _saddle(threshold: Threshold, one: FrozenMap) -> dict[str, Any]:
    """Return where the pathway that closes is highest: between two neighbouring points of the grid."""
    first, second = one.grid.fractions(np.array(threshold.saddle))
    place = 0.5 * (first + second + np.array(threshold.vector))
    return {"energy_eV": threshold.energy_eV - float(one.energies_eV.min()), "fractional": (place % 1.0).tolist()} | (
        _surroundings(one, place)
    )


def _surroundings(one: FrozenMap, place: FloatArray) -> dict[str, Any]:
    """Return the atom of the host that is nearest to a point, by its atomic number, and its distance, angstrom."""
    distances, atoms = distance_to_host_A(one.plan.host, place[None], REACH_A)
    if atoms[0] < 0:
        return {"nearest_atom": None, "distance_to_atom_A": None}
    return {"nearest_atom": int(one.plan.host.numbers[atoms[0]]), "distance_to_atom_A": float(distances[0])}


def _evaluations(maps: Sequence[FrozenMap]) -> dict[str, int]:
    """Return how many energies were computed, and how many would be without symmetry."""
    without = sum(one.n_valid * (1 if one.plan.hop else int(one.plan.multiplicities.sum())) for one in maps)
    return {"n_evaluated": sum(one.n_evaluated for one in maps), "n_without_symmetry": without}


def _caveats(plan: FrozenPlan, maps: Sequence[FrozenMap], summaries: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return sentences on what makes the barriers doubtful."""
    caveats = []
    for one, summary in zip(maps, summaries, strict=True):
        deeper = min(site["energy_above_minimum_eV"] for site in summary["sites"])
        minimum = summary["minimum"]
        away = minimum["distance_to_site_A"]
        if one.plan.hop is None and (deeper > DEEPER_EV or away > FURTHER_A):
            caveats.append(
                f"the lowest point of the map is {deeper:.2f} eV below the site, {away:.2f} angstrom from the nearest "
                f"one and {minimum['distance_to_atom_A'] or REACH_A:.2f} angstrom from an atom: relax the crystal with "
                "this potential first, or look at barriers_above_site_eV"
            )
        if one.n_not_finite:
            caveats.append(f"{one.n_not_finite} energies were not finite; their points count as too close to an atom")
    width = float(perpendicular_widths(maps[0].plan.simulated().cell).min())
    if plan.others == "kept" and width < MIN_WIDTH_KEPT_A:
        caveats.append(
            f"the cell is {width:.1f} angstrom wide, and the ion moves together with its images: the barriers are of a "
            f"shift of the sublattice; set min_width_A to {MIN_WIDTH_KEPT_A:g}"
        )
    return caveats
