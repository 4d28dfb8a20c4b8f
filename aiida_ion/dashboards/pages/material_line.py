"""The upper part of a material's page: Arrhenius plot, result, and temperatures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import plotly.graph_objects as go
from dash import dcc, html
from dash.development.base_component import Component

from aiida_ion.dashboards import components, tables
from aiida_ion.dashboards.comparing import level_names
from aiida_ion.dashboards.components import aria, badge, card, control, facts, grade_badge, uuid_label
from aiida_ion.dashboards.crystals import NO_CRYSTAL, archives_of
from aiida_ion.dashboards.figures.arrhenius import QUANTITIES, ArrheniusLine, arrhenius_figure
from aiida_ion.dashboards.figures.theme import level_styles, theme_named
from aiida_ion.dashboards.numbers import interval, short
from aiida_ion.dashboards.pages.material_result import ALL, ONE, Result
from aiida_ion.dashboards.serving.origins import ARCHIVE
from aiida_ion.queries.experiments import experiments
from aiida_ion.verdicts import POORLY_KNOWN, is_poorly_known, useful_bound, words_of

FIGURE, QUANTITY, LINES = "material-arrhenius", "material-quantity", "material-lines"
DEFAULT = "conductivity"
#: Choices of the vertical axis.
AXES = {"conductivity": "σT", "plain_conductivity": "σ", "diffusivity": "D*"}
BAND = "Band: central 95 % of the posterior, dotted where it is extrapolated."
NO_BAND = "Each temperature by itself: there is no extrapolation."
SAMPLES = ("activation_energy_samples_eV", "log10_prefactor_samples_cm2_s")

#: Maximum number of warnings shown, the first.
MOST_WARNINGS = 100


def figure(shown: Result) -> go.Figure:
    """Return the Arrhenius plot: the result shown, and one of each other level if requested."""
    measured, _ = measurements_of(shown)
    lines = shown.lines.to_dict("records")
    arrays = shown.arrays([str(line["uuid"]) for line in lines], SAMPLES)
    return arrhenius_figure(
        shown.all_points,
        [_line(line, arrays.get(str(line["uuid"]), {}), shown.all_points) for line in lines],
        level_styles(level_names()),
        theme=theme_named(shown.view.theme),
        quantity=shown.view.y if shown.view.y in QUANTITIES else DEFAULT,
        experiments=measured,
        members=shown.member_points,
    )


def measurements_of(shown: Result) -> tuple[pd.DataFrame, str]:
    """Return the measurements of the crystal that can be drawn, and a sentence on those that cannot.

    Drawn are those of this very crystal that state a temperature.
    """
    table = tables.derived("experiments", experiments)
    table = table[table["formula"] == shown.view.formula]
    own = table["crystal"].astype(str).str.startswith(shown.view.crystal or NO_CRYSTAL)
    bare = own & table["temperature_K"].isna()
    counts = ((int(bare.sum()), "of this crystal without a temperature"), (int((~own).sum()), "of other crystals"))
    left_out = [f"{number} {words}" for number, words in counts if number]
    sentence = f" Measurements that are not drawn: {', '.join(left_out)}." if left_out else ""
    return table[own & ~bare], sentence


def _line(row: Mapping[Any, Any], arrays: Mapping[str, Any], table: pd.DataFrame) -> ArrheniusLine:
    uuid = str(row["uuid"])
    energies, prefactors = (arrays.get(name, pd.Series(dtype=float).to_numpy()) for name in SAMPLES)
    known = table.loc[table["conductivity_uuid"] == uuid, "log10_conductivity_temperature_per_diffusivity"].dropna()
    return ArrheniusLine(
        level_of_theory=str(row["level_of_theory"]),
        uuid=uuid,
        activation_energies_eV=energies if len(energies) == len(prefactors) else energies[:0],
        log10_prefactors_cm2_s=prefactors,
        log10_factor=float(known.iloc[0]) if len(known) else None,
        target_temperature_K=float(row["target_temperature_K"]),
    )


def figure_card(shown: Result) -> Component:
    """Return the plot with its controls."""
    quantities = [{"label": label, "value": value} for value, label in AXES.items()]
    lines = [{"label": "all levels", "value": ALL}, {"label": "this result", "value": ONE}]
    view = shown.view
    quantity = view.y if view.y in QUANTITIES else DEFAULT
    return components.figure_card(
        FIGURE,
        "Arrhenius plot",
        figure(shown),
        note=f"{BAND if len(shown.lines) else NO_BAND} Click a point for its provenance.{measurements_of(shown)[1]}",
        height_px=500,
        description="Arrhenius plot of every temperature with the posterior of the line",
        controls=[
            control("axis", dcc.RadioItems(quantities, quantity, id=QUANTITY, className="inline")),
            html.Div(
                control("lines", dcc.RadioItems(lines, view.option("lines", ALL), id=LINES, className="inline")),
                hidden=shown.lines.empty,
            ),
        ],
    )


def summary_card(shown: Result) -> Component:
    """Return the result, and how reliable it is."""
    attributes, beside = shown.attributes(shown.view.uuid), shown.beside
    target = short(attributes.get("target_temperature_K"))
    pairs: list[tuple[str, Any]] = [
        ("verdict", [grade_badge(attributes.get("verdict")), " ", str(attributes.get("reason") or "")]),
        (f"collective σ at {target} K", _sigma(attributes, "collective_")),
        *_members(attributes),
        *_all_species(attributes),
        ("law", str(attributes.get("preferred_law") or "-").replace("_", " ")),
        ("extrapolated by", _factor(attributes)),
        ("temperatures", _temperatures(attributes)),
        ("result", uuid_label(str(shown.view.uuid))),
    ]
    if beside.get("process"):
        pairs.append(("work chain", uuid_label(str(beside["process"]))))
    if ARCHIVE in shown.row:
        pairs.append(("archive", str(shown.row[ARCHIVE])))
    return card("About the result", facts(pairs), *_warnings(attributes.get("warnings")))


def _warnings(stored: Any) -> list[html.Details]:
    """Return the warnings of a result, the first of them where there are very many."""
    given = stored if isinstance(stored, list) else []
    if not given:
        return []
    lines = [html.Li(str(warning)) for warning in given[:MOST_WARNINGS]]
    if len(given) > MOST_WARNINGS:
        lines.append(html.Li(f"and {len(given) - MOST_WARNINGS:,} more", className="muted"))
    return [html.Details([html.Summary(f"{len(given):,} warnings"), html.Ul(lines)], open=len(given) < 4)]


def _members(attributes: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return what is known of the members of an ensemble; nothing for an ordered crystal."""
    listed = attributes.get("members")
    if not isinstance(listed, list):
        return []
    words = f"{short(attributes.get('n_members'))} of {len(listed)} pooled"
    spread = attributes.get("member_std_decades")
    known = f"{short(spread)} decades" if spread is not None else str(attributes.get("between_members_reason") or "-")
    return [("members", words), ("spread between members", known)]


def _sigma(attributes: Mapping[str, Any], prefix: str) -> str:
    edges = attributes.get(f"{prefix}ionic_conductivity_ci95_mS_cm")
    if edges and is_poorly_known(edges[0], edges[1], attributes.get("max_interval_decades")):
        return f"poorly known: {short(edges[0])} to {short(edges[1])} mS/cm"
    words = interval(attributes, f"{prefix}ionic_conductivity", "_mS_cm", "mS/cm")
    if words != "-":
        return words
    bound = useful_bound(attributes, f"{prefix}ionic_conductivity", "mS_cm")
    if bound is not None:
        return f"< {short(bound)} mS/cm"
    return "not computed" if prefix else words_of(attributes.get("verdict"))


def _all_species(attributes: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return the conductivity of all mobile species, if there are several."""
    counted = attributes.get("all_species_ionic_conductivity_species") or []
    if len(attributes.get("species") or []) < 2:
        return []
    at = short(attributes.get("target_temperature_K"))
    return [(f"σ of {' and '.join(map(str, counted)) or 'all species'} at {at} K", _sigma(attributes, "all_species_"))]


def _factor(attributes: Mapping[str, Any]) -> str:
    if attributes.get("extrapolation_factor") is None:
        return "-"
    leverage = short(attributes.get("extrapolation_leverage"))
    return f"{short(attributes['extrapolation_factor'])} in temperature, leverage {leverage}"


def _temperatures(attributes: Mapping[str, Any]) -> str:
    counts = [(len(attributes.get(f"temperatures_{kind}") or []), kind) for kind in ("used_K", "bound_K", "refused")]
    words = {"used_K": "used", "bound_K": "bounded", "refused": "refused"}
    return ", ".join(f"{number} {words[kind]}" for number, kind in counts)


def temperatures_card(rows: pd.DataFrame) -> Component:
    """Return each temperature with its diffusivity, its grade, and the reason if it was refused."""
    heads: tuple[str, ...] = ("T (K)", "mean T (K)", "verdict", "grade", "D* (cm²/s), 95 %", "hops", "why not", "node")
    looks: tuple[str, ...] = ("tight",) * 6 + ("", "tight")
    if rows["level_of_theory"].nunique() > 1:  # of a material without a result
        heads, looks = ("level of theory", *heads), ("", *looks)
    origins = archives_of(tables.FITS, rows["uuid"])
    has_origin = tables.archives() is not None
    body = []
    for record, origin in zip(rows.to_dict("records"), origins, strict=True):
        cells = (*_cells(record)[-len(heads) :], *([origin or "-"] if has_origin else []))
        body.append(html.Tr([html.Td(cell, className=look) for cell, look in zip(cells, (*looks, ""), strict=False)]))
    heads = (*heads, *(["archive"] if has_origin else []))
    head = html.Thead(html.Tr([html.Th(name, scope="col") for name in heads]))
    table = html.Div(
        html.Table([head, html.Tbody(body)], className="plain", **aria(label="Temperatures")), className="scroll"
    )
    return card("Temperatures", table)


def _cells(row: Mapping[Any, Any]) -> tuple[Any, ...]:
    refused = isinstance(row["refused"], str)
    kind = "bad" if refused else "good" if row["verdict"] == "moved" else "doubtful"
    low, high = row["tracer_diffusivity_ci95_low_cm2_s"], row["tracer_diffusivity_ci95_high_cm2_s"]
    value = f"{short(row['tracer_diffusivity_cm2_s'])} [{short(low)}, {short(high)}]"
    if row["verdict"] == POORLY_KNOWN:
        value = f"poorly known: {short(low)} to {short(high)}"
    elif row["verdict"] != "moved":
        bound = useful_bound(row, "tracer_diffusivity", "cm2_s")
        value = "-" if bound is None else f"< {short(bound)}"
    why = row["refused"] if refused else row["reason"] if isinstance(row["reason"], str) else ""
    return (
        str(row["level_of_theory"]),
        short(row["target_temperature_K"]),
        short(row["temperature_K"], 5),
        badge("refused" if refused else words_of(row["verdict"]), kind),
        grade_badge(row["grade"]),
        value,
        short(row["n_eff"]),
        str(why),
        uuid_label(str(row["uuid"])),
    )
