"""Kept energy maps as figures: which surfaces are drawn, and the words under them."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from aiida_ion.dashboards.figures.structure.cell import cell_figure
from aiida_ion.dashboards.figures.structure.isosurface import map_figure
from aiida_ion.dashboards.figures.structure.levels import Level, add_levels
from aiida_ion.dashboards.figures.theme import Theme
from aiida_ion.queries.screening.maps import BARRIERS, KeptMap, read_kept_map

#: Names of the methods.
METHODS = {"bvse": "bond valence map", "pes": "frozen surface"}
#: Above the percolation energy by this much, eV: at that energy itself the surface touches in a point.
ABOVE_EV = 0.01
#: Levels beside the percolation energies, eV above the lowest.
LEVELS_EV = (0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 1.5)


class MapView:
    """How a kept map is named in lists, and how many are listed."""

    MOST = 20

    @staticmethod
    def name(row: Mapping[Any, Any]) -> str:
        """Return the name of a map: its method, its potential, and its PK."""
        method = METHODS.get(str(row["method"]), str(row["method"]))
        by = f" by {row['potential']}" if isinstance(row["potential"], str) else ""
        others = f", others {row['others']}" if isinstance(row["others"], str) else ""
        return f"{method}{by}{others}, PK {row['pk']}"


@functools.lru_cache(maxsize=8)
def _read(uuid: str) -> KeptMap:
    return read_kept_map(uuid)


def map_of(uuid: str, dimensions: int, level_eV: float | None, theme: Theme) -> go.Figure:
    """Return the surface of a map at one energy in the cell of its crystal, with the atoms that stay in place.

    :param dimensions: at the energy at which pathways first reach through the crystal in so many, 1 to 3.
    :param level_eV: or at this energy above the zero of the map.
    :raises ValueError: if the map cannot be read, or never reaches through the crystal in so many dimensions.
    """
    kept = _read(uuid)
    if level_eV is None:
        barrier = dict(enumerate(kept.barriers_eV, start=1)).get(dimensions)
        if barrier is None:
            raise ValueError(f"pathways never reach through the crystal in {dimensions} dimensions")
        level_eV = barrier + ABOVE_EV
    one = kept.shown
    energies = np.asarray(one.energies_eV, dtype=np.float64)
    framework = (one.host_A, one.host_symbols)
    return map_figure(energies, one.cell_A, level_eV, *framework, theme=theme, origin=one.origin.tolist())


def map_view(uuid: str, theme: Theme) -> tuple[go.Figure, str]:
    """Return the surfaces of a map in the cell of its crystal, with a slider over their energies, and words about it.

    :raises ValueError: if the map cannot be read.
    """
    kept = _read(uuid)
    one, levels = kept.shown, levels_of(kept.barriers_eV)
    energies = np.asarray(one.energies_eV, dtype=np.float64)
    if energies.ndim != 3 or min(energies.shape) < 2:
        raise ValueError("the map has no three dimensions")
    figure = cell_figure(
        one.cell_A, one.host_A, one.host_symbols, np.zeros((1, 0, 3)), kept.mobile_species, theme=theme
    )
    first = next((number for number, level in enumerate(levels) if "percolation" in level.words), 0)
    add_levels(figure, energies, one.cell_A, levels, first, theme=theme, origin=one.origin.tolist())
    where = "" if kept.in_crystal else " Drawn in the cell of the map, which does not repeat that of the crystal."
    words = (
        f"Where {kept.mobile_species} can be up to the energy of the slider. {_percolation_words(kept.barriers_eV)} "
        f"Zero: {kept.zero}. Atoms are those that stay in place.{where}"
    )
    return figure, words


def levels_of(barriers_eV: Sequence[float | None]) -> list[Level]:
    """Return the energies of the slider, rising: those of percolation, and plain ones between them, eV.

    :param barriers_eV: at which pathways first reach through the crystal in 1, 2 and 3 dimensions; None for never.
    """
    named: dict[str, list[str]] = {}
    values: dict[str, float] = {}
    for number, barrier in enumerate(barriers_eV, start=1):
        if barrier is not None:
            named.setdefault(f"{barrier:.2f} eV", []).append(f"{number}-D")
            values.setdefault(f"{barrier:.2f} eV", barrier + ABOVE_EV)
    levels = [
        Level(values[energy], f"{values[energy]:.2f} eV above the lowest", f"{energy}: {_and(names)} percolation")
        for energy, names in named.items()
    ]
    apart = [level for level in LEVELS_EV if all(abs(level - value) > 2 * ABOVE_EV for value in values.values())]
    levels += [Level(level, f"{level:g} eV above the lowest", f"{level:g} eV") for level in apart]
    return sorted(levels, key=lambda level: level.value)


def _percolation_words(barriers_eV: Sequence[float | None]) -> str:
    """Return at which energies pathways reach through the crystal, as a sentence."""
    known = [
        f"{barrier:.2f} eV in {number} dimension{'s' if number > 1 else ''}"
        for number, barrier in enumerate(barriers_eV, start=1)
        if barrier is not None
    ]
    if not known:
        return "Its pathways never reach through the crystal."
    reached = f"Its pathways first reach through the crystal at {_and(known)}"
    return f"{reached}; surfaces there are drawn {ABOVE_EV:g} eV higher."


def _and(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def barriers_words(row: Mapping[Any, Any]) -> str:
    """Return the percolation energies of a map in words, eV."""
    known = [f"{row[name]:.2f}" if pd.notna(row[name]) else "-" for name in BARRIERS]
    return " / ".join(known)
