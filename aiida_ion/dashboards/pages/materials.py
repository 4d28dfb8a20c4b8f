"""All materials, with filters, sorting and download; the table and the figure filter each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
from dash import ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from aiida_ion.dashboards import tables
from aiida_ion.dashboards.choosing import within
from aiida_ion.dashboards.columns import cells, column_title, numeric_columns
from aiida_ion.dashboards.comparing import level_names
from aiida_ion.dashboards.components import card, control, empty_state, figure_card, page
from aiida_ion.dashboards.figures.landscape import MOST_POINTS, landscape
from aiida_ion.dashboards.figures.theme import level_styles, theme_named
from aiida_ion.dashboards.filtering import filtered, ordered, with_elements
from aiida_ion.dashboards.grids import block_of, column_choice, column_choice_id, grid
from aiida_ion.dashboards.material_rows import (
    BOUND,
    ENERGY,
    EXPERIMENT,
    SIGMA,
    WORDS,
    count_words,
    file_rows,
    harmless,
    level_of,
    material_rows,
    results_of,
    temperature_of,
)
from aiida_ion.dashboards.pages.materials_choices import (
    CONTROLS,
    chosen,
    controls,
    matching,
    result_controls,
    without_defaults,
)
from aiida_ion.dashboards.state import QUERY, THEME, View, column_filters, filter_model, written

NOTE = (
    "σ with its 95 % interval, its grade and Eₐ are the result of each material at the level of theory and temperature "
    "chosen here. Only values are ranked; intervals, bounds and what is undetermined come last."
)
PATH = "/materials"
TITLE = "Materials"
GRID, FIGURE = "materials-grid", "materials-figure"
X, Y = ENERGY, SIGMA
#: Columns shown by default, in this order; others can be chosen.
SHOWN = (
    "formula",
    "crystal",
    SIGMA,
    "grade",
    ENERGY,
    EXPERIMENT,
    "n_levels",
    "n_running",
    "n_failed",
    "wall_time_s",
    "time",
)
#: Columns that are never shown: they name, link and describe the others.
BEHIND = ("key", "name", "href", *WORDS.values())
#: Value in the address for no hidden columns.
ALL_SHOWN = ("-",)


def layout(view: View) -> Component:
    """Return the page."""
    table = materials(view)
    if table.empty:
        words = "A material appears here with its first result."
        return page(TITLE, empty_state("No materials yet.", words, "aiida-ion run Li3N.cif --engine sevenn --wait"))
    shown = len(_rows(filter_model(view.filters, numeric_columns(table)), view))
    return page(
        TITLE,
        card("Filter", html.Div(_controls(view), className="filters")),
        html.Div([_table_card(view, table), _figure_card(view)], className="split"),
        dcc.Store("materials-picked", data=list(view.selected)),
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
        table = ordered(_rows(request.get("filterModel"), _asked(given)), request.get("sortModel"))
        return {"rowData": cells(block_of(table, request)), "rowCount": len(table)}

    @app.callback(
        Output("materials-picked", "data"),
        Input(FIGURE, "selectedData"),
        Input(FIGURE, "clickData"),
        Input("materials-clear", "n_clicks"),
        prevent_initial_call=True,
    )
    def pick(box: Mapping[str, Any] | None, click: Mapping[str, Any] | None, _: int | None) -> Any:
        if ctx.triggered_id == "materials-clear":
            return []
        points = (click if ctx.triggered[0]["prop_id"].endswith("clickData") else box) or {}
        names = sorted({str(point["customdata"][1]) for point in points.get("points", []) if "customdata" in point})
        return names or no_update

    app.clientside_callback(
        ClientsideFunction("dashboard", "askAgain"),
        *(Input(name, "value") for name in CONTROLS),
        Input("materials-picked", "data"),
        State(GRID, "id"),
        prevent_initial_call=True,
    )

    @app.callback(
        Output(FIGURE, "figure"),
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
        State(column_choice_id(GRID), "options"),
        State(THEME, "data"),
        prevent_initial_call="initial_duplicate",
    )
    def draw(*given: Any) -> tuple[Any, ...]:
        model, selected, x, y, sort, columns, options, theme = given[len(CONTROLS) + 1 :]
        asked = _asked(given[: len(CONTROLS) + 1])
        table = _rows(model, asked)
        marked = [str(entry["key"]) for entry in selected or []]
        hidden = tuple(option["value"] for option in options if option["value"] not in columns)
        view = replace(
            asked,
            x=None if x == X else x,
            y=None if y == Y else y,
            sort=tuple((entry["colId"], entry["sort"]) for entry in sort or []),
            hidden=() if hidden == _hidden([option["value"] for option in options]) else hidden or ALL_SHOWN,
            filters=column_filters(model),
        )
        figure = _figure(table, x, y, asked, marked, theme)
        return (
            figure,
            count_words(len(table), materials(asked), asked),
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
        table = ordered(_rows(model, _asked(given)), sort)
        content = harmless(file_rows(table, columns, _asked(given))).to_csv(index=False)
        return {"content": content, "filename": "materials.csv", "type": "text/csv", "base64": False}


def materials(view: View) -> pd.DataFrame:
    """Return the table of materials, with the result of the level and temperature of a view and the address of each."""
    table = material_rows(view)
    first = [name for name in SHOWN if name in table.columns]
    return table[[*first, *(name for name in table.columns if name not in first)]]


def _hidden(names: Iterable[str]) -> tuple[str, ...]:
    """Return the columns hidden by default."""
    return tuple(name for name in names if name not in SHOWN)


def _asked(given: Sequence[Any]) -> View:
    """Return the view for the controls and the selection in the figure.

    :param given: values of `CONTROLS`, and the selected formulas.
    """
    *values, picked = given
    return replace(chosen(values), selected=tuple(picked or ()))


def _rows(model: Mapping[str, Any] | None, asked: View) -> pd.DataFrame:
    """Return the materials that match all choices."""
    table = with_elements(matching(asked), asked.elements)
    if asked.selected:
        table = table[table["key"].isin(asked.selected)]
    return filtered(table, model)


def _figure(table: pd.DataFrame, x: str, y: str, asked: View, marked: list[str], theme: str | None) -> Any:
    """Return the figure of the matching materials: their results of the level and temperature, group and time."""
    results = within(results_of(level_of(asked), temperature_of(asked)), asked)
    keys = results["crystal"].astype(object).where(results["crystal"].notna(), results["formula"])
    results = results.assign(key=keys)
    shown = results[results["key"].isin(set(table["key"]))].sort_values("time", ascending=False)
    return landscape(shown, x, y, level_styles(level_names()), theme_named(theme), marked)


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
        row_id="key" if table["key"].is_unique else None,
        selectable=True,
        height_px=570,
        on_request=True,
    )
    tools = [column_choice(GRID, table, names, first.hidden), csv]
    sort = [{"colId": column, "sort": way} for column, way in view.sort]
    chosen_result = html.Div(result_controls(view), className="filters")
    return card("Table", chosen_result, shown, dcc.Store("materials-sort", data=sort), actions=tools, note=NOTE)


def _figure_card(view: View) -> Component:
    results = tables.table("conductivity")
    x, y = view.x or X, view.y or Y
    model = filter_model(view.filters, numeric_columns(materials(view)))
    table = _rows(model, view)
    axes = [
        control(
            axis, dcc.Dropdown(_axes(results), value, id=f"materials-{axis}", clearable=False, className="dropdown")
        )
        for axis, value in (("x", x), ("y", y))
    ]
    note = "Click a point, or draw a box, to show only those materials."
    if len(results) > MOST_POINTS:
        note += f" Of more than {MOST_POINTS:,} results the newest are drawn."
    figure = _figure(table, x, y, view, [], view.theme)
    return figure_card(
        FIGURE, "Results", figure, note=note, height_px=480, controls=axes, description="Results by level"
    )


def _axes(results: pd.DataFrame) -> list[dict[str, str]]:
    """Return the quantities that an axis may show."""
    names = [name for name in numeric_columns(results) if not name.endswith("pk") and name != BOUND]
    return [{"label": column_title(name), "value": name} for name in names]
