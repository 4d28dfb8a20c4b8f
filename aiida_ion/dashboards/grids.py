"""Tables in AG Grid: sorting, filters, choice of columns, CSV of filtered rows; cells are never HTML."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import dash_ag_grid as dag
import pandas as pd
from dash import MATCH, ClientsideFunction, Dash, Input, dcc, html
from dash.development.base_component import Component

from aiida_ion.dashboards.columns import cells, column_definitions, column_title, numeric_columns
from aiida_ion.dashboards.components import Children, aria, card, table_button
from aiida_ion.dashboards.state import View, filter_model

#: Colours are variables of the page, so that the grid follows its theme.
THEME = (
    "themeQuartz.withParams({backgroundColor: 'var(--card)', foregroundColor: 'var(--text)',"
    " headerBackgroundColor: 'var(--card)', headerTextColor: 'var(--muted)', headerFontWeight: 600,"
    " borderColor: 'var(--line)', accentColor: 'var(--accent)', rowHoverColor: 'var(--hover)',"
    " selectedRowBackgroundColor: 'var(--selected)', chromeBackgroundColor: 'var(--card)',"
    " menuBackgroundColor: 'var(--card)', fontFamily: 'inherit', fontSize: 13, spacing: 6,"
    " browserColorScheme: 'inherit', wrapperBorder: false, rowHeight: 34, headerHeight: 38})"
)
#: Height of headers of two lines, with their edge.
HEADER_PX = 60
#: Rows per request.
BLOCK = 100
#: Maximum rows of one answer, whatever is asked for.
MOST_ROWS = 1000
FILTER_PARAMS = {"maxNumConditions": 1, "buttons": ["reset"], "debounceMs": 300}
#: Of all columns; long titles have several lines.
DEFAULTS: dict[str, Any] = {
    "sortable": True,
    "resizable": True,
    "filterParams": FILTER_PARAMS,
    "minWidth": 80,
    "wrapHeaderText": True,
    "autoHeaderHeight": True,
}


def grid(
    grid_id: str,
    table: pd.DataFrame,
    view: View | None = None,
    columns: Iterable[str] | None = None,
    hidden: Iterable[str] = (),
    links: Mapping[str, str] | None = None,
    words: Mapping[str, str] | None = None,
    bars: Mapping[str, str] | None = None,
    widths: Mapping[str, int] | None = None,
    row_id: str | None = "uuid",
    selectable: bool = False,
    height_px: int | None = None,
    on_request: bool = False,
    options: Mapping[str, Any] | None = None,
) -> Component:
    """Return the table as a grid.

    :param view: initial sorting, column filters, hidden columns and selected rows.
    :param columns: columns, in this order; else all.
    :param hidden: columns hidden by default, if the view hides none.
    :param links: column -> column with the address that its cells link to (not shown itself).
    :param words: column of numbers -> column with the text that its cells show.
    :param bars: column -> column with the length of the bar behind its text, 0 to 1.
    :param widths: column -> smallest width, px. All columns together then fill the grid; the first stays in sight where
        they scroll.
    :param row_id: column that identifies a row in `selectedRows`.
    :param selectable: whether rows can be selected, by click or space bar, several at once.
    :param height_px: height; by default that of its rows, up to twelve.
    :param on_request: whether rows are requested in blocks (``getRowsRequest``), for large tables.
    :param options: more of AG Grid's options.
    """
    view = view or View()
    hide = view.hidden or tuple(hidden)
    settings: dict[str, Any] = {
        "theme": {"function": THEME},
        "tooltipShowDelay": 300,
        "suppressColumnVirtualisation": False,
        "enableCellTextSelection": True,
        "ensureDomOrder": True,
        "suppressFieldDotNotation": True,
        "suppressDragLeaveHidesColumns": True,
    }
    if selectable:
        settings["rowSelection"] = {"mode": "multiRow", "enableClickSelection": True, "headerCheckbox": False}
    if on_request:
        settings |= {"cacheBlockSize": BLOCK, "maxBlocksInCache": 20, "rowBuffer": 20}
    definitions = column_definitions(table, columns, links, hide, words, bars)
    if widths is not None:
        # The columns are fitted before there are rows: the bar that scrolls these has its place from the start.
        settings |= {"autoSizeStrategy": {"type": "fitGridWidth"}, "alwaysShowVerticalScroll": True}
        settings["selectionColumnDef"] = {"pinned": "left", "width": 44}
        for item in definitions:
            if item["field"] in widths:
                item |= {"width": widths[item["field"]], "minWidth": widths[item["field"]]}
        definitions[0] |= {"pinned": "left"}
    fields = {definition["field"] for definition in definitions}
    order = {column: (place, way) for place, (column, way) in enumerate(view.sort)}
    for item in definitions:
        if item["field"] in order:
            item["sortIndex"], item["sort"] = order[item["field"]]
    rows = {"rowModelType": "infinite"} if on_request else {"rowData": cells(table)}
    named = {} if row_id is None or row_id not in table.columns else {"getRowId": f"params.data['{row_id}']"}
    height = height_px or HEADER_PX + 34 * min(max(len(table), 2), 12) + 14
    shown: Component = dag.AgGrid(
        id=grid_id,
        columnDefs=definitions,
        defaultColDef=DEFAULTS,
        filterModel=filter_model([item for item in view.filters if item.column in fields], numeric_columns(table)),
        dashGridOptions=settings | dict(options or {}),
        style={"height": f"{height}px", "width": "100%"},
        dangerously_allow_code=False,
        **rows,
        **named,
    )
    return shown


def block_of(table: pd.DataFrame, request: Mapping[str, Any]) -> pd.DataFrame:
    """Return the rows that a grid asks for (``getRowsRequest``), at most `MOST_ROWS`.

    :raises ValueError: if it does not say which.
    """
    try:
        first, end = (max(int(request[name]), 0) for name in ("startRow", "endRow"))
    except (KeyError, TypeError, OverflowError, ValueError):
        raise ValueError("the table asks for rows without their numbers") from None
    return table.iloc[first : min(end, first + MOST_ROWS)]


def with_name(shown: Component, label: str) -> Component:
    """Return a grid with a name for screen readers."""
    return html.Div(shown, role="group", **aria(label=label))


def column_choice(
    grid_id: str, table: pd.DataFrame, columns: Iterable[str] | None = None, hidden: Iterable[str] = ()
) -> Component:
    """Return the list in which columns of a grid are shown or hidden; its id is ``column_choice_id(grid_id)``."""
    names = [name for name in (columns or table.columns) if name in table.columns]
    off = set(hidden)
    boxes = dcc.Checklist(
        [{"label": column_title(name), "value": name} for name in names],
        [name for name in names if name not in off],
        id=column_choice_id(grid_id),
        className="checks",
    )
    return html.Details([html.Summary("Columns", className="small"), boxes], className="menu")


def column_choice_id(grid_id: str) -> dict[str, str]:
    """Return the id of a grid's list of columns."""
    return {"role": "columns", "grid": grid_id}


def table_card(
    grid_id: str, title: str, table: pd.DataFrame, note: Children = None, actions: Children = None, **grid_options: Any
) -> Component:
    """Return a grid in a card, with choice of columns and CSV; ``grid_options`` are passed to `grid`."""
    links = grid_options.get("links") or {}
    names = [name for name in (grid_options.get("columns") or table.columns) if name not in links.values()]
    view = grid_options.get("view") or View()
    hidden = view.hidden or tuple(grid_options.get("hidden", ()))
    tools = [*(actions or []), column_choice(grid_id, table, names, hidden), table_button(grid_id, title)]
    return card(title, with_name(grid(grid_id, table, **grid_options), title), actions=tools, note=note)


def register(app: Dash) -> None:
    """Add the callback that shows and hides columns, for every grid."""
    app.clientside_callback(
        ClientsideFunction("dashboard", "showColumns"),
        Input({"role": "columns", "grid": MATCH}, "value"),
        prevent_initial_call=True,
    )
