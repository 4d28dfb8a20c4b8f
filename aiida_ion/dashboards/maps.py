"""Kept energy maps as figures: which surface is drawn, and the words under it."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from aiida_ion.dashboards.figures.structure.isosurface import map_figure
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


def level_options(uuid: str) -> list[dict[str, str]]:
    """Return the surfaces of a map to choose from: those of its percolation energies first, then plain levels, eV.

    :raises ValueError: if the map cannot be read.
    """
    barriers = _read(uuid).barriers_eV
    named = [
        {"label": f"{number + 1}-D percolation, {barrier:.2f} eV", "value": f"{number + 1}D"}
        for number, barrier in enumerate(barriers)
        if barrier is not None
    ]
    return named + [{"label": f"{level:g} eV", "value": f"{level:g}"} for level in LEVELS_EV]


def map_view(uuid: str, chosen: str | None, theme: Theme) -> tuple[go.Figure, str]:
    """Return the surface of a map in the cell of its crystal, and what it is in words.

    :param chosen: a value of :func:`level_options`, or an energy above the zero of the map, eV.
    :raises ValueError: if the map cannot be read, or the level is no number.
    """
    kept = _read(uuid)
    dimension = {f"{number + 1}D": barrier for number, barrier in enumerate(kept.barriers_eV)}
    chosen = chosen or "1D"
    if chosen in dimension and dimension[chosen] is None:
        raise ValueError(f"pathways never reach through the crystal in {chosen[0]} dimensions")
    barrier = dimension.get(chosen)
    level = barrier + ABOVE_EV if barrier is not None else float(chosen)
    one = kept.shown
    framework = (one.host_A, one.host_symbols)
    energies = np.asarray(one.energies_eV, dtype=np.float64)
    figure = map_figure(energies, one.cell_A, level, *framework, theme=theme, origin=one.origin.tolist())
    where = "" if kept.in_crystal else " Drawn in the cell of the map, which does not repeat that of the crystal."
    if barrier is not None:
        dimensions = "1 dimension" if chosen == "1D" else f"{chosen[0]} dimensions"
        words = (
            f"Where {kept.mobile_species} can be at the energy at which its pathways first reach through the crystal "
            f"in {dimensions}: {barrier:.2f} eV, and {ABOVE_EV:g} eV more."
        )
    else:
        words = f"Where {kept.mobile_species} can be up to {level:g} eV."
    zero = f" Zero: {kept.zero}. Atoms are those that stay in place."
    return figure, words + zero + where


def barriers_words(row: Mapping[Any, Any]) -> str:
    """Return the percolation energies of a map in words, eV."""
    known = [f"{row[name]:.2f}" if pd.notna(row[name]) else "-" for name in BARRIERS]
    return " / ".join(known)
