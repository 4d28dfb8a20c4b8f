"""Cards of one training of a surrogate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from dash import html
from dash.development.base_component import Component
from numpy.typing import NDArray

from aiida_ion.dashboards.components import (
    aria,
    badge,
    card,
    empty_state,
    facts,
    figure_card,
    row,
    stat,
    stats,
    uuid_label,
)
from aiida_ion.dashboards.figures.arms import arms_figure
from aiida_ion.dashboards.figures.arms import height_px as arms_height_px
from aiida_ion.dashboards.figures.learning_curves import learning_figure
from aiida_ion.dashboards.figures.residuals import height_px as residual_height_px
from aiida_ion.dashboards.figures.residuals import residual_figure
from aiida_ion.dashboards.figures.surrogate_parity import parity_figure
from aiida_ion.dashboards.figures.theme import theme_named
from aiida_ion.dashboards.numbers import grouped, short
from aiida_ion.dashboards.surrogate_rows import (
    CLIPS,
    CURVE_ARRAYS,
    MATERIAL_ARRAYS,
    arm_rows,
    cost_rows,
    number,
    report_rows,
    speed_up,
)
from aiida_ion.queries.details import diffusion_arrays, diffusion_attributes
from aiida_ion.queries.surrogates import label_costs, prediction_costs

PARITY, RESIDUALS, ARMS, CURVES = "surrogate-parity", "surrogate-residuals", "surrogate-arms", "surrogate-curves"
#: Maximum number of listed settings, and characters of each.
MOST_SETTINGS, LONGEST = 60, 80
BEATEN = {
    True: ("beats its controls", "good"),
    False: ("does not beat its controls", "bad"),
    None: ("there were no controls", "doubtful"),
}


@dataclass(frozen=True)
class Report:
    """Attributes and arrays of a report node."""

    attributes: dict[str, Any]
    arrays: dict[str, NDArray[Any]]


def read(uuid: str) -> Report:
    """Read the available parts of a report."""
    return Report(diffusion_attributes(uuid), diffusion_arrays(uuid, (*MATERIAL_ARRAYS, *CURVE_ARRAYS)))


def verdict_card(report: Report, chosen: pd.Series[Any]) -> Component:
    """Return the verdict, its numbers, and links."""
    attributes = report.attributes
    beats = attributes.get("beats_controls")
    words, kind = BEATEN[beats if isinstance(beats, bool) else None]
    spread = f" ± {short(attributes['r2_std'])}" if number(attributes.get("r2_std")) is not None else ""
    coverage = number(attributes.get("coverage95"))
    censored = (
        f"{attributes.get('n_censored')} labels are only bounds" if number(attributes.get("n_censored")) else None
    )
    numbers = stats(
        stat("R² on held-out materials", f"{short(attributes.get('r2'))}{spread}", f"split by {chosen['split']}"),
        stat("MAE", f"{short(attributes.get('mae_dex'))} dex", f"rank correlation {short(attributes.get('spearman'))}"),
        stat(
            "of labels in their 95 % interval",
            "-" if coverage is None else f"{100 * coverage:.0f} %",
            _halfwidth(attributes),
        ),
        stat("materials", str(attributes.get("n_materials", "-")), censored),
    )
    nodes = [(name, chosen[f"{name}_uuid"]) for name in ("report", "model", "dataset")]
    known: list[tuple[str, Any]] = [
        ("at", f"{short(chosen['temperature_K'])} K, {chosen['mobile_species']}, {chosen['levels_of_theory']}"),
        *((name, uuid_label(uuid)) for name, uuid in nodes if isinstance(uuid, str)),
        ("job", uuid_label(str(chosen["uuid"]))),
        ("settings", _settings(attributes.get("settings"))),
    ]
    sentence = html.P(
        [badge(words, kind), " ", str(attributes.get("verdict") or "")], className="verdict", role="status"
    )
    note = f"{chosen['protocol']}, trained {chosen['time']:%d %b %Y %H:%M}"
    return card("Verdict", sentence, numbers, html.Div(facts(known), className="below"), note=note)


def _halfwidth(attributes: dict[str, Any]) -> str | None:
    half = number(attributes.get("conformal_halfwidth_dex"))
    return None if half is None else f"conformal, ± {half:.2g} dex"


def _settings(settings: Any) -> Component:
    given = sorted(settings.items()) if isinstance(settings, dict) else []
    listed: list[tuple[str, Any]] = [(str(name), str(value)[:LONGEST]) for name, value in given[:MOST_SETTINGS]]
    return html.Details([html.Summary(f"{len(given)} settings"), facts(listed)])


def scored_cards(report: Report, clip: str, theme_name: str | None) -> list[Component]:
    """Return the cards that depend on the clip: parity, residuals, arms.

    :param clip: a key of `CLIPS`.
    """
    theme, floor = theme_named(theme_name), CLIPS[clip]
    rows, arms = report_rows(report.attributes, report.arrays), arm_rows(report.attributes, clip)
    ceiling = number(report.attributes.get(f"noise_ceiling_r2_clip_{clip}"))
    half = number(report.attributes.get("conformal_halfwidth_dex"))
    bars = "Each material predicted by models trained without it. Bars are conformal 95 % intervals, arrows bounds."
    return [
        row(
            figure_card(
                PARITY,
                "Predictions for held-out materials",
                parity_figure(rows, floor, theme=theme),
                note=f"{bars} Click a point for the provenance of its label.",
                height_px=520,
                description=f"Parity plot of {len(rows)} materials",
            ),
            figure_card(
                RESIDUALS,
                "Residual by chemical system",
                residual_figure(rows, floor, half, theme=theme),
                note="The band is the conformal interval; systems with the largest errors are at the top.",
                height_px=max(520, residual_height_px(rows)),
            ),
        ),
        row(
            figure_card(
                ARMS,
                "The model and its controls",
                arms_figure(arms, ceiling, theme=theme),
                note="No model can beat the noise of its labels; one that equals a control has not learned more.",
                height_px=arms_height_px(arms),
            ),
            arms_card(arms),
        ),
    ]


def arms_card(arms: pd.DataFrame) -> Component:
    """Return the controls, baselines and ablations as a table."""
    head = ["arm", "kind", "R²", "lead of the model (95 %)", "MAE (dex)", "Spearman", "time (s)"]
    lines = [
        [arm["name"], arm["kind"], _with_spread(arm), _lead(arm), *(short(arm[name]) for name in _LAST)]
        for arm in arms.to_dict("records")
    ]
    looks = ["tight", "tight", *["right tight"] * 5]
    names = html.Tr([html.Th(name, scope="col", className=look) for name, look in zip(head, looks, strict=True)])
    body = [html.Tr([html.Td(cell, className=look) for cell, look in zip(line, looks, strict=True)]) for line in lines]
    words = "The lead is for the clip of the training; if its interval includes zero, the arm is not beaten."
    table = html.Table(
        [html.Thead(names), html.Tbody(body)], className="plain wrapped", **aria(label="Controls and ablations")
    )
    return card("Controls and ablations", html.Div(table, className="scroll"), note=words)


_LAST = ("mae_dex", "spearman", "seconds")


def _with_spread(arm: dict[Any, Any]) -> str:
    spread = f" ± {short(arm['r2_std'])}" if np.isfinite(arm["r2_std"]) else ""
    return f"{short(arm['r2'])}{spread}"


def _lead(arm: dict[Any, Any]) -> str:
    if not np.isfinite(arm["gap"]):
        return "-"
    return f"{arm['gap']:+.2f} [{arm['gap_low']:+.2f}, {arm['gap_high']:+.2f}]"


def learning_card(report: Report, theme_name: str | None) -> Component:
    """Return the learning curves."""
    nothing = np.empty(0)
    curves = [report.arrays.get(name, nothing) for name in CURVE_ARRAYS]
    return figure_card(
        CURVES,
        "Learning curves",
        learning_figure(*curves, theme=theme_named(theme_name)),
        note="Thin: each training on all folds except one. Thick: their mean.",
        height_px=520,
    )


def cost_card(chosen: pd.Series[Any]) -> Component:
    """Return the cost of a prediction and of the molecular dynamics of a label."""
    dataset, model = (chosen[f"{name}_uuid"] for name in ("dataset", "model"))
    costs = cost_rows(label_costs(dataset), prediction_costs(model))
    title = "Cost of one material"
    if costs.empty:
        words = "Predict materials with the model to compare their cost with that of molecular dynamics."
        return card(title, empty_state("No costs are known.", words, "aiida-ion surrogate predict MODEL"))
    faster = speed_up(costs)
    text = (
        f"A prediction takes {grouped(faster)} times less wall time than a label, each on its own hardware."
        if faster
        else ""
    )
    note = text or "Labels and predictions are compared once this model has predicted materials."
    head = ["", "materials", "median (s)", "from", "to"]
    names = html.Tr([html.Th(name, scope="col", className="right" if i else "") for i, name in enumerate(head)])
    body = [
        html.Tr(
            [
                html.Td(cost["way"]),
                html.Td(cost["n_materials"], className="right"),
                *(html.Td(grouped(cost[name]), className="right") for name in ("median_s", "least_s", "most_s")),
            ]
        )
        for cost in costs.to_dict("records")
    ]
    return card(
        title, html.Table([html.Thead(names), html.Tbody(body)], className="plain", **aria(label="Costs")), note=note
    )
