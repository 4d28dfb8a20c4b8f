"""The hops of a crystal: all pairs of sites up to the cut-off at which they form a network, reduced by symmetry."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from ase import Atoms
from ase.neighborlist import neighbor_list
from pymatgen.core.structure import Structure

from aiida_ion.analysis.crystals.cell import supercell_multiples
from aiida_ion.analysis.energy_maps.percolation import percolate_graph
from aiida_ion.analysis.migration.network_data import Hop, HopNetwork
from aiida_ion.analysis.migration.symmetry import (
    Key,
    SiteAction,
    act_on_sites,
    keeps_supercell,
    operations_of,
    undirected,
    with_equivalent_sites,
)

FloatArray = npt.NDArray[np.float64]
#: A straight path that passes another site of the mobile species closer than this goes through it, angstrom.
PASSES_A = 0.8
#: Lengths that differ by less are equal, angstrom.
EQUAL_A = 1e-3
#: Empty sites closer than this are the same, angstrom.
SAME_SITE_A = 0.5


def find_hops(
    structure: Structure,
    mobile_species: str,
    *,
    max_length_A: float = 5.0,
    min_width_A: float = 9.0,
    symprec_A: float = 0.01,
    empty_sites: Sequence[Sequence[float]] = (),
    cutoff_A: float | None = None,
    multiples: Sequence[int] | None = None,
) -> HopNetwork:
    """Return the inequivalent hops of a crystal.

    Without empty sites the ion is one of the crystal's and goes to a vacancy. With them it is one more than the crystal
    has, and goes from one empty site to another.

    :param structure: the ordered crystal.
    :param mobile_species: symbol of the ion that hops.
    :param max_length_A: longest hop that is looked for, angstrom.
    :param min_width_A: smallest distance between faces of the supercell, angstrom.
    :param symprec_A: how far atoms may be from their symmetric places, angstrom.
    :param empty_sites: fractions of empty sites; those equivalent to them are added.
    :param cutoff_A: length up to which all pairs are hops, angstrom; by default the shortest at which they form a
        network in as many dimensions as with ``max_length_A``.
    :param multiples: the supercell, instead of the smallest that is wide enough.
    :raises ValueError: without sites, or where no network forms.
    """
    operations = operations_of(structure, symprec_A)
    cell = np.asarray(structure.lattice.matrix, dtype=float)
    sites, atoms = _sites(structure, mobile_species)
    mechanism = "vacancy"
    if len(empty_sites):
        mechanism = "interstitial"
        sites = with_equivalent_sites(operations, np.asarray(empty_sites, dtype=float), cell, SAME_SITE_A)
        atoms = [-1] * len(sites)
    keys, lengths, n_passing = _pairs(sites, cell, max_length_A)
    cutoff_A, dimension = _cutoff(len(sites), keys, lengths, max_length_A, cutoff_A)
    keys = [key for key, length in zip(keys, lengths, strict=True) if length <= cutoff_A + EQUAL_A]
    action = act_on_sites(operations, sites, cell)
    a, b, c = multiples or supercell_multiples(cell, min_width_A)
    repeats = (int(a), int(b), int(c))
    hops, members, ordered = _reduce(keys, action, sites, cell, repeats)
    return HopNetwork(
        mechanism=mechanism,
        sites=sites.tolist(),
        atoms=atoms,
        site_orbits=action.site_orbits().tolist(),
        hops=hops,
        pairs=[list(key[:2]) for key in ordered],
        vectors=[list(key[2:]) for key in ordered],
        members=members,
        cutoff_A=cutoff_A,
        dimension=dimension,
        multiples=list(repeats),
        space_group=operations.symbol,
        n_passing=n_passing,
    )


def _sites(structure: Structure, mobile_species: str) -> tuple[FloatArray, list[int]]:
    atoms = [index for index, site in enumerate(structure) if site.specie.symbol == mobile_species]
    if not atoms:
        raise ValueError(f"no {mobile_species} in {structure.composition.reduced_formula}: nothing would hop")
    return np.array([structure[index].frac_coords for index in atoms], dtype=float), atoms


def _pairs(sites: FloatArray, cell: FloatArray, max_length_A: float) -> tuple[list[Key], list[float], int]:
    """Return all pairs of sites in one direction each, their lengths, and how many go through another site."""
    positions = sites @ cell
    places = Atoms("X" * len(sites), positions=positions, cell=cell, pbc=True)
    first, second, shifts, lengths, vectors = neighbor_list("ijSdD", places, max_length_A + EQUAL_A)
    kept: dict[Key, float] = {}
    passing: set[Key] = set()
    for i, j, shift, length, vector in zip(first, second, shifts, lengths, vectors, strict=True):
        key = undirected((int(i), int(j), *map(int, shift)))
        if key in kept or key in passing:
            continue
        others = vectors[(first == i) & (lengths < length + PASSES_A)]
        if _passes(others, vector):
            passing.add(key)
        else:
            kept[key] = float(length)
    return list(kept), list(kept.values()), len(passing)


def _passes(others: FloatArray, vector: FloatArray) -> bool:
    """Whether the straight line from the origin to a vector comes close to one of other places between its ends."""
    length = float(np.linalg.norm(vector))
    along = others @ (vector / length)
    aside = np.sqrt(np.maximum(np.einsum("ij,ij->i", others, others) - along**2, 0.0))
    between = (along > PASSES_A) & (along < length - PASSES_A)
    return bool((aside[between] < PASSES_A).any())


def _cutoff(
    n_sites: int, keys: list[Key], lengths: list[float], max_length_A: float, given_A: float | None
) -> tuple[float, int]:
    """Return the cut-off, angstrom, and the dimensions in which the network of hops up to it is connected."""
    advice = "raise max_length_A, or add empty sites"
    if not keys:
        raise ValueError(f"no two sites of the mobile ion are within {max_length_A:g} angstrom: {advice}")
    numbers = np.array(keys)
    graph = percolate_graph(np.zeros(n_sites), numbers[:, :2], numbers[:, 2:], np.array(lengths))
    thresholds = [float(threshold.energy_eV) for threshold in graph.thresholds]  # lengths, angstrom
    if not thresholds:
        raise ValueError(
            f"hops up to {max_length_A:g} angstrom connect no site with its image in another cell: {advice}"
        )
    if given_A is None:
        return thresholds[-1], len(thresholds)
    dimension = sum(threshold <= given_A + EQUAL_A for threshold in thresholds)
    if not dimension:
        raise ValueError(f"hops up to {given_A:g} angstrom form no network; one forms at {thresholds[0]:.3f} angstrom")
    return given_A, dimension


def _reduce(
    keys: list[Key], action: SiteAction, sites: FloatArray, cell: FloatArray, multiples: tuple[int, int, int]
) -> tuple[list[Hop], list[int], list[Key]]:
    """Return one hop of each orbit, by length, then for all hops of the cell which orbit they are of."""
    waiting = {undirected(key) for key in keys}
    orbits: list[tuple[float, Key, set[Key]]] = []
    while waiting:
        key = min(waiting)
        orbit = action.orbit(key)
        if not orbit <= waiting:
            raise ValueError(
                "a hop is equivalent to one that is longer: the crystal is not quite symmetric; lower "
                "symprec_A, or relax it"
            )
        waiting -= orbit
        orbits.append((round(_length(key, sites, cell), 6), min(orbit), orbit))
    hops, members, ordered = [], [], []
    for number, (length_A, key, orbit) in enumerate(sorted(orbits, key=lambda entry: entry[:2])):
        swaps = [action.rotations[operation] for operation in action.exchanging(key)]
        is_symmetric = any(keeps_supercell(rotation, multiples) for rotation in swaps)
        first, second, a, b, c = key
        hops.append(Hop(f"hop_{number + 1:02d}", first, second, (a, b, c), length_A, len(orbit), is_symmetric))
        members += [number] * len(orbit)
        ordered += sorted(orbit)
    return hops, members, ordered


def _length(key: Key, sites: FloatArray, cell: FloatArray) -> float:
    first, second, *shift = key
    return float(np.linalg.norm((sites[second] + np.array(shift) - sites[first]) @ cell))
