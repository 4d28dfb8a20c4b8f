"""Overview: the conductors at one level of theory, what runs, failures by reason, and the newest results."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component

from aiida_ion.dashboards import tables
from aiida_ion.dashboards.comparing import level_names
from aiida_ion.dashboards.components import (
    aria,
    badge,
    card,
    empty_state,
    page,
    page_link,
    row,
    uuid_label,
)
from aiida_ion.dashboards.crystals import material_view
from aiida_ion.dashboards.crystals import words_of as words_of_crystals
from aiida_ion.dashboards.figures.theme import formula_label
from aiida_ion.dashboards.material_rows import sigma_words
from aiida_ion.dashboards.overview import conductors
from aiida_ion.dashboards.overview.failures import MOST_READ as MOST_READ_FAILURES
from aiida_ion.dashboards.overview.failures import MOST_REASONS, by_reason
from aiida_ion.dashboards.overview.running import name_parts, running
from aiida_ion.dashboards.pages.materials_choices import without_defaults
from aiida_ion.dashboards.serving import answers
from aiida_ion.dashboards.serving.origins import ARCHIVE
from aiida_ion.dashboards.state import QUERY, THEME, View, written
from aiida_ion.queries.running import activity

PATH = "/"
TITLE = "Overview"
REFRESH_MS = 10_000
#: An answer with what runs is kept as long as it is shown, s.
REFRESH_S = 10.0
MOST_RECENT = 10
CONDUCTORS, STORE = "overview-conductors", "overview-view"


def layout(view: View) -> Component:
    """Return the page."""
    numbers = counts()
    if not numbers["jobs"] and not numbers["materials"]:
        return page(TITLE, card("Nothing here yet", _nothing()))
    parts: list[Component] = []
    if numbers["conductivities"]:
        shown = html.Div(conductors.cards(view), id=CONDUCTORS, className="page")
        parts += [dcc.Store(STORE, data=view.query()), conductors.controls(view), shown]
    if tables.changes():
        parts += [_running_card(), dcc.Interval("overview-clock", interval=REFRESH_MS)]
    parts.append(row(*_latest_card(), *_failures_card()))
    return page(TITLE, *parts, subtitle=_counts_line(numbers))


def register(app: Dash) -> None:
    """Add the callbacks: what runs, and the conductors at the chosen level of theory and temperature."""

    @app.callback(
        Output("overview-running", "children"),
        Output("overview-running-card", "hidden"),
        Input("overview-clock", "n_intervals"),
    )
    def refresh(_: int | None) -> tuple[list[Component], bool]:
        table = running_now()
        return running(table, read=True), table.empty

    @app.callback(
        Output(CONDUCTORS, "children"),
        Output(QUERY, "data", allow_duplicate=True),
        Input(conductors.LEVEL, "value"),
        Input(conductors.TEMPERATURE, "value"),
        State(STORE, "data"),
        State(THEME, "data"),
        prevent_initial_call=True,
    )
    def choose(level: str, temperature: str, query: str, theme: str | None) -> tuple[list[Component], dict[str, str]]:
        view = replace(View.from_query(query), level_of_theory=level or None, theme=theme)
        view = view.with_options(temperature=temperature or None)
        return conductors.cards(view), written(PATH, without_defaults(view))

    app.clientside_callback(ClientsideFunction("points", "follow"), Input(conductors.FIGURE, "clickData"))


def _running_card() -> Component:
    """Return what runs; hidden while nothing does."""
    table = running_now()
    shown = card("Running now", html.Div(running(table, read=False), id="overview-running", **aria(live="polite")))
    return html.Div(shown, id="overview-running-card", hidden=table.empty)


def running_now() -> pd.DataFrame:
    """Return the processes that run; an answer with them is kept for a short time."""
    answers.lasting(REFRESH_S)
    return activity.running()


def counts() -> dict[str, int]:
    """Return how much there is, as the tables of the other pages count it."""
    materials, fits = tables.table("materials"), tables.table(tables.FITS)
    jobs = tables.derived("overview jobs", lambda: pd.DataFrame([{"jobs": activity.n_jobs()}]))
    return {
        "materials": len(materials),
        "levels": len(level_names()),
        "conductivities": len(tables.table("conductivity")),
        "fits": int((~fits["superseded"].astype(bool)).sum()),
        "jobs": int(jobs["jobs"].iloc[0]),
        "running": int(materials["n_running"].sum()),
        "failed": int(materials["n_failed"].sum()),
    }


def _counts_line(numbers: Mapping[str, int]) -> Component:
    """Return how much there is, in one line."""
    words = {
        "materials": "materials",
        "levels": "levels of theory",
        "conductivities": "conductivities",
        "fits": "diffusion fits",
        "jobs": "molecular-dynamics jobs",
        "running": "running",
        "failed": "failed",
    }
    parts = [f"{numbers[name]:,} {text}" for name, text in words.items() if numbers[name] or name not in _QUIET]
    return html.Span([page_link(parts[0], "/materials"), " · ", " · ".join(parts[1:])])


_QUIET = ("running", "failed")


def _nothing() -> Component:
    if not tables.changes():
        return empty_state("This archive holds no results.", "Ask the sender to export finished work chains.")
    words = "Submit a crystal; it appears here once it is running."
    return empty_state("No results in this profile.", words, "aiida-ion run Li3N.cif --engine sevenn --protocol fast")


def _failures_card() -> list[Component]:
    """Return the latest failures, one line for each reason; nothing where nothing failed."""
    table = tables.derived("overview failures", lambda: activity.failures(MOST_READ_FAILURES))
    if table.empty:
        return []
    groups = by_reason(table)
    shown = groups[:MOST_REASONS]
    names = activity.about([int(group["newest"]["pk"]) for group in shown])
    items = [html.Li(_failure(group, names)) for group in shown]
    more = len(groups) - len(shown)
    rest = html.P(f"and {more} more reasons: aiida-ion status lists failures", className="muted") if more else None
    note = f"By reason, of the latest {len(table)}." if len(table) >= MOST_READ_FAILURES else "By reason."
    return [card("Failed", html.Ul(items, className="list"), rest, note=note)]


def _failure(group: Mapping[str, Any], names: pd.DataFrame) -> list[Component]:
    """Return one reason: how often, and the newest process that failed for it."""
    newest = group["newest"]
    often = html.Strong(f"{group['n']} ×") if group["n"] > 1 else None
    line = [often, badge(group["kind"], "bad"), *name_parts(newest, names), uuid_label(str(newest["uuid"]))]
    when = html.Span(f"{newest['mtime']:%d %b %Y}", className="end")
    return [html.Div([*line, when], className="line"), html.Div(_reason(group["reason"]), className="reason")]


def _reason(text: str) -> str:
    return text if text.strip(" -") else "It stored no reason."


def _latest_card() -> list[Component]:
    """Return the newest conductivities; nothing where there is none."""
    several = tables.archives() is not None  # one more column
    return [card("Latest results", _recent(), wide=several)] if len(tables.table("conductivity")) else []


def _recent() -> Component:
    """Return the newest conductivities with their intervals or bounds; of an ensemble the pooled one alone."""
    table = tables.table("conductivity")
    table = table[table["ensemble_uuid"].isna()].sort_values("time", ascending=False).head(MOST_RECENT)
    heads: tuple[str, ...] = ("material", "crystal", "level of theory", "T (K)", "σ (mS/cm), 95 %", "when")
    looks: tuple[str, ...] = ("tight", "tight", "", "", "", "tight")
    if tables.archives() is not None:
        heads, looks = (*heads, "archive"), (*looks, "tight")
    body = []
    for record, words in zip(table.to_dict("records"), words_of_crystals(table["crystal"]), strict=True):
        view = material_view(record["formula"], record["crystal"], record["uuid"])
        link = page_link(formula_label(record["formula"]), view.url("/material"))
        cells: tuple[Any, ...] = (
            link,
            words,
            str(record["level_of_theory"]),
            _temperature(record["target_temperature_K"]),
            sigma_words(record),
            f"{record['time']:%d %b %Y}",
            *([record[ARCHIVE]] if ARCHIVE in record else []),
        )
        body.append(html.Tr([html.Td(cell, className=look) for cell, look in zip(cells, looks, strict=True)]))
    head = html.Thead(html.Tr([html.Th(name) for name in heads]))
    return html.Div(
        html.Table([head, html.Tbody(body)], className="plain", **aria(label="Latest results")), className="scroll"
    )


def _temperature(value: Any) -> str:
    return f"{value:.0f}" if _is_number(value) else "-"


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)
