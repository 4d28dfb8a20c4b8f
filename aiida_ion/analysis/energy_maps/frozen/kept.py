"""The map of a frozen potential-energy surface that is kept beside its results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from ase.data import chemical_symbols

from aiida_ion.analysis.energy_maps.frozen.compute import FrozenMap
from aiida_ion.analysis.energy_maps.kept_map import EnergyMap


def map_of(maps: Sequence[FrozenMap], result: Mapping[str, Any]) -> tuple[EnergyMap, list[float | None]]:
    """Return the map of the ion that percolates most easily, eV above its lowest point, and its barriers, eV.

    :param maps: in the order of the plan.
    :param result: what ``frozen_results`` made of them.
    """
    barriers = [summary.get("barriers_eV", [None] * 3) for summary in result["maps"]]
    chosen = min(range(len(maps)), key=lambda number: [np.inf if one is None else one for one in barriers[number]])
    one = maps[chosen]
    host = one.plan.host
    energies = one.energies_eV - one.energies_eV.min()
    symbols = tuple(chemical_symbols[int(number)] for number in host.numbers)
    return EnergyMap(energies, host.cell, one.site, host.fractions @ host.cell, symbols), barriers[chosen]
