"""Trained potentials: errors before and after, learning curve, a student's loops, watched runs, what came of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
from dash import Dash, Input, Output, State, dcc
from dash.development.base_component import Component

from aiida_ion.dashboards import tables
from aiida_ion.dashboards.components import card, empty_state, page, row
from aiida_ion.dashboards.grids import table_card
from aiida_ion.dashboards.pages import potential_cards as cards
from aiida_ion.dashboards.pages import potential_runs as made_with
from aiida_ion.dashboards.potentials.cards import potential_cards
from aiida_ion.dashboards.state import QUERY, THEME, View, written

PATH = "/potentials"
TITLE = "Potentials"
STORE = "potentials-view"
COMMAND = "aiida-ion potential train DATASET --family sevenn --from ENGINE"
SHOWN = (
    *("level_of_theory", "process", "state", "accepted", "formula", "parent", "n_train", "held_out_split"),
    *("held_out_force_mae_eV_A", "parent_force_mae_eV_A", "held_out_force_slope", "held_out_energy_mae_eV_atom"),
    *("cpu_time_s", "engines", "member", "time", "archive"),
)


def layout(view: View) -> Component:
    """Return the page."""
    table, described = tables.table("trainings"), potential_cards()
    if table.empty:
        words = "Make a dataset of labelled frames with aiida-ion potential dataset, then train on it."
        if not tables.changes():
            words = "Ask the sender for a training, such as an ion.train or an ion.student."
            return page(TITLE, *described, empty_state("This archive holds no trained potential.", words))
        return page(TITLE, *described, empty_state("No potential has been trained yet.", words, COMMAND))
    chosen = chosen_training(table, view.uuid)
    shown = table.assign(
        href=[replace(view, uuid=str(uuid), options=(), theme=None).url(PATH) for uuid in table["uuid"]],
        level_of_theory=table["level_of_theory"].fillna("no potential"),
    )
    trainings = table_card(
        "potentials-trainings",
        "Trained potentials",
        shown,
        note="Choose one by its level of theory. A student, and each training that it made, are rows of their own.",
        links={"level_of_theory": "href", "state": "href"},
        hidden=[name for name in table.columns if name not in SHOWN],
    )
    about = "What computed forces here, then what was trained here: errors before and after, and what was run with it."
    return page(
        TITLE, *described, trainings, *_training(replace(view, uuid=str(chosen["uuid"])), chosen), subtitle=about
    )


def chosen_training(table: pd.DataFrame, uuid: str | None) -> pd.Series[Any]:
    """Return the training in the address, else the newest with a report that no other process made, else the newest."""
    reported = table[table["report_uuid"].notna()]
    for rows in (table[table["uuid"] == uuid], reported[reported["process_pk"].isna()], reported):
        if len(rows):
            return rows.iloc[0]
    return table.iloc[0]


def _training(view: View, chosen: pd.Series[Any]) -> list[Component]:
    """Return everything about one training."""
    if not isinstance(chosen["report_uuid"], str):
        words = "It is shown here when it has finished; if it failed, see its process for the reason."
        nothing = empty_state(f"This training has no report: {chosen['state']}.", words)
        return [card("Report", nothing), made_with.lineage_card(chosen, made_with.NOTHING)]
    found = made_with.what_was_made(chosen)
    student = [cards.student_card(chosen, view.theme)] if isinstance(chosen["student_report_uuid"], str) else []
    return [
        dcc.Store(STORE, data=view.query()),
        cards.summary_card(chosen),
        row(
            cards.curve_card(chosen, view.theme),
            cards.parity_card(view, chosen),
        ),
        *cards.committee_cards(chosen, view.theme),
        *student,
        made_with.watch_card(view, found),
        row(made_with.before_after_card(chosen, found, view.theme), made_with.lineage_card(chosen, found)),
        made_with.results_card(found),
    ]


def register(app: Dash) -> None:
    """Add the callbacks: other forces in the parity figure, and another watched run."""

    @app.callback(
        Output(cards.PARITY, "figure"),
        Output(QUERY, "data", allow_duplicate=True),
        Output(STORE, "data", allow_duplicate=True),
        Input(cards.COLOUR, "value"),
        Input(cards.FORCES, "value"),
        Input(cards.OF, "value"),
        State(STORE, "data"),
        State(THEME, "data"),
        prevent_initial_call=True,
    )
    def draw_parity(
        colour: str, whose: str, frames: str, query: str, theme: str | None
    ) -> tuple[Any, dict[str, str], str]:
        view = View.from_query(query)
        chosen = chosen_training(tables.table("trainings"), view.uuid)
        view = view.with_options(
            colour=None if colour == "element" else colour,
            forces=None if whose == "after" else whose,
            frames=None if frames == cards.held_out_split(chosen) else frames,
        )
        return cards.parity(replace(view, theme=theme), chosen), written(PATH, view), view.query()

    @app.callback(
        Output(made_with.WATCHED, "children"),
        Output(QUERY, "data", allow_duplicate=True),
        Output(STORE, "data", allow_duplicate=True),
        Input(made_with.RUN, "value"),
        State(STORE, "data"),
        State(THEME, "data"),
        prevent_initial_call=True,
    )
    def draw_watch(watch: str, query: str, theme: str | None) -> tuple[list[Component], dict[str, str], str]:
        view = View.from_query(query).with_options(run=watch or None)
        chosen = chosen_training(tables.table("trainings"), view.uuid)
        found = made_with.what_was_made(chosen)
        shown = made_with.watched(replace(view, theme=theme), found)
        return shown, written(PATH, view), view.query()
