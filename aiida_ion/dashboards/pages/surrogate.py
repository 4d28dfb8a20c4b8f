"""Surrogates: training, whether the model beats its controls, and the cost of a prediction."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component

from aiida_ion.dashboards import tables
from aiida_ion.dashboards.components import card, control, empty_state, page, row
from aiida_ion.dashboards.grids import table_card
from aiida_ion.dashboards.pages import surrogate_cards as cards
from aiida_ion.dashboards.state import QUERY, THEME, View, written
from aiida_ion.dashboards.surrogate_rows import CLIPS, own_clip

PATH = "/surrogate"
TITLE = "Surrogate"
CLIP, STORE, SCORED = "surrogate-clip", "surrogate-view", "surrogate-scored"
COMMAND = "aiida-ion surrogate train DATASET"
HIDDEN = (
    "n_censored",
    "r2_std",
    "noise_ceiling_r2_clip_1e-4",
    "best_control_r2",
    "gap_ci95_low",
    "gap_ci95_high",
    "spearman",
    "conformal_halfwidth_dex",
    "verdict",
    "pk",
    "uuid",
    "report_uuid",
    "model_uuid",
    "dataset_uuid",
)


def layout(view: View) -> Component:
    """Return the page."""
    table = tables.table("surrogates")
    if table.empty:
        words = "Make a dataset of finished runs with aiida-ion surrogate dataset, then train on it."
        if not tables.changes():
            return page(TITLE, empty_state("This archive holds no surrogate.", "Ask the sender for a training."))
        return page(TITLE, empty_state("No surrogate has been trained yet.", words, COMMAND))
    chosen = chosen_training(table, view.uuid)
    shown = table.assign(href=[replace(view, uuid=str(uuid), theme=None).url(PATH) for uuid in table["uuid"]])
    trainings = table_card(
        "surrogate-trainings",
        "Trainings",
        shown,
        note="Choose a training by its protocol.",
        links={"protocol": "href", "state": "href"},
        hidden=HIDDEN,
    )
    return page(
        TITLE,
        trainings,
        *_training(replace(view, uuid=str(chosen["uuid"])), chosen),
        subtitle="Diffusion from a few force evaluations, and whether the model beats its controls.",
    )


def chosen_training(table: pd.DataFrame, uuid: str | None) -> pd.Series[Any]:
    """Return the training whose job is in the address, else the newest with a report, else the newest."""
    for rows in (table[table["uuid"] == uuid], table[table["report_uuid"].notna()]):
        if len(rows):
            return rows.iloc[0]
    return table.iloc[0]


def _training(view: View, chosen: pd.Series[Any]) -> list[Component]:
    """Return everything about one training."""
    if not isinstance(chosen["report_uuid"], str):
        words = "It is shown here when it has finished; if it failed, see its job for the reason."
        return [card("Report", empty_state(f"This training has no report: {chosen['state']}.", words))]
    report = cards.read(str(chosen["report_uuid"]))
    clip = chosen_clip(view, report)
    options = [{"label": f"{float(name):g} Å²/ps", "value": name} for name in CLIPS]
    radio = dcc.RadioItems(options, clip, id=CLIP, className="inline")
    return [
        dcc.Store(STORE, data=view.query()),
        cards.verdict_card(report, chosen),
        html.Div(control("Floor of the slopes", radio), className="filters"),
        html.Div(cards.scored_cards(report, clip, view.theme), id=SCORED, className="page"),
        row(cards.learning_card(report, view.theme), cards.cost_card(chosen)),
    ]


def chosen_clip(view: View, report: cards.Report) -> str:
    """Return the clip in the address, else that of the training."""
    asked = view.option("clip")
    return asked if asked in CLIPS else own_clip(report.attributes)


def register(app: Dash) -> None:
    """Add the callbacks: another clip, and points that link to the provenance of their label."""

    @app.callback(
        Output(SCORED, "children"),
        Output(QUERY, "data", allow_duplicate=True),
        Input(CLIP, "value"),
        State(STORE, "data"),
        State(THEME, "data"),
        prevent_initial_call=True,
    )
    def score(clip: str, query: str, theme: str | None) -> tuple[list[Component], dict[str, str]]:
        view = View.from_query(query)
        chosen = chosen_training(tables.table("surrogates"), view.uuid)
        report = cards.read(str(chosen["report_uuid"]))
        asked = view.with_options(clip=None if clip == own_clip(report.attributes) else clip)
        return cards.scored_cards(report, chosen_clip(asked, report), theme), written(PATH, asked)

    for name in (cards.PARITY, cards.RESIDUALS):
        app.clientside_callback(ClientsideFunction("points", "follow"), Input(name, "clickData"))
