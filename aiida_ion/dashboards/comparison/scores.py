"""Scores of each level of theory against the reference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from dash import html
from dash.development.base_component import Component

from aiida_ion.dashboards.comparing import Choices
from aiida_ion.dashboards.components import aria, card
from aiida_ion.dashboards.pairs import scores

#: Column of the scores -> what it counts of what is not scored, one and several.
NOT_SCORED = {
    "n_bounds": ("bound", "bounds"),
    "n_poorly_known": ("poorly known", "poorly known"),
    "n_other_structures": ("of another crystal", "of other crystals"),
}


def score_card(table: pd.DataFrame, made: Choices) -> Component:
    """Return the errors of each level, in words and numbers.

    :param table: of `aiida_ion.dashboards.pairs.pairs`, with pairs of different crystals, which are counted.
    """
    unit = "decades" if made.quantity.logarithmic else made.quantity.unit
    band = "within one decade" if made.quantity.logarithmic else f"within {made.quantity.band:g} {unit}"
    head = ("level of theory", "pairs", f"MAE ({unit})", f"bias ({unit})", band, "MAE of a constant", "not scored")
    looks = ("tight", *("right",) * 5, "")
    lines = [
        _line({str(name): value for name, value in one.items()})
        for one in scores(table, made.quantity).to_dict("records")
    ]
    body = [html.Tr([html.Td(cell, className=look) for cell, look in zip(line, looks, strict=True)]) for line in lines]
    names = html.Tr([html.Th(name, scope="col", className=look) for name, look in zip(head, looks, strict=True)])
    words = (
        f"Mean absolute error and bias against {made.reference}. A constant always predicts the median of the other "
        "materials; a level that does not beat it predicts nothing. Bounds, poorly known values and pairs of "
        "different crystals are only counted."
    )
    shown = html.Table([html.Thead(names), html.Tbody(body)], className="plain wrapped", **aria(label="Scores"))
    return card("Scores", html.Div(shown, className="scroll"), note=words)


def _line(score: Mapping[str, Any]) -> tuple[str, ...]:
    left = [f"{int(score[name])} {words[score[name] > 1]}" for name, words in NOT_SCORED.items() if score[name]]
    return (
        str(score["level_of_theory"]),
        str(score["n_pairs"]),
        _decimal(score["mae"]),
        _decimal(score["bias"], "+.2f"),
        f"{score['n_within']} of {score['n_pairs']}",
        _decimal(score["constant_mae"]),
        ", ".join(left) or "-",
    )


def _decimal(value: float, form: str = ".2f") -> str:
    return format(round(value, 2) + 0.0, form) if pd.notna(value) else "-"  # no minus before zero
