"""Bond valence site energies of a crystal: from a structure to percolation barriers, their interval and saddles.

The mobile ion is alone in the rigid framework (see :mod:`aiida_ion.analysis.energy_maps.bond_valence`). Barriers are
those of the potential, not of a grid: a map finds minima and saddles, and searches in the potential move them to where
they are. A second, coarser map starts the same searches again.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from pymatgen.core.structure import Structure

from aiida_ion.analysis.crystals.oxidation import COMPOSITION, Charges, assign_charges
from aiida_ion.analysis.crystals.structure import check_structure
from aiida_ion.analysis.energy_maps.bond_valence import BondValencePotential
from aiida_ion.analysis.energy_maps.bvlain import bvlain_barriers_eV, bvlain_map_eV, bvlain_shape
from aiida_ion.analysis.energy_maps.bvse_report import MAX_SITE_DISTANCE_A, report_pathways
from aiida_ion.analysis.energy_maps.bvse_settings import BvseSettings
from aiida_ion.analysis.energy_maps.framework import Framework, primitive_framework
from aiida_ion.analysis.energy_maps.kept_map import EnergyMap
from aiida_ion.analysis.energy_maps.levels import Level, compute_level
from aiida_ion.analysis.energy_maps.softbv import ion_name, table_sha256
from aiida_ion.analysis.method_hash import method_hash

FloatArray = npt.NDArray[np.float64]

#: Raised when a change of the code changes numbers.
METHOD_VERSION = 1
CONNECTIVITY = 26


class NotApplicableError(ValueError):
    """A crystal that the method cannot treat; the message says why, in one sentence."""


def bvse_method(settings: BvseSettings) -> dict[str, Any]:
    """Return everything that decides the numbers, beside the crystal."""
    return {
        "method": "bvse",
        "version": METHOD_VERSION,
        "settings": settings.to_method(),
        "table_sha256": table_sha256(),
    }


def bvse_method_hash(settings: BvseSettings) -> str:
    """Return the sha256 of :func:`bvse_method`."""
    return method_hash(bvse_method(settings))


def compute_bvse(structure: Structure, settings: BvseSettings) -> dict[str, Any]:
    """Return percolation barriers of the mobile ion (eV) and what they are made of, ready for JSON.

    :param structure: ordered, with all its mobile ions.
    :raises NotApplicableError: as :func:`bvse_with_map` does.
    """
    return bvse_with_map(structure, settings)[0]


def bvse_with_map(structure: Structure, settings: BvseSettings) -> tuple[dict[str, Any], EnergyMap]:
    """Return percolation barriers of the mobile ion (eV) and what they are made of, ready for JSON; and the map.

    The map is the finer one, in the smallest cell of the framework, above the lowest energy in the crystal.

    :param structure: ordered, with all its mobile ions.
    :raises NotApplicableError: for a crystal without known charges or parameters, disordered, without the mobile ion
        or with nothing else, or too large for the grid.
    """
    try:
        check_structure(structure, settings.mobile_species)
        charges = assign_charges(structure, settings.charges)
        symbols = [site.specie.symbol for site in structure]
        charge_e = _mobile_charge_e(charges, symbols, settings.mobile_species)
        framework = _framework(structure, symbols, charges, settings.mobile_species, charge_e)
        ion = (settings.mobile_species, charge_e, settings.cutoff_A, settings.radii)
        potential = BondValencePotential(primitive_framework(framework), *ion)
        _check_size(potential.framework.cell_A, settings)
    except ValueError as error:
        raise NotApplicableError(str(error)) from error
    fine = compute_level(potential, settings.resolution_A)
    coarse = compute_level(potential, settings.resolution_A * settings.coarser)
    result = report_pathways(structure, settings.mobile_species, framework, fine, coarse)
    caveats = _caveats(result, charges, symbols, settings.mobile_species)
    result |= {
        "message": "; ".join(caveats),
        "caveats": caveats,
        "formula": structure.composition.reduced_formula,
        "n_atoms": len(structure),
        "mobile_charge_e": charge_e,
        "charges_e": charges.by_element(symbols),
        "charges_source": charges.source,
        "cutoff_A": settings.cutoff_A,
        "radii": settings.radii,
        "table_sha256": table_sha256(),
        "grid": _grid(fine, coarse),
    }
    result |= _published(BondValencePotential(framework, *ion), settings) if settings.bvlain else {}
    host = potential.framework
    energies = fine.energies_eV - fine.network.percolation.zero_eV
    return result, EnergyMap(energies, host.cell_A, np.zeros(3), host.positions_A, tuple(host.symbols))


def _mobile_charge_e(charges: Charges, symbols: list[str], mobile: str) -> float:
    """Return the charge of the mobile ion.

    :raises ValueError: if its atoms have several charges, or none.
    """
    own = charges.by_element(symbols)[mobile]
    if len(own) > 1:
        names = " and ".join(ion_name(mobile, charge) for charge in own)
        raise ValueError(f"{mobile} has several charges ({names}): give one with charges")
    if own[0] == 0:
        raise ValueError(f"{mobile} has no charge in this crystal, so that it has no bond valence")
    return own[0]


def _framework(structure: Structure, symbols: list[str], charges: Charges, mobile: str, charge_e: float) -> Framework:
    """Return the crystal without its mobile ions.

    :raises ValueError: if nothing is left that attracts them.
    """
    stays = [index for index, symbol in enumerate(symbols) if symbol != mobile]
    if not stays:
        raise ValueError(f"there is nothing but {mobile}: no framework")
    if not any(charges.charges_e[index] * charge_e < 0 for index in stays):
        raise ValueError(f"nothing in the framework has a charge opposite to that of {ion_name(mobile, charge_e)}")
    return Framework(
        np.asarray(structure.lattice.matrix, dtype=float),
        np.asarray(structure.cart_coords, dtype=float)[stays],
        [symbols[index] for index in stays],
        charges.charges_e[stays],
    )


def _check_size(cell_A: FloatArray, settings: BvseSettings) -> None:
    n_points = float(np.prod(np.linalg.norm(cell_A, axis=1) / settings.resolution_A))
    if n_points > settings.max_points:
        raise ValueError(
            f"the grid would have {n_points:,.0f} points, more than max_points ({settings.max_points:,}): use a larger "
            "resolution_A"
        )


def _grid(fine: Level, coarse: Level) -> dict[str, Any]:
    """Return what the maps were made on."""
    return {
        "shape": list(fine.shape),
        "coarse_shape": list(coarse.shape),
        "spacing_A": list(fine.spacing_A),
        "coarse_spacing_A": list(coarse.spacing_A),
        "cell": "smallest cell of the framework, without end planes",
        "connectivity": CONNECTIVITY,
    }


def _caveats(result: dict[str, Any], charges: Charges, symbols: list[str], mobile: str) -> list[str]:
    """Return sentences on what to be careful with."""
    caveats = [charges.remark] if charges.source == COMPOSITION else []
    away = result["minimum"]["distance_to_site_A"]
    if away > MAX_SITE_DISTANCE_A:
        caveats.append(
            f"the lowest energy is {away:.2f} angstrom away from the nearest {mobile} site: the interval includes the "
            "barriers above the lowest site"
        )
    coarse = [f"{number + 1}D" for number, is_refined in enumerate(result["is_refined"]) if is_refined is False]
    if coarse:
        caveats.append(f"the {', '.join(coarse)} barrier is that of the grid: its saddle was not found")
    if "H" in symbols and mobile != "H":
        caveats.append("formal charges say little of hydrogen in hydrides and molecular ions")
    return caveats


def _published(potential: BondValencePotential, settings: BvseSettings) -> dict[str, Any]:
    """Return the percolation energies by bvlain's definition, in the cell as it was given."""
    energies = bvlain_map_eV(potential, settings.resolution_A, settings.bvlain_neighbours)
    return {
        "bvlain_barriers_eV": bvlain_barriers_eV(energies),
        "bvlain_shape": list(bvlain_shape(potential.framework.cell_A, settings.resolution_A)),
        "bvlain_neighbours": settings.bvlain_neighbours,
    }
