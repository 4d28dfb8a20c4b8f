"""A material's page where there is no conductivity yet, and its work chains that have none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from dash import html
from dash.development.base_component import Component

from aiida_ion.dashboards import tables
from aiida_ion.dashboards.components import aria, badge, card, empty_state, page_link, uuid_label
from aiida_ion.dashboards.crystals import material_view, of, words_of
from aiida_ion.dashboards.figures.theme import formula_label
from aiida_ion.dashboards.state import View
from aiida_ion.queries.crystals import chains
from aiida_ion.queries.running.states import failure_kind, failure_reason

PATH = "/material"
#: Maximum number of work chains that are listed, and of materials to choose from.
MOST_CHAINS, MOST_CHOICES = 20, 60


def chains_card(material: pd.Series[Any]) -> list[Component]:
    """Return what runs and what failed of a material; nothing where there is neither."""
    if not material["n_running"] and not material["n_failed"]:
        return []
    table = tables.derived("chains of conductivities", chains)
    own = table[of(table, material["formula"], material["crystal"])]
    own = own[(own["n_running"] + own["n_failed"]) > 0].sort_values("time", ascending=False)
    items = [html.Li(_chain(record)) for record in own.head(MOST_CHAINS).to_dict("records")]
    more = f"and {len(own) - MOST_CHAINS} more" if len(own) > MOST_CHAINS else None
    parts = [html.Ul(items, className="list"), html.P(more, className="muted") if more else None]
    return [card("Work chains without a result", *parts)]


def _chain(record: Mapping[Any, Any]) -> list[Component]:
    """Return one work chain: running since when, or failed and why."""
    chain = {str(name): value for name, value in record.items()}
    when = html.Span(f"{chain['time']:%d %b %Y %H:%M}", className="end")
    engine = html.Span(str(chain["engine"]) if isinstance(chain["engine"], str) else "", className="muted")
    if chain["n_running"]:
        mark = badge("running", "active")
        return [html.Div([mark, engine, uuid_label(str(chain["uuid"])), when], className="line")]
    ended = {**chain, "process_state": chain["state"], "process_type": ""}
    mark = badge(failure_kind(ended), "bad")
    line = html.Div([mark, engine, uuid_label(str(chain["uuid"])), when], className="line")
    return [line, html.Div(failure_reason(ended), className="reason")]


def no_result(material: pd.Series[Any]) -> Component:
    """Return why there is no conductivity, and what gives one."""
    if material["n_running"]:
        text = "Its work chain is running; the conductivity appears when all temperatures are done."
    elif material["n_temperatures"] and not isinstance(material["crystal"], str):
        text = "Imported trajectories are fitted one by one; an extrapolation needs a run of its crystal."
    elif material["n_failed"]:
        text = "Its work chains failed; the reasons are below."
    else:
        text = "Nothing has extrapolated its temperatures."
    return card("Result", empty_state("There is no conductivity.", text))


def choice(view: View, choices: pd.DataFrame) -> Component:
    """Return the crystals that an address may mean, or all materials, to choose from."""
    if len(choices):
        label = formula_label(choices["formula"].iloc[0])
        text = f"{len(choices)} crystals have the formula {label}. Their results are not mixed; choose one."
        return html.Div([html.P(text), _table(choices)])
    if view.formula or view.crystal or view.uuid:
        words = "It has neither results nor running work chains here."
        what = formula_label(view.formula or view.crystal or view.uuid)
        return empty_state(f"No results of {what}.", words)
    every = tables.table("materials")
    if every.empty:
        words = "A material has a page as soon as it is running."
        return empty_state("No materials yet.", words, "aiida-ion run Li3N.cif --engine sevenn --wait")
    more = [html.P(f"The first {MOST_CHOICES} of {len(every):,}; all are on the page Materials.", className="muted")]
    return html.Div(
        [html.P("Choose a material:"), _table(every.head(MOST_CHOICES)), *(more if len(every) > MOST_CHOICES else [])]
    )


def _table(materials: pd.DataFrame) -> Component:
    heads = ("material", "crystal", "levels of theory", "conductivities", "temperatures", "running", "failed")
    body = []
    for record, words in zip(materials.to_dict("records"), words_of(materials["crystal"]), strict=True):
        address = material_view(record["formula"], record["crystal"]).url(PATH)
        cells: tuple[Any, ...] = (
            page_link(formula_label(record["formula"]), address),
            words,
            str(record["levels_of_theory"]) if isinstance(record["levels_of_theory"], str) else "-",
            *(str(record[f"n_{name}"]) for name in ("conductivities", "temperatures", "running", "failed")),
        )
        body.append(html.Tr([html.Td(cell) for cell in cells]))
    head = html.Thead(html.Tr([html.Th(name, scope="col") for name in heads]))
    return html.Div(
        html.Table([head, html.Tbody(body)], className="plain", **aria(label="Materials")), className="scroll"
    )


def subtitle(material: pd.Series[Any], levels: list[str], n_results: int) -> str:
    """Return the crystal, how much there is, and at which levels of theory."""
    where = words_of([material["crystal"]])[0]
    counts = [(n_results, "result"), (int(material["n_running"]), "running"), (int(material["n_failed"]), "failed")]
    parts = [_counted(*count) for count in counts if count[0] or count[1] == "result"]
    return f"{where}: {', '.join([*parts, _counted(len(levels), 'level')])} of theory" + (
        f": {', '.join(levels)}" if levels else ""
    )


def _counted(number: int, what: str) -> str:
    if what in ("running", "failed"):
        return f"{number} {what}"
    return f"{number} {what}{'' if number == 1 else 's'}"


def others(material: pd.Series[Any]) -> Component | None:
    """Return links to the other crystals of the same formula."""
    table = tables.table("materials")
    rest = table[(table["formula"] == material["formula"]) & ~of(table, material["formula"], material["crystal"])]
    if rest.empty:
        return None
    links = [
        page_link(words, material_view(record["formula"], record["crystal"]).url(PATH), className="chip")
        for record, words in zip(rest.to_dict("records"), words_of(rest["crystal"]), strict=True)
    ]
    return html.Div(["Other crystals of this formula: ", *links], className="note")
