"""Figures of stored results in three dimensions, by their uuids."""

from __future__ import annotations

import plotly.graph_objects as go

from aiida_ion.dashboards.figures.structure.isosurface import density_figure
from aiida_ion.dashboards.figures.structure.motion import MOST_FRAMES, motion_figure
from aiida_ion.dashboards.figures.theme import LIGHT, Theme
from aiida_ion.dashboards.maps import map_of
from aiida_ion.queries import details, frames
from aiida_ion.queries.atoms.densities import ion_density


def stored_map(uuid: str, *, dimensions: int = 1, level_eV: float | None = None, theme: Theme = LIGHT) -> go.Figure:
    """Return the surface of a kept energy map in the cell of its crystal, with the atoms that stay in place.

    :param uuid: of the map, such as the column ``uuid`` of `aiida_ion.queries.screening.maps.kept_maps`.
    :param dimensions: draw it at the energy at which pathways first reach through the crystal in so many dimensions.
    :param level_eV: draw it at this energy instead, eV above the zero of the map.
    :raises ValueError: where there is no such map, or it never percolates in so many dimensions.
    """
    return map_of(uuid, dimensions, level_eV, theme)


def stored_density(uuid: str, *, share: float = 0.8, theme: Theme = LIGHT) -> go.Figure:
    """Return the surface of the number density of the mobile ions of a run, ions per cubic angstrom.

    :param uuid: of a diffusion node, such as the column ``uuid`` of `aiida_ion.queries.diffusion`.
    :param share: of the ions that are within the surface, between 0 and 1.
    :raises ValueError: for another share, or where the trajectories are not here.
    """
    if not 0.0 < share < 1.0:
        raise ValueError(f"share must be between 0 and 1, got {share}")
    found = ion_density(uuid, _mobile(uuid))
    framework = (found.framework_A, found.framework_symbols)
    arrays = (found.values_A3, found.cell_A, found.level_holding(share))
    return density_figure(*arrays, *framework, found.mobile_species, theme=theme)


def stored_motion(uuid: str, *, theme: Theme = LIGHT) -> go.Figure:
    """Return the atoms of the first run behind a diffusion node, with a slider over time, ps.

    :param uuid: of the diffusion node.
    :raises ValueError: where the trajectories are not here.
    """
    sampled = frames.frames_of(uuid, MOST_FRAMES)
    arrays = (sampled.cell, sampled.symbols, sampled.positions, sampled.times_ps)
    return motion_figure(*arrays, _mobile(uuid), theme=theme)


def _mobile(uuid: str) -> str:
    return str(details.diffusion_attributes(uuid).get("mobile_species"))
