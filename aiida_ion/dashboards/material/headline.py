"""The top of a material's page: conductivity, activation energy and grade in large type, and the checks in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd
from dash import html
from dash.development.base_component import Component

from aiida_ion.dashboards.components import KINDS, MARKS, aria, card
from aiida_ion.dashboards.numbers import readable, short
from aiida_ion.dashboards.pages.material_result import Result
from aiida_ion.verdicts import NOT_MEASURABLE, POORLY_KNOWN, is_poorly_known, useful_bound, words_of

#: Checks that are named in the line, of each kind.
MOST_NAMED = 3
#: Verdict of a check -> words for one and for several, the worst first.
FINDINGS = {"fail": ("failed", "failed"), "warn": ("warning", "warnings")}


def card_of(shown: Result) -> Component:
    """Return the headline of a result."""
    attributes = shown.attributes(shown.view.uuid)
    target = f"at {short(attributes.get('target_temperature_K'))} K"
    level = str(attributes.get("level_of_theory") or "unknown level of theory")
    numbers = [
        _large(f"ionic conductivity σ {target}", *sigma(attributes)),
        _large("activation energy Eₐ", *energy(attributes)),
        _large("grade", *grade(shown.row.get("grade"), attributes.get("verdict"))),
    ]
    checks = checks_line(shown.points, {str(uuid): shown.attributes(str(uuid)) for uuid in shown.points["uuid"]})
    return card("Result", html.Div(numbers, className="headline"), html.P(checks, className="check-line"), note=level)


def _large(label: str, value: str, hint: str, kind: str = "") -> Component:
    mark: list[Any] = [html.Span(MARKS[kind], **aria(hidden="true")), " "] if MARKS.get(kind) else []
    number = html.Div([*mark, value], className=f"large {kind}".strip())
    return html.Div([html.Div(label, className="label"), number, html.Div(hint, className="hint")])


def sigma(attributes: Mapping[str, Any]) -> tuple[str, str]:
    """Return a conductivity in large type, and its interval; a bound is a bound, and what is no number is a word.

    :param attributes: of a conductivity.
    """
    verdict = attributes.get("verdict")
    edges: Any = attributes.get("ionic_conductivity_ci95_mS_cm")
    has_edges = isinstance(edges, (list, tuple)) and len(edges) == 2
    poor = has_edges and is_poorly_known(edges[0], edges[1], attributes.get("max_interval_decades"))
    if verdict == POORLY_KNOWN or poor:
        between = f"95 %: {short(edges[0])} to {short(edges[1])} mS/cm" if has_edges else ""
        return words_of(POORLY_KNOWN), between
    value = short(attributes.get("ionic_conductivity_mS_cm"))
    if verdict != NOT_MEASURABLE and value != "-":
        return f"{value} mS/cm", f"95 %: {short(edges[0])} to {short(edges[1])}" if has_edges else "no interval"
    bound = useful_bound(attributes, "ionic_conductivity", "mS_cm")
    if bound is not None:
        return f"< {short(bound)} mS/cm", "upper bound: no diffusion was detected"
    return words_of(verdict), "neither a value nor a bound that says anything"


def energy(attributes: Mapping[str, Any]) -> tuple[str, str]:
    """Return an activation energy in large type, and its interval or why there is none."""
    value = short(attributes.get("activation_energy_eV"))
    edges: Any = attributes.get("activation_energy_ci95_eV")
    if value == "-":
        return "unknown", "too few temperatures with diffusion"
    has_edges = isinstance(edges, (list, tuple)) and len(edges) == 2
    return f"{value} eV", f"95 %: {short(edges[0])} to {short(edges[1])}" if has_edges else "no interval"


def grade(stored: object, verdict: object) -> tuple[str, str, str]:
    """Return the grade in large type, what it says, and its kind; of what is undetermined there is none.

    :param stored: the grade in the table of conductivities.
    :param verdict: of the same result.
    """
    if verdict == NOT_MEASURABLE or not isinstance(stored, str):
        return "none", "no grade was given" if verdict != NOT_MEASURABLE else "there is nothing to grade", ""
    return words_of(stored), "from A, the best, to D" if len(stored) == 1 else words_of(verdict), KINDS.get(stored, "")


def checks_line(points: pd.DataFrame, attributes: Mapping[str, Mapping[str, Any]]) -> list[Any]:
    """Return which checks failed or warned at which temperature, in words.

    :param points: the temperatures of a result, with ``uuid``, ``target_temperature_K`` and ``refused``.
    :param attributes: of each temperature, by its UUID.
    """
    found: dict[str, list[str]] = {name: [] for name in FINDINGS}
    n_checks = 0
    for uuid, temperature_K in zip(points["uuid"], points["target_temperature_K"], strict=True):
        for check in _checks(attributes.get(str(uuid), {})):
            verdict = str(check.get("verdict"))
            n_checks += verdict in ("pass", *FINDINGS)
            if verdict in found:
                name = readable(check.get("name")).replace("_", " ")
                found[verdict].append(f"{name} at {short(temperature_K)} K")
    n_refused = int(points["refused"].notna().sum())
    refused = [f" {n_refused} of {len(points)} temperatures {'was' if n_refused == 1 else 'were'} left out of the fit."]
    named = {kind: names for kind, names in found.items() if names}
    if not n_checks:
        return ["No checks are stored.", *(refused if n_refused else [])]
    parts = [f"{len(names)} {FINDINGS[kind][len(names) > 1]} ({_listed(names)})" for kind, names in named.items()]
    words = f"of {n_checks}, {', '.join(parts)}." if parts else f"all {n_checks} passed."
    return [html.Strong("Checks: "), words, *(refused if n_refused else [])]


def _checks(attributes: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    listed = attributes.get("checks")
    return [check for check in listed if isinstance(check, Mapping)] if isinstance(listed, list) else []


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return f"{', '.join(names[:MOST_NAMED])}{more}"
