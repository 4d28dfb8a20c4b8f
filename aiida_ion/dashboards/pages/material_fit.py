"""The middle of a material's page: motion of the ions at each temperature, and its checks."""

from __future__ import annotations

import heapq
import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go
from dash import dcc, html
from dash.development.base_component import Component

from aiida_ion.dashboards.components import aria, badge, card, control, empty_state, figure_card, row
from aiida_ion.dashboards.figures.msd import MsdCurve, msd_figure
from aiida_ion.dashboards.figures.rdf import rdf_figure
from aiida_ion.dashboards.figures.theme import Theme, theme_named
from aiida_ion.dashboards.numbers import readable, short
from aiida_ion.dashboards.pages.atoms import run_view as view
from aiida_ion.dashboards.pages.material_result import Result
from aiida_ion.dashboards.pages.material_species import species_table
from aiida_ion.queries import details, frames
from aiida_ion.queries.reading.kinds import read_column, read_number

MSD, SCALE = "material-msd", "material-scale"
RDF, CELL = "material-rdf", view.CELL
FIT, CHECKS, RUN = "material-fit", "material-checks", "material-run"
LOGARITHMIC, LINEAR = "logarithmic", "linear"
CURVES = ("all_lag_times_ps", "all_msd_A2", "lag_times_ps", "msd_A2", "msd_std_A2")
#: Maximum number of checks shown, the worst.
MOST_CHECKS = 200
#: Verdict of a check -> kind of badge, in the order of the table.
VERDICTS = {"fail": ("bad", 0), "warn": ("doubtful", 1), "pass": ("good", 2), "not_applicable": ("neutral", 3)}
NOTHING = np.empty(0)
#: Units of checks -> symbols.
UNITS = re.compile(r"angstrom(\^[23])?")


def msd(shown: Result) -> go.Figure:
    """Return the mean squared displacement at each temperature of the result shown."""
    uuids = [str(uuid) for uuid in shown.points["uuid"]]
    arrays = shown.arrays(uuids, CURVES)
    several = len(set(_levels(shown))) > 1
    curves = [
        _curve(uuid, refused, shown.attributes(uuid), arrays.get(uuid, {}), level if several else None)
        for uuid, refused, level in zip(uuids, shown.points["refused"], _levels(shown), strict=True)
    ]
    logarithmic = shown.view.option("msd", LOGARITHMIC) != LINEAR
    return msd_figure(curves, theme=theme_named(shown.view.theme), logarithmic=logarithmic)


def _levels(shown: Result) -> list[str]:
    """Return the level of theory of each temperature: all the same for a result, several where there is none."""
    return [str(level) for level in shown.points["level_of_theory"]]


def _curve(
    uuid: str, refused: object, attributes: Mapping[str, Any], arrays: Mapping[str, Any], level: str | None
) -> MsdCurve:
    edges = read_column("fit_window_ps", [attributes.get("fit_window_ps")], "interval")[0]
    temperature_K = read_number(attributes.get("temperature_K"))
    return MsdCurve(
        uuid=uuid,
        temperature_K=math.nan if temperature_K is None else temperature_K,
        fit_window_ps=None if edges is None else (edges[0], edges[1]),
        tracer_diffusivity_cm2_s=read_number(attributes.get("tracer_diffusivity_cm2_s")),
        refused=isinstance(refused, str),
        level_of_theory=level,
        **{name: arrays.get(name, NOTHING) for name in CURVES},
    )


def msd_card(shown: Result) -> Component:
    """Return the figure with the choice of its axes."""
    scales = [{"label": name, "value": name} for name in (LOGARITHMIC, LINEAR)]
    chosen = shown.view.option("msd", LOGARITHMIC)
    return figure_card(
        MSD,
        "Mean squared displacement",
        msd(shown),
        note="Thick: the fitted window, with the slope 6 D*. Band: 95 %. Hollow and dashed: refused.",
        height_px=440,
        controls=[control("axes", dcc.RadioItems(scales, chosen, id=SCALE, className="inline"))],
    )


def checks_card(shown: Result) -> Component:
    """Return the choice of a temperature and its checks."""
    several = len(set(_levels(shown))) > 1
    options = [
        {"label": f"{short(target)} K, {level}" if several else f"{short(target)} K", "value": uuid}
        for target, uuid, level in zip(
            shown.points["target_temperature_K"], shown.points["uuid"], _levels(shown), strict=True
        )
    ]
    known = [option["value"] for option in options]
    chosen = shown.view.option("fit")
    value = chosen if chosen in known else next(iter(known), None)
    picked = dcc.Dropdown(options, value, id=FIT, clearable=False, className="dropdown")
    content = _species_and_checks(shown.attributes(value)) if value else checks_table(None)
    return card(
        "Species and checks at one temperature",
        html.Div(control("temperature", picked), className="filters"),
        html.Div(content, id=CHECKS, className="scroll tall"),
    )


def checks(uuid: str | None) -> Component:
    """Return species and checks of a temperature."""
    return _species_and_checks(details.diffusion_attributes(uuid)) if uuid else checks_table(None)


def _species_and_checks(attributes: Mapping[str, Any]) -> Component:
    table = species_table(attributes)
    checked = checks_table(attributes.get("checks"))
    return checked if table is None else html.Div([table, checked])


def checks_table(result: Any) -> Component:
    """Return checks, the worst first: number, limit, verdict and sentence."""
    given = [check for check in result or [] if isinstance(check, Mapping)]
    if not given:
        return empty_state("No checks are stored.", "The fit was made without them.")
    ordered = heapq.nsmallest(
        MOST_CHECKS, given, key=lambda check: VERDICTS.get(str(check.get("verdict")), ("neutral", 4))[1]
    )
    heads = ("verdict", "check", "number", "limit", "finding")
    looks = ("tight", "", "tight", "tight", "")
    rows = [
        html.Tr([html.Td(cell, className=look) for cell, look in zip(_check(check), looks, strict=True)])
        for check in ordered
    ]
    head = html.Thead(html.Tr([html.Th(name, scope="col") for name in heads]))
    table = html.Table([head, html.Tbody(rows)], className="plain", **aria(label="Checks"))
    more = len(given) - len(rows)
    return table if more <= 0 else html.Div([table, html.P(f"and {more:,} more: none is worse", className="muted")])


def _check(check: Mapping[str, Any]) -> tuple[Any, ...]:
    verdict, unit = readable(check.get("verdict")), UNITS.sub(_sign, readable(check.get("unit") or ""))
    return (
        badge(verdict.replace("_", " "), VERDICTS.get(verdict, ("neutral", 4))[0]),
        readable(check.get("name")).replace("_", " "),
        f"{short(check.get('value'))} {unit}",
        f"{short(check.get('limit'))} {unit}",
        readable(check.get("message") or ""),
    )


def _sign(match: re.Match[str]) -> str:
    return "Å" + {"^2": "²", "^3": "³"}.get(match[1] or "", "")


def run_cards(uuid: str | None, theme_name: str | None) -> list[Component]:
    """Return the order of the framework and the pathways of the ions, from a few frames of the first run."""
    if not uuid:
        return []
    attributes = details.diffusion_attributes(uuid)
    mobile, framework = str(attributes.get("mobile_species")), attributes.get("framework_species")
    try:
        run_frames = frames.frames_of(uuid)
    except ValueError as error:
        return [card("Framework and pathways", empty_state("There is no trajectory to draw.", str(error)))]
    theme = theme_named(theme_name)
    return [row(_rdf_card(run_frames, mobile, framework, theme), view.view_card(uuid, run_frames, mobile, theme))]


def _rdf_card(sampled: frames.RunFrames, mobile: str, framework: Any, theme: Theme) -> Component:
    rdf = frames.framework_rdf(sampled, mobile, framework if isinstance(framework, list) else None)
    figure = rdf_figure(None, None, None, theme=theme)
    words = "All atoms are mobile ions."
    if rdf is not None:
        figure = rdf_figure(rdf.r_A, rdf.first_half, rdf.second_half, theme=theme)
        words = f"{rdf.n_frames} frames of the first run, including equilibration; both halves are equal for a solid."
    drawn = _leading_to(figure, sampled.trajectory_uuids[0])
    return figure_card(RDF, "Radial distribution of the framework", drawn, note=words, height_px=480)


def _leading_to(figure: go.Figure, uuid: str) -> go.Figure:
    """Return a figure whose points all link to their trajectory."""
    for trace in figure.data:
        trace.customdata = np.full((len(trace.x), 1), uuid, dtype=object)
    return figure
