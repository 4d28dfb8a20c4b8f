"""Dopants and the carriers that balance them: drawn with point charges at the temperature where dopants froze."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from aiida_ion.analysis.defects.placing import MIN_APART_A, Placement, Sites, distances_A
from aiida_ion.analysis.defects.plan import DefectPlan
from aiida_ion.analysis.disorder.draws import Quality, draw
from aiida_ion.analysis.disorder.electrostatics import ewald_matrix
from aiida_ion.analysis.disorder.lattice import EMPTY, Lattice
from aiida_ion.analysis.disorder.settings import OrderingSettings


def place_dopants(
    plan: DefectPlan, sites: Sites, numbers: list[int]
) -> tuple[list[Placement], npt.NDArray[np.float64], npt.NDArray[np.int64], Quality]:
    """Return dopants and carriers of several cells.

    Dopants exchange over all sites of their host element, carriers over all sites of the mobile ion, or over all
    empty ones, with the energies of point charges divided by the screening. Carriers then settle around the dopants.

    :param numbers: of the cells; each depends on the seed and its number alone.
    :returns: placements, energies of the point charges, eV, pairs of interstitials that stayed too close, and whether
        the draws reached equilibrium.
    """
    lattice, forbidden = _lattice(plan, sites)
    settings = OrderingSettings(
        mobile_species=plan.settings.mobile_species,
        freezing_temperature_K=plan.settings.freezing_temperature_K,
        screening=plan.settings.screening,
        sweeps=plan.settings.sweeps,
        seed=plan.settings.seed,
    )
    matrix = ewald_matrix(lattice.cell, lattice.places)
    chains, quality = draw(lattice, matrix, forbidden, numbers, settings)
    dopant = 1 + lattice.elements.index(str(plan.settings.dopant))
    n_atoms = len(sites.places)
    placements = [
        Placement(
            vacant=np.flatnonzero(state[:n_atoms] == EMPTY),
            doped=np.flatnonzero(state[:n_atoms] == dopant),
            added=np.flatnonzero(state[n_atoms:] != EMPTY),
        )
        for state in chains.states
    ]
    return placements, chains.energies_eV(), chains.n_forbidden(), quality


def _lattice(plan: DefectPlan, sites: Sites) -> tuple[Lattice, npt.NDArray[np.bool_]]:
    """Return the places as the sampler takes them, one pool for each element, and pairs that cannot both be filled."""
    settings, unit, n_units = plan.settings, plan.unit, plan.n_units
    mobile, host, dopant = settings.mobile_species, str(settings.host), str(settings.dopant)
    present = sorted(set(sites.symbols.tolist()))
    elements = tuple(sorted({*present, dopant}))
    group = np.array([present.index(symbol) for symbol in sites.symbols], dtype=np.int64)
    group = np.concatenate([group, np.full(len(sites.voids), len(present), dtype=np.int64)])
    contents = []
    for symbol in present:
        number, doped = int((sites.symbols == symbol).sum()), unit.n_dopants * n_units if symbol == host else 0
        held = {} if symbol == mobile else {symbol: number - doped}
        contents.append(held | ({dopant: doped} if doped else {}))
    own = np.flatnonzero(group == present.index(mobile))
    empty = np.flatnonzero(group == len(present))
    places = np.concatenate([sites.places, sites.voids])
    forbidden = np.zeros((len(places),) * 2, dtype=bool)
    if len(empty):
        forbidden[np.ix_(empty, empty)] = distances_A(sites.cell, sites.voids, sites.voids) < MIN_APART_A
        np.fill_diagonal(forbidden, False)
    lattice = Lattice(
        cell=sites.cell,
        places=places,
        orbit_of=group,
        elements=elements,
        charges_e=np.array([0.0, *(plan.states[element] for element in elements)]),
        contents=(*contents, {}),
        mobile=1 + elements.index(mobile),
        n_mobile=round(plan.amounts(n_units)[mobile]),
        open_places=empty if unit.n_added else own,
        filled=own if unit.n_added else np.zeros(0, dtype=np.int64),
        framework_pools=(np.flatnonzero(group == present.index(host)),),
    )
    return lattice, forbidden
