"""The cell of a run in three dimensions: pathways, density of the mobile ions, motion in time, kept energy maps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from dash import Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component

from aiida_ion.dashboards.components import control, figure_card
from aiida_ion.dashboards.figures.structure.cell import cell_figure
from aiida_ion.dashboards.figures.structure.levels import Level, add_levels
from aiida_ion.dashboards.figures.structure.motion import MOST_FRAMES, motion_figure
from aiida_ion.dashboards.figures.theme import Theme, empty_figure, theme_named
from aiida_ion.dashboards.maps import MapView, map_view
from aiida_ion.dashboards.numbers import short
from aiida_ion.dashboards.state import THEME
from aiida_ion.queries import details, frames
from aiida_ion.queries.atoms.densities import IonDensity, crystal_of, ion_density
from aiida_ion.queries.screening.maps import kept_maps

CELL, SHOW, WORDS = "material-cell", "material-show", "material-cell-words"
PATHWAYS, DENSITY, MOTION = "pathways", "density", "over time"
#: Shares of the mobile ions, percent, that the surfaces of their density hold, and the one seen first.
SHARES = (20, 40, 60, 70, 80, 90, 95, 98)
USUAL_SHARE = 80


@dataclass(frozen=True)
class View:
    """What is drawn.

    :param words: under the title: what it is, of which frames.
    """

    figure: go.Figure
    words: str


def view_card(uuid: str, sampled: frames.RunFrames, mobile: str, theme: Theme) -> Component:
    """Return the card of a temperature, with the choice of what is shown.

    :param uuid: of the diffusion node.
    :param sampled: frames of its first run.
    """
    crystal = crystal_of(uuid)
    maps = kept_maps(crystal).head(MapView.MOST) if crystal else None
    shown = [PATHWAYS, DENSITY, MOTION]
    options = [{"label": name, "value": name} for name in shown]
    if maps is not None:
        options += [{"label": MapView.name(row), "value": str(row["uuid"])} for row in maps.to_dict("records")]
    first = _pathways(sampled, mobile, theme)
    picked = dcc.Dropdown(options, PATHWAYS, id=SHOW, clearable=False, className="dropdown")
    return figure_card(
        CELL,
        f"{mobile} in the cell",
        first.figure,
        note=html.Span(first.words, id=WORDS),
        height_px=540,
        controls=[control("show", picked)],
    )


def drawn(uuid: str, show: str, theme: Theme) -> View:
    """Return what was chosen; a sentence instead of a figure where it cannot be drawn.

    :param uuid: of the diffusion node.
    :param show: what is shown, or the UUID of a kept map.
    """
    try:
        mobile = str(details.diffusion_attributes(uuid).get("mobile_species"))
        if show == PATHWAYS:
            return _pathways(frames.frames_of(uuid), mobile, theme)
        if show == MOTION:
            return _motion(frames.frames_of(uuid, MOST_FRAMES), mobile, theme)
        return _density(uuid, mobile, theme) if show == DENSITY else View(*map_view(show, theme))
    except ValueError as error:
        return View(empty_figure(theme, f"There is nothing to draw: {error}."), "")


def _pathways(sampled: frames.RunFrames, mobile: str, theme: Theme) -> View:
    paths = frames.mobile_paths(sampled, mobile)
    figure = cell_figure(sampled.cell, paths.framework, paths.framework_symbols, paths.positions, mobile, theme=theme)
    words = f"Folded into the cell and smoothed over {short(paths.smoothed_ps)} ps of {short(sampled.times_ps[-1])} ps."
    if len(paths.ions) < paths.n_mobile:
        words += f" The {len(paths.ions)} of {paths.n_mobile} {mobile} with the largest displacements."
    return View(_leading_to(figure, sampled.trajectory_uuids[0]), words)


def _motion(sampled: frames.RunFrames, mobile: str, theme: Theme) -> View:
    arrays = (sampled.cell, sampled.symbols, sampled.positions, sampled.times_ps)
    figure = motion_figure(*arrays, mobile, theme=theme)
    words = f"{len(figure.frames)} frames of the first run, up to {short(sampled.times_ps[-1])} ps."
    has_bonds = any(trace.name == "bonds" for trace in figure.data)
    return View(figure, f"{words} Bonds of the framework follow its atoms." if has_bonds else words)


def _density(uuid: str, mobile: str, theme: Theme) -> View:
    found = ion_density(uuid, mobile)
    nowhere = np.zeros((1, 0, 3))
    figure = cell_figure(found.cell_A, found.framework_A, found.framework_symbols, nowhere, mobile, theme=theme)
    add_levels(figure, -found.values_A3, found.cell_A, _levels(found), SHARES.index(USUAL_SHARE), theme=theme)
    of = f"every {_ordinal(found.stride)} of {found.n_stored:,} stored frames" if found.stride > 1 else "all frames"
    fold = f"{found.n_cells} cells folded into one" if found.n_cells > 1 else "not folded"
    when = f"{found.n_frames:,}, {short(found.times_ps[0])} to {short(found.times_ps[1])} ps, including equilibration"
    words = (
        f"The surface around the share of the {found.n_ions} {mobile} that the slider names. From {of} of the first "
        f"run ({when}), {fold}, smoothed by {short(found.smoothing_A)} Å."
    )
    return View(_leading_to(figure, ""), words)


def _levels(found: IonDensity) -> list[Level]:
    """Return the surfaces of a density by the share of the ions that they hold, rising; of the negative density."""
    held = [(share, found.level_holding(share / 100.0)) for share in SHARES]
    return [
        Level(
            -level,
            f"{short(level)} {found.mobile_species} per Å³",
            f"{share} % of the {found.mobile_species}: above {short(level)} per Å³",
        )
        for share, level in held
    ]


def _ordinal(number: int) -> str:
    last = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if number % 100 in (11, 12, 13) else last}"


def _leading_to(figure: go.Figure, uuid: str) -> go.Figure:
    """Return a figure whose points lead to their trajectory."""
    for trace in figure.data if uuid else ():
        trace.customdata = np.full((len(trace.x), 1), uuid, dtype=object)
    return figure


def register(app: Dash, fit_id: str) -> None:
    """Add the callback that draws what is chosen.

    :param fit_id: id of the choice of the temperature.
    """

    @app.callback(
        Output(CELL, "figure"),
        Output(WORDS, "children"),
        Input(SHOW, "value"),
        State(fit_id, "value"),
        State(THEME, "data"),
        prevent_initial_call=True,
    )
    def draw(show: str, uuid: str | None, theme: str | None) -> tuple[Any, ...]:
        view = drawn(str(uuid), show, theme_named(theme))
        return view.figure, view.words
