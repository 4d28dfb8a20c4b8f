"""All materials, with filters, sorting and download; the table and the figure filter each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
from dash import ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from aiida_ion.dashboards.columns import cells, numeric_columns
from aiida_ion.dashboards.components import card, empty_state, page, row
from aiida_ion.dashboards.filtering import ordered
from aiida_ion.dashboards.grids import block_of, column_choice, column_choice_id, grid, with_name
from aiida_ion.dashboards.material_rows import (
    ENERGY,
    EXPERIMENT,
    SHARE,
    SIGMA,
    WORDS,
    bar_decades,
    count_words,
    file_rows,
    harmless,
)
from aiida_ion.dashboards.materials import listed, preview
from aiida_ion.dashboards.pages.materials_choices import (
    CONTROLS,
    chosen,
    controls,
    result_controls,
    without_defaults,
)
from aiida_ion.dashboards.state import QUERY, THEME, View, column_filters, filter_model, written

NOTE = (
    "Click a row to see its Arrhenius plot below. σ with its 95 % interval, its grade and Eₐ are the result of each "
    "material at the level of theory and temperature chosen here. Only values are ranked; intervals, bounds and what "
    "is undetermined come last."
)
PATH = "/materials"
TITLE = "Materials"
GRID = "materials-grid"
#: Smallest widths of the columns shown by default, px: together no wider than a page of 1440 px.
NARROWEST = {
    "formula": 100,
    "crystal": 140,
    SIGMA: 236,
    "grade": 80,
    ENERGY: 160,
    EXPERIMENT: 124,
    "n_levels": 84,
    "n_running": 104,
    "n_failed": 88,
    "time": 146,
    "archive": 150,
}
#: Columns that are never shown: they name, link and describe the others.
BEHIND = ("key", "name", "href", SHARE, *WORDS.values())
TABLE_PX, FRAME_PX, ROW_PX = 440, 84, 34
#: Value in the address for no hidden columns.
ALL_SHOWN = ("-",)


def layout(view: View) -> Component:
    """Return the page."""
    table = listed.materials(view)
    if table.empty:
        words = "A material appears here with its first result."
        return page(TITLE, empty_state("No materials yet.", words, "aiida-ion run Li3N.cif --engine sevenn --wait"))
    shown = len(listed.matching_rows(filter_model(view.filters, numeric_columns(table)), view))
    return page(
        TITLE,
        card("Filter", html.Div(_controls(view), className="filters")),
        _table_card(view, table),
        row(html.Div(preview.cards(view), id=preview.PLACE, className="page"), listed.figure_card(view)),
        dcc.Store("materials-picked", data=list(view.selected)),
        dcc.Store(preview.PLOTTED, data=view.option("plot") or None),
        dcc.Store("materials-refresh"),
        dcc.Download("materials-download"),
        subtitle=html.Span(count_words(shown, table, view), id="materials-count", role="status"),
    )


def register(app: Dash) -> None:
    """Add the callbacks: rows on request, selection in the figure, the figure and the address, the download."""
    states = [State(name, "value") for name in CONTROLS]

    @app.callback(
        Output(GRID, "getRowsResponse"),
        Input(GRID, "getRowsRequest"),
        *states,
        State("materials-picked", "data"),
    )
    def rows(request: Mapping[str, Any] | None, *given: Any) -> Any:
        if request is None:
            return no_update
        table = ordered(listed.matching_rows(request.get("filterModel"), _asked(given)), request.get("sortModel"))
        return {"rowData": cells(block_of(table, request)), "rowCount": len(table)}

    @app.callback(
        Output("materials-picked", "data"),
        Input(listed.FIGURE, "selectedData"),
        Input(listed.FIGURE, "clickData"),
        Input("materials-clear", "n_clicks"),
        prevent_initial_call=True,
    )
    def pick(box: Mapping[str, Any] | None, click: Mapping[str, Any] | None, _: int | None) -> Any:
        if ctx.triggered_id == "materials-clear":
            return []
        points = (click if ctx.triggered[0]["prop_id"].endswith("clickData") else box) or {}
        names = sorted({str(point["customdata"][1]) for point in points.get("points", []) if "customdata" in point})
        return names or no_update

    preview.register(app, GRID)
    app.clientside_callback(
        ClientsideFunction("dashboard", "askAgain"),
        *(Input(name, "value") for name in CONTROLS),
        Input("materials-picked", "data"),
        State(GRID, "id"),
        prevent_initial_call=True,
    )

    @app.callback(
        Output(listed.FIGURE, "figure"),
        Output("materials-count", "children"),
        Output("materials-clear", "hidden"),
        Output(QUERY, "data", allow_duplicate=True),
        *(Input(name, "value") for name in CONTROLS),
        Input("materials-picked", "data"),
        Input(GRID, "filterModel"),
        Input(GRID, "selectedRows"),
        Input("materials-x", "value"),
        Input("materials-y", "value"),
        Input("materials-sort", "data"),
        Input(column_choice_id(GRID), "value"),
        Input(preview.PLOTTED, "data"),
        State(column_choice_id(GRID), "options"),
        State(THEME, "data"),
        prevent_initial_call="initial_duplicate",
    )
    def draw(*given: Any) -> tuple[Any, ...]:
        model, selected, x, y, sort, columns, plotted, options, theme = given[len(CONTROLS) + 1 :]
        asked = _asked(given[: len(CONTROLS) + 1])
        table = listed.matching_rows(model, asked)
        marked = [str(entry["key"]) for entry in selected or []]
        hidden = tuple(option["value"] for option in options if option["value"] not in columns)
        view = replace(
            asked,
            x=None if x == listed.X else x,
            y=None if y == listed.Y else y,
            sort=tuple((entry["colId"], entry["sort"]) for entry in sort or []),
            hidden=() if hidden == _hidden([option["value"] for option in options]) else hidden or ALL_SHOWN,
            filters=column_filters(model),
        ).with_options(plot=plotted or None)
        figure = listed.figure(table, x, y, asked, marked, theme)
        return (
            figure,
            count_words(len(table), listed.materials(asked), asked),
            not asked.selected,
            written(PATH, without_defaults(view)),
        )

    @app.callback(Output("materials-sort", "data"), Input(GRID, "getRowsRequest"), State("materials-sort", "data"))
    def sorting(request: Mapping[str, Any] | None, before: list[Mapping[str, str]] | None) -> Any:
        now = (request or {}).get("sortModel") or []
        return no_update if request is None or now == (before or []) else now

    @app.callback(
        Output("materials-download", "data"),
        Input("materials-csv", "n_clicks"),
        State(GRID, "filterModel"),
        State("materials-sort", "data"),
        State(column_choice_id(GRID), "value"),
        *states,
        State("materials-picked", "data"),
        prevent_initial_call=True,
    )
    def download(_: int, model: Any, sort: Any, columns: list[str], *given: Any) -> dict[str, Any]:
        table = ordered(listed.matching_rows(model, _asked(given)), sort)
        content = harmless(file_rows(table, columns, _asked(given))).to_csv(index=False)
        return {"content": content, "filename": "materials.csv", "type": "text/csv", "base64": False}


def _hidden(names: Iterable[str]) -> tuple[str, ...]:
    """Return the columns hidden by default."""
    known = list(names)
    shown = listed.shown_columns(pd.DataFrame(columns=known))
    return tuple(name for name in known if name not in shown)


def _asked(given: Sequence[Any]) -> View:
    """Return the view for the controls and the selection in the figure.

    :param given: values of `CONTROLS`, and the selected formulas.
    """
    *values, picked = given
    return replace(chosen(values), selected=tuple(picked or ()))


def _controls(view: View) -> list[Component]:
    """Return the filters beyond those of columns."""
    clear = html.Button("Show all points again", id="materials-clear", type="button", hidden=not view.selected)
    return [*controls(view), clear]


def _table_card(view: View, table: pd.DataFrame) -> Component:
    names = [name for name in table.columns if name not in BEHIND]
    first = replace(view, hidden=view.hidden or _hidden(names))
    csv = html.Button("CSV", id="materials-csv", type="button", className="small", title="Download the rows as CSV")
    shown = grid(
        GRID,
        table,
        first,
        columns=names,
        links={"formula": "href"},
        words=WORDS,
        bars={SIGMA: SHARE},
        widths=NARROWEST,
        row_id="key" if table["key"].is_unique else None,
        selectable=True,
        height_px=min(TABLE_PX, FRAME_PX + ROW_PX * max(len(table), 3)),
        on_request=True,
    )
    tools = [column_choice(GRID, table, names, first.hidden), csv]
    sort = [{"colId": column, "sort": way} for column, way in view.sort]
    chosen_result = html.Div(result_controls(view), className="filters")
    ends = [listed.power(decade) for decade in bar_decades(table[SIGMA]) or ()]
    bars = f" Bars are log σ, from {' to '.join(ends)} mS/cm." if ends else ""
    return card(
        "Table",
        chosen_result,
        with_name(shown, TITLE),
        dcc.Store("materials-sort", data=sort),
        actions=tools,
        note=NOTE + bars,
    )
