"""Barriers of inequivalent hops -> the network of all hops, on one scale of energy, and where it percolates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from aiida_ion.analysis.energy_maps.percolation import percolate_graph
from aiida_ion.analysis.migration.network_data import HopNetwork

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
#: Equivalent ends, relaxed for different hops, agree within this; more is said, eV.
SAME_END_EV = 0.02


@dataclass(frozen=True)
class HopEnergies:
    """What was computed for one hop: total energies of the same atoms in the same cell, eV.

    :param start_eV: the ion at the first site, None where it did not stay there.
    :param end_eV: the ion at the second site.
    :param saddle_eV: the highest point of the path; None where no path was found.
    """

    start_eV: float | None
    end_eV: float | None
    saddle_eV: float | None


@dataclass(frozen=True)
class EnergyNetwork:
    """All hops of a cell with energies from the lowest site.

    The state of a site is "the vacancy is here", or "the extra ion is here" for interstitials.

    :param sites_eV: (n,), infinite for a site that no relaxed end is at.
    :param saddles_eV: (m,), infinite for hops without a path.
    :param pairs: (m, 2), the two sites.
    :param vectors: (m, 3), cell of the second.
    :param steps_A: (m, 3), from the first to the second, angstrom.
    :param zero_eV: total energy of the lowest site, eV.
    :param end_spread_eV: largest difference between equivalent ends, eV.
    :param missing: labels of hops without a path.
    """

    sites_eV: FloatArray
    saddles_eV: FloatArray
    pairs: IntArray
    vectors: IntArray
    steps_A: FloatArray
    zero_eV: float
    end_spread_eV: float
    missing: list[str]


def energy_network(network: HopNetwork, cell: npt.NDArray[Any], energies: Mapping[str, HopEnergies]) -> EnergyNetwork:
    """Put the energies of inequivalent hops on all hops.

    :param network: the hops; with a vacancy an ion that goes from the first site to the second moves the vacancy from
        the second to the first.
    :param cell: rows are cell vectors, angstrom, (3, 3).
    :param energies: for each label of a hop; absent ones count as without a path.
    :raises ValueError: where not one hop has energies.
    """
    sites, spread = _site_energies(network, energies)
    if not np.isfinite(sites).any():
        raise ValueError("not one hop has relaxed ends")
    zero = float(sites[np.isfinite(sites)].min())
    saddles, missing = [], []
    for hop in network.hops:
        of_hop = energies.get(hop.label)
        has_path = of_hop is not None and of_hop.saddle_eV is not None
        saddles.append(of_hop.saddle_eV if of_hop is not None and has_path else np.inf)
        missing += [] if has_path else [hop.label]
    fractions = np.array(network.sites)
    pairs, vectors = np.array(network.pairs), np.array(network.vectors)
    of_member = np.array(saddles, dtype=float)[np.array(network.members)]
    # A saddle cannot be below its ends: where relaxed ends disagree by noise, the higher counts.
    of_member = np.maximum(of_member, np.where(np.isfinite(sites[pairs]), sites[pairs], -np.inf).max(axis=1))
    steps = (fractions[pairs[:, 1]] + vectors - fractions[pairs[:, 0]]) @ np.asarray(cell, dtype=float)
    return EnergyNetwork(sites - zero, of_member - zero, pairs, vectors, steps, zero, spread, missing)


def _site_energies(network: HopNetwork, energies: Mapping[str, HopEnergies]) -> tuple[FloatArray, float]:
    """Return the energy of each site, eV, and the largest difference between equivalent ends."""
    by_orbit: dict[int, list[float]] = {}
    for hop in network.hops:
        of_hop = energies.get(hop.label)
        if of_hop is None:
            continue
        # The ion at the first site leaves the vacancy at the second; an interstitial is where the ion is.
        ends = (hop.second, hop.first) if network.mechanism == "vacancy" else (hop.first, hop.second)
        for site, energy_eV in zip(ends, (of_hop.start_eV, of_hop.end_eV), strict=True):
            if energy_eV is not None:
                by_orbit.setdefault(network.site_orbits[site], []).append(energy_eV)
    lowest = {orbit: min(values) for orbit, values in by_orbit.items()}
    spread = max((max(values) - min(values) for values in by_orbit.values()), default=0.0)
    return np.array([lowest.get(orbit, np.inf) for orbit in network.site_orbits], dtype=float), float(spread)


def percolation_of(energies: EnergyNetwork) -> dict[str, Any]:
    """Return the migration barriers in one, two and three dimensions, and their bounds where hops have no path.

    :returns: ``barriers_eV``, from the lowest site, with hops that have no path left out: these are upper bounds of the
        network's barriers; ``least_barriers_eV``, the same where such hops cost no more than their ends: lower bounds.
        Both are equal where every hop has a path. Lists of three, null where the network is not connected.
    """
    upper = _percolate(energies, energies.saddles_eV)
    ends = np.where(np.isfinite(energies.sites_eV), energies.sites_eV, 0.0)[energies.pairs].max(axis=1)
    lower = _percolate(energies, np.where(np.isfinite(energies.saddles_eV), energies.saddles_eV, ends))
    return {
        "barriers_eV": upper["barriers_eV"],
        "barriers_in_component_eV": upper["barriers_in_component_eV"],
        "least_barriers_eV": lower["barriers_eV"],
        "is_bound": bool(energies.missing),
    }


def _percolate(energies: EnergyNetwork, saddles_eV: FloatArray) -> dict[str, list[float | None]]:
    has_path = np.isfinite(saddles_eV)
    if not has_path.any():
        return {"barriers_eV": [None] * 3, "barriers_in_component_eV": [None] * 3}
    # A site without energy is as high as the lowest saddle that leaves it: it can be no higher, and is no minimum.
    sites = energies.sites_eV.copy()
    for site in np.flatnonzero(~np.isfinite(sites)):
        at_site = has_path & (energies.pairs == site).any(axis=1)
        sites[site] = saddles_eV[at_site].min() if at_site.any() else float(saddles_eV[has_path].max())
    found = percolate_graph(sites, energies.pairs[has_path], energies.vectors[has_path], saddles_eV[has_path])
    return {
        "barriers_eV": _plain(found.barriers_eV),
        "barriers_in_component_eV": _plain(found.barriers_in_component_eV),
    }


def _plain(values: Sequence[float | None]) -> list[float | None]:
    return [None if value is None else float(value) for value in values]
