"""One material: its Arrhenius plot, and the fits, checks, runs and costs of one result."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component

from aiida_ion.dashboards import crystals, tables
from aiida_ion.dashboards.components import control, page, page_link, row
from aiida_ion.dashboards.figures.theme import formula_label
from aiida_ion.dashboards.material import headline
from aiida_ion.dashboards.material.structure import structure_card
from aiida_ion.dashboards.pages import material_begun as begun
from aiida_ion.dashboards.pages import material_fit as fit
from aiida_ion.dashboards.pages import material_line as line
from aiida_ion.dashboards.pages import material_runs as runs
from aiida_ion.dashboards.pages.atoms import orderings as members
from aiida_ion.dashboards.pages.atoms import run_view as view_of_run
from aiida_ion.dashboards.pages.material_result import ALL, RANKS, Fits, Result
from aiida_ion.dashboards.serving.origins import ARCHIVE
from aiida_ion.dashboards.state import QUERY, THEME, View, written
from aiida_ion.verdicts import words_of

PATH = "/material"
TITLE = "Material"
RESULT, BODY, STORE = "material-result", "material-body", "material-view"
#: Controls of the page, in the order of the arguments of `_view`.
CONTROLS = (RESULT, line.QUANTITY, line.LINES, fit.SCALE, fit.FIT)


def layout(view: View) -> Component:
    """Return the page of the crystal, or of the result, that the address names."""
    found = crystals.found(view)
    if len(found) != 1:
        return page(TITLE, begun.choice(view, found))
    material = found.iloc[0]
    results = crystals.rows_of("conductivity", material)
    uuid = chosen_result(results, view.uuid) if len(results) else None
    chosen = replace(crystals.material_view(material["formula"], material["crystal"], uuid), theme=view.theme)
    chosen = replace(chosen, y=view.y, options=view.options)
    shown = shown_of(chosen)
    picked = dcc.Dropdown(
        [{"label": _name(result), "value": result["uuid"]} for result in results.to_dict("records")],
        chosen.uuid,
        id=RESULT,
        clearable=False,
        className="dropdown wide",
    )
    compared = replace(crystals.material_view(material["formula"], material["crystal"])).url("/compare")
    return page(
        formula_label(chosen.formula),
        dcc.Store(STORE, data=chosen.query()),
        begun.others(material),
        html.Div(control("result", picked), className="filters", hidden=results.empty),
        *(_begun(material) if results.empty else []),
        html.Div(body(shown), id=BODY, className="page"),
        *members.orderings_card(material["structure_uuid"], view.theme),
        *begun.chains_card(material),
        subtitle=begun.subtitle(material, shown.levels, len(results)),
        actions=page_link("compare its levels", compared) if len(results) else None,
    )


def register(app: Dash) -> None:
    """Add the callbacks: each redraws one part, and one updates the address."""
    state = (State(STORE, "data"), State(THEME, "data"))
    inputs = [Input(name, "value") for name in CONTROLS]

    @app.callback(Output(BODY, "children"), inputs[0], *state, prevent_initial_call=True)
    def choose(uuid: str, query: str, theme: str | None) -> list[Component]:
        # Another result has other temperatures.
        view = replace(View.from_query(query), uuid=uuid, theme=theme).with_options(fit=None)
        return body(shown_of(view))

    @app.callback(
        Output(line.FIGURE, "figure"), *inputs[1:3], State(RESULT, "value"), *state, prevent_initial_call=True
    )
    def draw_lines(quantity: str, lines: str, uuid: str, query: str, theme: str | None) -> Any:
        view = _view(query, theme, uuid, quantity, lines)
        return line.figure(shown_of(view))

    @app.callback(Output(fit.MSD, "figure"), inputs[3], State(RESULT, "value"), *state, prevent_initial_call=True)
    def draw_msd(scale: str, uuid: str, query: str, theme: str | None) -> Any:
        view = _view(query, theme, uuid, scale=scale)
        return fit.msd(shown_of(view))

    @app.callback(Output(fit.CHECKS, "children"), Output(fit.RUN, "children"), inputs[4], State(THEME, "data"))
    def look_closer(uuid: str | None, theme: str | None) -> tuple[Any, Any]:
        return fit.checks(uuid), fit.run_cards(uuid, theme)

    @app.callback(Output(QUERY, "data", allow_duplicate=True), *inputs, *state, prevent_initial_call=True)
    def write(*given: Any) -> dict[str, str]:
        return written(PATH, _view(given[-2], given[-1], *given[:-2]))

    view_of_run.register(app, fit.FIT)
    members.register(app)
    for name in (line.FIGURE, fit.MSD, fit.RDF, fit.CELL, runs.HISTORY):
        app.clientside_callback(ClientsideFunction("points", "follow"), Input(name, "clickData"))


def shown_of(view: View) -> Result:
    """Return the data of the page: the result that the view names, or the fits of a material without one."""
    found = crystals.found(view)
    if len(found) != 1:
        return Result(view, tables.table("conductivity").iloc[:0])
    results = crystals.rows_of("conductivity", found.iloc[0])
    if len(results):
        return Result(view, results)
    return Fits(view, results, crystals.rows_of(tables.FITS, found.iloc[0]))


def chosen_result(results: pd.DataFrame, uuid: str | None) -> str:
    """Return the result to show: the requested one, else the newest with a value, or a bound, or neither.

    Members of an ensemble are shown on request: the crystal's result is the pooled one.
    """
    if uuid in set(results["uuid"]):
        return str(uuid)
    if (pooled := results["ensemble_uuid"].isna()).any():
        results = results[pooled]
    ranks = results["verdict"].map(RANKS).fillna(len(RANKS))
    return str(results["uuid"].iloc[int(ranks.to_numpy().argmin())])


def body(shown: Result) -> list[Component]:
    """Return everything below the choice of the result."""
    if isinstance(shown, Fits):
        return _without_result(shown)
    return [
        headline.card_of(shown),
        row(line.figure_card(shown), html.Div([_structure(shown), line.summary_card(shown)], className="page")),
        line.temperatures_card(shown.points),
        row(fit.msd_card(shown), fit.checks_card(shown)),
        dcc.Loading(html.Div(id=fit.RUN, className="page"), type="dot", delay_show=300),
        *runs.cards(shown),
    ]


def _begun(material: pd.Series[Any]) -> list[Component]:
    """Return why a material has no conductivity, and its crystal if it has one."""
    uuid = material["structure_uuid"]
    crystal = [structure_card(material["formula"], uuid, None, {})] if isinstance(uuid, str) else []
    return [row(begun.no_result(material), *crystal)]


def _structure(shown: Result) -> Component:
    """Return the structure of the result shown."""
    beside, attributes = shown.beside, shown.attributes(shown.view.uuid)
    return structure_card(shown.view.formula, beside.get("structure"), beside.get("supercell"), attributes)


def _without_result(shown: Fits) -> list[Component]:
    """Return what there is of a material without a conductivity: its temperatures, if any is done."""
    if shown.points.empty:
        return []
    return [
        row(line.figure_card(shown)),
        line.temperatures_card(shown.points),
        row(fit.msd_card(shown), fit.checks_card(shown)),
        dcc.Loading(html.Div(id=fit.RUN, className="page"), type="dot", delay_show=300),
    ]


def _view(
    query: str | None,
    theme: str | None,
    uuid: str | None,
    quantity: str | None = None,
    lines: str | None = None,
    scale: str | None = None,
    chosen_fit: str | None = None,
) -> View:
    """Return the view for the current controls; defaults are left out of the address."""
    view = replace(View.from_query(query), theme=theme, uuid=uuid, y=None if quantity == line.DEFAULT else quantity)
    return view.with_options(
        lines=None if lines == ALL else lines,
        msd=None if scale == fit.LOGARITHMIC else scale,
        fit=chosen_fit,
    )


def _name(row: dict[Any, Any]) -> str:
    """Return the label of a result in the list."""
    verdict = words_of(row["verdict"])
    label = row.get("member_label")
    member = f" (member {label})" if isinstance(label, str) else ""
    origin = f", {row[ARCHIVE]}" if ARCHIVE in row else ""
    return f"{row['level_of_theory']}{member}: {verdict}, {row['time']:%d %b %Y %H:%M}, PK {row['pk']}{origin}"
