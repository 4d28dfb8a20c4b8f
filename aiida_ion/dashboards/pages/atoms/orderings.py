"""The cells of a disordered crystal: the one that is shown, its energy and weight, and the sites that were shared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from dash import Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component

from aiida_ion.dashboards.components import control, figure_card
from aiida_ion.dashboards.figures.structure.cell import crystal_figure
from aiida_ion.dashboards.figures.theme import Theme, empty_figure, theme_named
from aiida_ion.dashboards.numbers import short
from aiida_ion.dashboards.state import THEME
from aiida_ion.queries.atoms.orderings import is_partial, on_partial_sites, orderings, sites_of
from aiida_ion.units import MEV_PER_EV

CELL, MEMBER, WORDS, SOURCE = "material-ordering", "material-member", "material-ordering-words", "material-source"
#: Most cells to choose from.
MOST = 200


def orderings_card(structure_uuid: Any, theme_name: str | None) -> list[Component]:
    """Return the card of a disordered crystal; nothing for one without partly occupied sites.

    :param structure_uuid: of the crystal of the page; anything but text stands for none.
    """
    if not isinstance(structure_uuid, str):
        return []
    try:
        contents = sites_of(structure_uuid)[2]
    except ValueError:
        return []
    if not any(is_partial(content) for content in contents):
        return []
    table = orderings(structure_uuid).head(MOST)
    options = [{"label": "the crystal itself", "value": structure_uuid}]
    options += [{"label": _name(row), "value": str(row["structure_uuid"])} for row in table.to_dict("records")]
    chosen = str(options[1 if len(options) > 1 else 0]["value"])
    figure, words = drawn(structure_uuid, chosen, theme_named(theme_name))
    picked = dcc.Dropdown(options, chosen, id=MEMBER, clearable=False, className="dropdown wide")
    title = "Ordered cells" if len(table) else "Crystal"
    return [
        figure_card(
            CELL,
            title,
            figure,
            note=[html.Span(words, id=WORDS), dcc.Store(SOURCE, data=structure_uuid)],
            height_px=540,
            controls=[control("cell", picked)],
        )
    ]


def _name(row: Mapping[Any, Any]) -> str:
    weight = f", weight {short(row['weight'])}" if pd.notna(row["weight"]) else ""
    return f"{row['label']}{weight}, PK {row['structure_pk']}"


def drawn(source_uuid: str, chosen_uuid: str, theme: Theme) -> tuple[go.Figure, str]:
    """Return a cell with its shared sites marked, and what it is in words.

    :param source_uuid: of the crystal with partly occupied sites.
    :param chosen_uuid: of an ordered cell of it, or the same.
    """
    try:
        source, chosen = sites_of(source_uuid), sites_of(chosen_uuid)
    except ValueError as error:
        return empty_figure(theme, f"There is nothing to draw: {error}."), ""
    cell, positions, contents = chosen
    if chosen_uuid == source_uuid:
        marked: Any = np.array([is_partial(content) for content in contents])
        return crystal_figure(cell, positions, [_words(one) for one in contents], theme=theme, marked=marked), (
            f"{int(marked.sum())} of {len(marked)} sites are partly occupied or shared by elements (ringed); no run "
            "has this cell."
        )
    symbols = [next(iter(content)) for content in contents]
    marked = on_partial_sites(cell, positions, symbols, source)
    figure = crystal_figure(cell, positions, symbols, theme=theme, marked=marked)
    table = orderings(source_uuid)
    mine = table[table["structure_uuid"] == chosen_uuid]
    about = sentence(mine.iloc[0].to_dict()) if len(mine) else ""
    if marked is None:
        return figure, f"{about} Which of its sites are shared in the crystal is not known: it is not made of its cell."
    sites = f"{int(marked.sum())} of {len(marked)} atoms are on sites that are partly occupied or shared in the crystal"
    return figure, f"{about} {sites} (ringed)."


def _words(content: Mapping[str, float]) -> str:
    if not is_partial(content):
        return next(iter(content))
    return ", ".join(f"{element} {share:.3g}" for element, share in content.items())


def sentence(row: Mapping[Any, Any]) -> str:
    """Return weight and energy of an ordered cell in a sentence or two.

    :param row: of `aiida_ion.queries.atoms.orderings.orderings`.
    """
    parts = [f"{row['label']}, one of {short(row['n_orderings'])} cells of {short(row['n_atoms'])} atoms"]
    if pd.notna(row["weight"]):
        draws = f" ({short(row['count'])} of {short(row['n_draws'])} draws)" if _known(row, "count", "n_draws") else ""
        parts.append(f"weight {short(row['weight'])}{draws}")
    energy = ""
    if _known(row, "relaxed_above_eV", "n_atoms") and row["n_atoms"]:
        energy = _energy(row, "relaxed_above_eV", "Relaxed energy")
        if row["converged"] is False:
            energy += " It is not converged."
    elif _known(row, "ewald_above_eV", "n_atoms") and row["n_atoms"]:
        energy = _energy(row, "ewald_above_eV", "Electrostatic energy of point charges, not relaxed:")
    return f"{'; '.join(parts)}.{energy}"


def _energy(row: Mapping[Any, Any], name: str, what: str) -> str:
    if row[name] == 0.0:
        return f" {what} the lowest of them." if not what.endswith(":") else f" {what} the lowest."
    per_atom = short(MEV_PER_EV * row[name] / row["n_atoms"])
    return f" {what} {short(row[name])} eV above the lowest, {per_atom} meV per atom."


def _known(row: Mapping[Any, Any], *names: str) -> bool:
    return all(pd.notna(row[name]) for name in names)


def register(app: Dash) -> None:
    """Add the callback that draws the chosen cell."""

    @app.callback(
        Output(CELL, "figure"),
        Output(WORDS, "children"),
        Input(MEMBER, "value"),
        State(SOURCE, "data"),
        State(THEME, "data"),
        prevent_initial_call=True,
    )
    def draw(chosen: str, source: str, theme: str | None) -> tuple[Any, str]:
        return drawn(str(source), str(chosen), theme_named(theme))
