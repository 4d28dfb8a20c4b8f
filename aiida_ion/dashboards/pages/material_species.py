"""Table of the species at one temperature of a material."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import html
from dash.development.base_component import Component

from aiida_ion.dashboards.components import aria, badge
from aiida_ion.dashboards.numbers import readable, short
from aiida_ion.verdicts import is_poorly_known, useful_bound, words_of

HEADS = ("species", "role", "verdict", "hops", "D* (cm²/s), 95 %", "σ (mS/cm), 95 %")
#: Maximum number of species shown.
MOST_SPECIES = 50
KINDS = {"moved": "good", "poorly_known": "doubtful", "bound": "neutral"}


def species_table(attributes: Mapping[str, Any]) -> Component | None:
    """Return a row for each species of a fit; None for fits of earlier versions, which have only one.

    :param attributes: attributes of a diffusion node.
    """
    rows = [species for species in attributes.get("species") or [] if isinstance(species, Mapping)]
    if not rows:
        return None
    limit = attributes.get("max_interval_decades")
    body = [html.Tr([html.Td(cell, className="tight") for cell in _cells(row, limit)]) for row in rows[:MOST_SPECIES]]
    head = html.Thead(html.Tr([html.Th(name, scope="col") for name in HEADS]))
    reason = attributes.get("framework_reason")
    note = [html.P(readable(reason), className="note")] if isinstance(reason, str) else []
    if len(rows) > MOST_SPECIES:
        note.append(html.P(f"and {len(rows) - MOST_SPECIES:,} more", className="note"))
    return html.Div([*note, html.Table([head, html.Tbody(body)], className="plain", **aria(label="Species"))])


def _cells(species: Mapping[str, Any], limit: Any) -> tuple[Any, ...]:
    verdict = str(species.get("verdict"))
    return (
        readable(species.get("element")),
        readable(species.get("role")),
        badge(words_of(verdict), KINDS.get(verdict, "neutral")),
        short(species.get("n_hops")),
        _amount(species, "tracer_diffusivity", "cm2_s", limit),
        _amount(species, "ionic_conductivity", "mS_cm", limit),
    )


def _amount(species: Mapping[str, Any], name: str, unit: str, limit: Any) -> str:
    value, edges = species.get(f"{name}_{unit}"), species.get(f"{name}_ci95_{unit}")
    if value is None:
        bound = useful_bound(species, name, unit)
        return f"< {short(bound)}" if bound else "-"  # what has no charge conducts nothing
    if not isinstance(edges, (list, tuple)) or len(edges) != 2:
        return short(value)
    if is_poorly_known(edges[0], edges[1], limit):
        return f"poorly known: {short(edges[0])} to {short(edges[1])}"
    return f"{short(value)} [{short(edges[0])}, {short(edges[1])}]"
