"""Calculation functions of migration barriers: which hops there are, and what their energies add up to."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from aiida import orm
from aiida.engine import calcfunction

from aiida_ion.analysis.crystals.cell import check_size
from aiida_ion.analysis.migration.cells import cells_of
from aiida_ion.analysis.migration.hops import find_hops
from aiida_ion.analysis.migration.network import SAME_END_EV, EnergyNetwork, HopEnergies, energy_network, percolation_of
from aiida_ion.analysis.migration.network_data import HopNetwork
from aiida_ion.calculations.sample import describe_sample
from aiida_ion.settings.migration import HopSearchSettings


@calcfunction
def inequivalent_hops(structure: orm.StructureData, parameters: orm.Dict) -> orm.Dict:
    """Return the hops of a crystal that symmetry does not make equivalent.

    :param structure: the crystal, relaxed.
    :param parameters: settings of :class:`~aiida_ion.settings.migration.HopSearchSettings`.
    """
    return orm.Dict(search(structure, HopSearchSettings.from_dict(parameters.get_dict())))


def search(structure: orm.StructureData, settings: HopSearchSettings) -> dict[str, Any]:
    """Return mobile species, network of hops and number of atoms of each cell, as plain data.

    :raises ValueError: if the crystal cannot be used, forms no network of hops, or has too many of them.
    """
    sample = describe_sample(structure, settings.mobile_species)
    network = find_hops(
        structure.get_pymatgen_structure(),
        sample.mobile_species,
        max_length_A=settings.max_length_A,
        min_width_A=settings.min_width_A,
        symprec_A=settings.symprec_A,
        empty_sites=settings.empty_sites,
        cutoff_A=settings.cutoff_A,
        multiples=settings.supercell,
    )
    if len(network.hops) > settings.max_hops:
        raise ValueError(
            f"there are {len(network.hops)} inequivalent hops up to {network.cutoff_A:.2f} angstrom, more than "
            f"max_hops = {settings.max_hops}: raise it, lower cutoff_A, or raise symprec_A"
        )
    n_atoms = len(structure.sites) * math.prod(network.multiples) + (1 if network.mechanism == "interstitial" else -1)
    check_size(n_atoms)
    return {
        "mobile_species": sample.mobile_species,
        "charge_e": sample.charges.get(sample.mobile_species, 0.0),
        "formula": sample.formula,
        "n_atoms": n_atoms,
        "network": network.to_dict(),
    }


def defect_cell(structure: orm.StructureData, hops: Mapping[str, Any]) -> orm.StructureData:
    """Return the cell of the first hop, before any relaxation, as an unstored structure.

    :param hops: as :func:`search` returns them.
    """
    network = HopNetwork.from_dict(dict(hops["network"]))
    cells = cells_of(network, network.hops[0], structure.get_ase(), hops["mobile_species"])
    return orm.StructureData(ase=cells.start)


@calcfunction
def percolate_hops(structure: orm.StructureData, hops: orm.Dict, barriers: orm.Dict) -> orm.Dict:
    """Return the network of all hops with their energies, and the migration barriers at which it percolates.

    :param structure: the crystal that the hops are of.
    :param hops: as :func:`inequivalent_hops` returns them.
    :param barriers: for each hop verdict and energies, eV, as `ion.hops` returns them.
    """
    content = hops.get_dict()
    network = HopNetwork.from_dict(content["network"])
    table = barriers.get_dict()["hops"]
    energies = energy_network(network, structure.get_ase().cell.array, energies_of(table))
    result = percolation_of(energies) | network_dict(energies)
    result |= {
        "mechanism": network.mechanism,
        "mobile_species": content["mobile_species"],
        "charge_e": content["charge_e"],
        "formula": content["formula"],
        "n_hops": len(network.hops),
        "n_converged": sum(entry.get("verdict") == "converged" for entry in table.values()),
        "volume_A3": float(structure.get_cell_volume()),
        "cutoff_A": network.cutoff_A,
        "level_of_theory": barriers.get_dict().get("level_of_theory"),
        "caveats": caveats_of(network, energies, table),
    }
    return orm.Dict(result)


def energies_of(table: Mapping[str, Mapping[str, Any]]) -> dict[str, HopEnergies]:
    """Return the energies of hops that can be used: ends and saddle of converged ones, nothing of the others."""
    usable = {}
    for label, entry in table.items():
        if entry.get("verdict") == "converged":
            usable[label] = HopEnergies(entry["start_eV"], entry["end_eV"], entry["saddle_eV"])
    return usable


def caveats_of(network: HopNetwork, energies: EnergyNetwork, table: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return reasons to be careful, as sentences."""
    caveats = []
    if energies.missing:
        names = ", ".join(
            f"{label} ({table.get(label, {}).get('verdict', 'not computed')})" for label in energies.missing
        )
        caveats.append(f"Without a barrier: {names}; barriers_eV are upper bounds, least_barriers_eV lower ones.")
    if energies.end_spread_eV > SAME_END_EV:
        caveats.append(
            f"Equivalent ends differ by up to {energies.end_spread_eV:.3f} eV: relaxations found several minima."
        )
    if network.n_passing:
        caveats.append(
            f"{network.n_passing} pairs of sites were left out: their straight path goes through another site."
        )
    several = [label for label, entry in table.items() if (entry.get("n_maxima") or 0) > 1]
    if several:
        caveats.append(f"There are sites between the ends of {', '.join(several)}: add them as empty sites.")
    return caveats


def network_dict(energies: EnergyNetwork) -> dict[str, Any]:
    """Return a network as plain data; energies that are not known are null."""
    return {
        "sites_eV": [float(value) if np.isfinite(value) else None for value in energies.sites_eV],
        "saddles_eV": [float(value) if np.isfinite(value) else None for value in energies.saddles_eV],
        "pairs": energies.pairs.tolist(),
        "vectors": energies.vectors.tolist(),
        "steps_A": energies.steps_A.tolist(),
        "zero_eV": energies.zero_eV,
        "end_spread_eV": energies.end_spread_eV,
        "missing": energies.missing,
    }


@calcfunction
def gather_hops(about: orm.Dict, **jobs: orm.Dict) -> orm.Dict:
    """Return the barriers of several jobs as one table.

    :param about: ``level_of_theory``.
    :param jobs: output ``barriers`` of each.
    """
    hops: dict[str, Any] = {}
    for name in sorted(jobs):
        hops |= jobs[name].get_dict()["hops"]
    first = jobs[min(jobs)].get_dict()
    content = {"hops": dict(sorted(hops.items())), "units": first.get("units", {}), **about.get_dict()}
    return orm.Dict(content | {"host_energy_eV": first.get("host_energy_eV")})


@calcfunction
def correct_barriers(about: orm.Dict, barriers: orm.Dict, **points: Any) -> orm.Dict:
    """Return barriers with the energies of single points at ends and saddles, where all of a hop are there.

    :param about: ``level_of_theory`` of the single points.
    :param barriers: of the potential whose geometries they are at.
    :param points: outputs ``point``, named ``hop_01_start``, ``hop_01_saddle``, ``hop_01_end``; symmetric hops have no
        ``end``.
    """
    hops = {}
    for label, entry in barriers.get_dict()["hops"].items():
        found = {
            part: float(points[f"{label}_{part}"].base.attributes.get("energy_eV"))
            for part in ("start", "saddle", "end")
            if f"{label}_{part}" in points
        }
        hops[label] = {"path": entry["path"], "n_maxima": entry.get("n_maxima"), **_by_points(entry, found)}
    return orm.Dict({"hops": hops, "units": barriers.get_dict().get("units", {}), **about.get_dict()})


def _by_points(entry: Mapping[str, Any], found: Mapping[str, float]) -> dict[str, Any]:
    """Return verdict and energies of a hop by single points.

    :param entry: of the potential.
    :param found: energies of ``start``, ``saddle`` and ``end``, eV, as far as they are there.
    """
    if entry["verdict"] != "converged":
        return {"verdict": entry["verdict"], "message": entry["message"]}
    if not {"start", "saddle"} <= set(found) or ("end" not in found and entry["path"] != "midpoint"):
        return {"verdict": "single_points_missing", "message": "A single point failed."}
    start_eV, saddle_eV, end_eV = found["start"], found["saddle"], found.get("end", found["start"])
    energies = {"start_eV": start_eV, "saddle_eV": saddle_eV, "end_eV": end_eV}
    energies |= {"forward_eV": saddle_eV - start_eV, "reverse_eV": saddle_eV - end_eV}
    if saddle_eV <= max(start_eV, end_eV):
        message = "The saddle of the potential is below an end by DFT: its path is not one here."
        return {"verdict": "not_a_saddle", "message": message, **energies}
    return {"verdict": "converged", "message": "Single points at the images of the potential.", **energies}


@calcfunction
def formation_energy(structure: orm.StructureData, hops: orm.Dict, barriers: orm.Dict, reference: orm.Dict) -> orm.Dict:
    """Return the formation energy of the defect that hops: of a neutral vacancy, or of a neutral interstitial.

    It is the energy of the lowest relaxed cell with the defect, less that of the crystal, plus (vacancy) or less
    (interstitial) the energy of an atom of the mobile species in the reference, all by the same potential. The charge
    of a real vacancy, and the position of the Fermi level, are not in it.

    :param structure: the crystal.
    :param reference: ``energy_eV_atom``, of an atom in what the ion is taken to or from, such as the metal.
    """
    network = HopNetwork.from_dict(hops.get_dict()["network"])
    content = barriers.get_dict()
    energies = energy_network(network, structure.get_ase().cell.array, energies_of(content["hops"]))
    crystal_eV = float(content["host_energy_eV"]) * math.prod(network.multiples)
    sign = 1.0 if network.mechanism == "vacancy" else -1.0
    value = energies.zero_eV - crystal_eV + sign * float(reference["energy_eV_atom"])
    return orm.Dict({"formation_energy_eV": value, "defect": network.mechanism, "charge_e": 0, **reference.get_dict()})
