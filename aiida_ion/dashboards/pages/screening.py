"""Screenings: the funnel, what fell where and why, the ranking of what is left, cost and recall of the stages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, no_update
from dash.development.base_component import Component

from aiida_ion.dashboards import tables
from aiida_ion.dashboards.columns import cells
from aiida_ion.dashboards.components import empty_state, page
from aiida_ion.dashboards.filtering import filtered, ordered
from aiida_ion.dashboards.grids import block_of, table_card
from aiida_ion.dashboards.pages import screening_cards as cards
from aiida_ion.dashboards.pages import screening_hops as hops
from aiida_ion.dashboards.pages.atoms import maps
from aiida_ion.dashboards.state import QUERY, THEME, View, column_filters, written

PATH = "/screening"
TITLE = "Screening"
STORE = "screening-view"
COMMAND = "aiida-ion screen run crystals/ --protocol quick"
HIDDEN = ("stages", "exit_message", "pk", "uuid", "summary_uuid")


def layout(view: View) -> Component:
    """Return the page."""
    table = tables.table("screenings")
    if table.empty:
        if not tables.changes():
            words = "Ask the sender for a screening: an ion.screening, or a group with it."
            return page(TITLE, empty_state("This archive holds no screening.", words), *maps.maps_card(view.theme))
        words = "A screening is shown here as soon as it has started."
        nothing = empty_state("Nothing has been screened yet.", words, COMMAND)
        return page(TITLE, nothing, *maps.maps_card(view.theme))
    chosen = chosen_screening(table, view.uuid)
    pk = int(chosen["pk"])
    here = replace(view, uuid=str(chosen["uuid"]))
    hrefs = [replace(view, uuid=str(uuid), options=(), filters=(), theme=None).url(PATH) for uuid in table["uuid"]]
    listed = table_card(
        "screening-list",
        "Screenings",
        table.assign(href=hrefs),
        note="Choose one by its name.",
        links={"screening": "href"},
        hidden=HIDDEN,
    )
    return page(
        TITLE,
        *([listed] if len(table) > 1 else []),
        dcc.Store(STORE, data=here.query()),
        cards.summary_card(chosen),
        cards.funnel_cards(pk, view.theme),
        *cards.running_card(pk),
        cards.ranking_choice(pk, view.option("stage") or None, view.theme),
        *hops.hops_cards(_with_hops(pk), view.option("crystal") or None, view.theme),
        *maps.maps_card(view.theme),
        cards.fell_card(pk),
        cards.recall_cards(pk, view.theme),
        cards.decisions_card(pk, here),
        subtitle="From many crystals to few: what each stage kept and dropped, at which cost and for which reason.",
    )


def chosen_screening(table: pd.DataFrame, uuid: str | None) -> pd.Series[Any]:
    """Return the screening in the address, else one that is running, else the newest."""
    for rows in (table[table["uuid"] == uuid], table[table["state"] == "running"]):
        if len(rows):
            return rows.iloc[0]
    return table.iloc[0]


def _with_hops(pk: int) -> pd.DataFrame:
    uuids = cards.decisions_of(pk)["structure_uuid"]
    return hops.crystals_with_hops({uuid for uuid in uuids if isinstance(uuid, str)})


def register(app: Dash) -> None:
    """Add the callbacks: another stage of the ranking, rows of the decisions, and points that lead to their crystal."""

    @app.callback(
        Output(cards.RANKED, "children"),
        Output(QUERY, "data", allow_duplicate=True),
        Output(STORE, "data", allow_duplicate=True),
        Input(cards.STAGE, "value"),
        State(STORE, "data"),
        State(THEME, "data"),
        prevent_initial_call=True,
    )
    def rank(stage: str, query: str, theme: str | None) -> tuple[list[Component], dict[str, str], str]:
        pk, view = _asked(query)
        names = cards.judged_stages(pk)
        view = view.with_options(stage=None if names and stage == names[-1] else stage)
        shown = cards.ranked_cards(pk, stage if stage in names else None, theme)
        return shown, written(PATH, view), view.query()

    @app.callback(
        Output(cards.DECISIONS, "getRowsResponse"),
        Output(QUERY, "data", allow_duplicate=True),
        Output(STORE, "data", allow_duplicate=True),
        Input(cards.DECISIONS, "getRowsRequest"),
        State(STORE, "data"),
        prevent_initial_call=True,
    )
    def rows(request: Mapping[str, Any] | None, query: str) -> tuple[Any, Any, Any]:
        if request is None:
            return no_update, no_update, no_update
        pk, view = _asked(query)
        found = filtered(cards.decisions_of(pk), request.get("filterModel"))
        found = ordered(found, request.get("sortModel"))
        response = {"rowData": cells(block_of(found[list(cards.COLUMNS)], request)), "rowCount": len(found)}
        now = replace(view, filters=column_filters(request.get("filterModel")))
        if now == view:
            return response, no_update, no_update
        return response, written(PATH, now), now.query()

    @app.callback(
        Output(hops.HOPS, "children"),
        Output(QUERY, "data", allow_duplicate=True),
        Output(STORE, "data", allow_duplicate=True),
        Input(hops.CRYSTAL, "value"),
        State(STORE, "data"),
        State(THEME, "data"),
        prevent_initial_call=True,
    )
    def draw_hops(process: str, query: str, theme: str | None) -> tuple[list[Component], dict[str, str], str]:
        pk, view = _asked(query)
        known = _with_hops(pk)
        view = view.with_options(crystal=process if process in set(known["process_uuid"]) else None)
        return hops.drawn(str(process), theme), written(PATH, view), view.query()

    @app.callback(Output(cards.SCORES, "children"), Input(cards.SCORED, "data"))
    def score(pk: int) -> Component:
        return cards.scores_of(int(pk))

    maps.register(app)
    app.clientside_callback(ClientsideFunction("points", "follow"), Input(cards.RANKING, "clickData"))


def _asked(query: str) -> tuple[int, View]:
    view = View.from_query(query)
    return int(chosen_screening(tables.table("screenings"), view.uuid)["pk"]), view
