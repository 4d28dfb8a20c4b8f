"""Which species moved at one temperature of a material, as a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import html
from dash.development.base_component import Component

from aiida_ion.dashboards.components import badge
from aiida_ion.dashboards.numbers import short
from aiida_ion.verdicts import is_poorly_known, words_of

HEADS = ("species", "role", "verdict", "hops", "D* (cm²/s), 95 %", "σ (mS/cm), 95 %")
KINDS = {"moved": "good", "poorly_known": "doubtful", "bound": "neutral"}


def species_table(attributes: Mapping[str, Any]) -> Component | None:
    """Return a row for each species of a fit; nothing for fits of earlier versions, which know one alone.

    :param attributes: attributes of a diffusion node.
    """
    rows = [species for species in attributes.get("species") or [] if isinstance(species, Mapping)]
    if not rows:
        return None
    limit = attributes.get("max_interval_decades")
    body = [html.Tr([html.Td(cell, className="tight") for cell in _cells(row, limit)]) for row in rows]
    head = html.Thead(html.Tr([html.Th(name, scope="col") for name in HEADS]))
    reason = attributes.get("framework_reason")
    note = [html.P(str(reason), className="note")] if isinstance(reason, str) else []
    return html.Div([*note, html.Table([head, html.Tbody(body)], className="plain")])


def _cells(one: Mapping[str, Any], limit: Any) -> tuple[Any, ...]:
    verdict = str(one.get("verdict"))
    return (
        str(one.get("element")),
        str(one.get("role")),
        badge(words_of(verdict), KINDS.get(verdict, "neutral")),
        short(one.get("n_hops")),
        _amount(one, "tracer_diffusivity", "cm2_s", limit),
        _amount(one, "ionic_conductivity", "mS_cm", limit),
    )


def _amount(one: Mapping[str, Any], name: str, unit: str, limit: Any) -> str:
    value, edges = one.get(f"{name}_{unit}"), one.get(f"{name}_ci95_{unit}")
    if value is None:
        bound = short(one.get(f"{name}_upper_bound_{unit}"))
        return "-" if bound == "-" else f"< {bound}"
    if not isinstance(edges, (list, tuple)) or len(edges) != 2:
        return short(value)
    between = f"[{short(edges[0])}, {short(edges[1])}]"
    return between if is_poorly_known(edges[0], edges[1], limit) else f"{short(value)} {between}"
