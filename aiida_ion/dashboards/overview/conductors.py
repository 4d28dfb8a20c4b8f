"""The first card of the overview: conductivities at one level of theory, the best conductors, how levels agree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from dash import dcc, html
from dash.development.base_component import Component

from aiida_ion.dashboards.comparing import all_pairs, default_reference, measurements
from aiida_ion.dashboards.components import aria, card, control, figure_card, grade_badge, page_link, row
from aiida_ion.dashboards.figures.theme import formula_label, theme_named
from aiida_ion.dashboards.material_rows import SIGMA, count_words, level_of, levels, material_rows, temperature_of
from aiida_ion.dashboards.material_rows import temperatures as known_temperatures
from aiida_ion.dashboards.overview.strip import height_px, strip_figure
from aiida_ion.dashboards.pairs import EXPERIMENT, scores
from aiida_ion.dashboards.quantities import QUANTITIES
from aiida_ion.dashboards.state import View

FIGURE, LEVEL, TEMPERATURE = "overview-strip", "overview-level", "overview-temperature"
MOST_BEST = 10


def controls(view: View) -> Component:
    """Return the choice of level of theory and temperature."""
    usual = temperature_of(view)
    kelvins = [{"label": f"{value:g} K", "value": f"{value:g}"} for value in sorted(known_temperatures())]
    level = dcc.Dropdown(levels(), level_of(view), id=LEVEL, clearable=False, className="dropdown wide")
    temperature = dcc.Dropdown(
        kelvins, None if usual is None else f"{usual:g}", id=TEMPERATURE, clearable=False, className="dropdown"
    )
    return html.Div([control("conductivities by", level), control("at", temperature)], className="filters")


def cards(view: View) -> list[Component]:
    """Return the figure, the best conductors, and a sentence for each level of theory."""
    table = material_rows(view)
    level, temperature_K = level_of(view), temperature_of(view)
    at = f"{level} at {temperature_K:g} K" if temperature_K is not None else str(level)
    figure = figure_card(
        FIGURE,
        "Conductivities",
        strip_figure(table, theme=theme_named(view.theme), at=at),
        note=f"{count_words(len(table), table, view)} Bars: 95 %. Click a point for its provenance.",
        height_px=height_px(table),
        description=f"Conductivity of each material by {at}",
    )
    side = [card(f"The best conductors by {at}", best_table(table))]
    sentences = agreement()
    if sentences:
        items = html.Ul([html.Li(sentence) for sentence in sentences], className="list")
        side.append(card("How levels of theory agree", items, actions=page_link("compare", "/compare")))
    return [row(figure, html.Div(side, className="page"))]


def best_table(table: pd.DataFrame) -> Component:
    """Return the ten highest conductivities: only values are ranked, not bounds or what is poorly known."""
    best = table[table[SIGMA].notna()].sort_values(SIGMA, ascending=False).head(MOST_BEST)
    if best.empty:
        return html.P("There is no value here; choose another level of theory or temperature.", className="muted")
    heads = ("material", "crystal", "σ (mS/cm), 95 %", "measured", "grade")
    looks = ("tight", "tight", "tight", "", "tight")
    lines = [zip(_cells(record), looks, strict=True) for record in best.to_dict("records")]
    body = [html.Tr([html.Td(cell, className=look) for cell, look in line]) for line in lines]
    head = html.Thead(html.Tr([html.Th(name, scope="col") for name in heads]))
    return html.Div(
        html.Table([head, html.Tbody(body)], className="plain", **aria(label="The best conductors")), className="scroll"
    )


def _cells(record: Mapping[Any, Any]) -> tuple[Any, ...]:
    return (
        page_link(formula_label(record["formula"]), str(record["href"])),
        str(record["crystal"]),
        str(record["sigma_words"]),
        str(record["experiment_words"]),
        grade_badge(record["grade"]),
    )


def agreement() -> list[str]:
    """Return one sentence for each level of theory: how far its conductivities are from the reference."""
    references = list(dict.fromkeys(filter(None, (default_reference(), EXPERIMENT if len(measurements()) else None))))
    sentences = []
    for reference in references:
        pairs = all_pairs(QUANTITIES["conductivity"], reference)
        for score in scores(pairs, QUANTITIES["conductivity"]).to_dict("records"):
            if score["n_pairs"] or score["n_bounds"] or score["n_poorly_known"]:
                sentences.append(sentence({str(name): value for name, value in score.items()}, reference))
    return sentences


def sentence(score: Mapping[str, Any], reference: str) -> str:
    """Return the score of a level in words.

    :param score: a row of `aiida_ion.dashboards.pairs.scores` of conductivities.
    """
    start = f"{score['level_of_theory']} against {reference}: "
    n = int(score["n_pairs"])
    bounds = "bound" if score["n_bounds"] == 1 else "bounds"
    aside = [(int(score["n_bounds"]), bounds), (int(score["n_poorly_known"]), "poorly known")]
    aside.append((int(score["n_other_structures"]), "of other crystals"))
    left_out = ", ".join(f"{number} {words}" for number, words in aside if number)
    rest = f" (not counted: {left_out})" if left_out else ""
    if not n:
        return f"{start}no pair of values{rest}."
    of_many = f", {int(score['n_within'])} of {n} within one" if n > 1 else " for one material"
    return f"{start}{score['mae']:.2f} decades{of_many}{rest}."
