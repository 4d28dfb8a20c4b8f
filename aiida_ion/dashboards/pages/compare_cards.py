"""Pairs on the compare page: parity, errors, scores, the table and the selected point."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import pandas as pd
from dash import html
from dash.development.base_component import Component

from aiida_ion.dashboards import tables
from aiida_ion.dashboards.comparing import Choices, all_pairs, chosen_pairs, measurements, styles, thinned
from aiida_ion.dashboards.comparison import elements
from aiida_ion.dashboards.comparison.scores import score_card
from aiida_ion.dashboards.components import card, empty_state, facts, figure_card, page_link, row, uuid_label
from aiida_ion.dashboards.crystals import archives_of, material_view, words_of
from aiida_ion.dashboards.figures.error_per_material import MAX_MATERIALS, error_figure, height_px
from aiida_ion.dashboards.figures.parity import MOST_AT_ONCE, parity_figure
from aiida_ion.dashboards.figures.theme import theme_named
from aiida_ion.dashboards.grids import table_card
from aiida_ion.dashboards.pairs import EXPERIMENT
from aiida_ion.dashboards.quantities import Quantity
from aiida_ion.dashboards.serving.origins import ARCHIVE
from aiida_ion.dashboards.state import View

TWO_LEVELS = "aiida-ion run Li3N.cif --engine quantumespresso --engine sevenn --protocol fast"
PARITY_HEIGHT_PX = 640
#: Kind of a difference -> which side is only an upper bound, or that there is no value to quote.
BOUNDS = {"value": "", "upper": "value", "lower": "reference", "unknown": "both", "poorly known": "poorly known"}


def nothing() -> Component:
    """Return the message for a database without results."""
    if not tables.changes():
        return empty_state("This archive holds no conductivities.", "Ask the sender to export finished work chains.")
    words = "Compute a crystal at two levels of theory; the second is compared with the first."
    return empty_state("There are no conductivities.", words, TWO_LEVELS)


def pair_cards(view: View, made: Choices) -> list[Component]:
    """Return parity, errors, scores and the table of all pairs."""
    every = chosen_pairs(view, made)
    if every.empty:
        return [card("Parity", _no_pairs(made))]
    same = every["same_structure"].astype(bool)
    pairs, aside = every[same], _aside(every[~same], made)
    if pairs.empty:
        words = "They are listed below; a difference between two crystals is no error of a level of theory."
        return [card("Parity", empty_state("No pair is of one crystal.", words)), *aside]
    shown, theme, looks = thinned(pairs), theme_named(view.theme), styles()
    point = view.selected[0] if view.selected else None
    parity = parity_figure(shown, made.quantity, made.reference, looks, theme=theme, chosen=point)
    errors = error_figure(pairs, made.quantity, made.reference, looks, theme=theme)
    n = pairs["material"].nunique()
    farthest = f"The {MAX_MATERIALS} of {n} materials with the largest errors." if n > MAX_MATERIALS else None
    return [
        row(
            figure_card(
                "compare-parity",
                f"{made.quantity.symbol} against {made.reference}",
                parity,
                note=_parity_note(pairs, shown) + _without_temperature(made),
                height_px=PARITY_HEIGHT_PX,
                description=f"Parity plot of {made.quantity.words}: {len(pairs)} pairs, {n} materials",
            ),
            html.Div([score_card(every, made), elements.map_card(view, made, pairs)], className="page"),
        ),
        figure_card("compare-errors", "Error per material", errors, note=farthest, height_px=height_px(pairs)),
        pair_table(thinned(pairs), made),
        *aside,
    ]


def _aside(pairs: pd.DataFrame, made: Choices) -> list[Component]:
    """Return the pairs that are not of one crystal, which no figure draws and no score counts."""
    if pairs.empty:
        return []
    words = (
        f"{len(pairs):,} pairs share a formula but not a crystal: polymorphs, other cells, or imported trajectories. "
        "They are neither drawn nor scored."
    )
    return [pair_table(thinned(pairs), made, "compare-aside", "Pairs of different crystals", note=words)]


def _parity_note(table: pd.DataFrame, shown: pd.DataFrame) -> str:
    words = "Bars are 95 % intervals, arrows are bounds, larger points have more diffusive temperatures."
    if len(shown) > MOST_AT_ONCE:
        words = (
            "Of so many points one level of theory is drawn at a time, without intervals: click its name in the legend."
        )
    return words if len(shown) == len(table) else f"{len(shown):,} of {len(table):,} points are drawn. {words}"


def _without_temperature(made: Choices) -> str:
    """Return a sentence on the measurements that state no temperature; nothing where all do."""
    if made.reference != EXPERIMENT:
        return ""
    number = int(measurements()["temperature_K"].isna().sum())
    return f" {number} measurements state no temperature and are compared with nothing." if number else ""


def _no_pairs(made: Choices) -> Component:
    if made.reference == EXPERIMENT and made.quantity.key != "conductivity":
        return empty_state(f"There are no measurements of {made.quantity.symbol} here.", "Choose the conductivity.")
    if not all_pairs(made.quantity, made.reference).empty:
        return empty_state("No pair matches the choices.", "Choose other levels, temperatures, elements or grades.")
    if made.reference == EXPERIMENT:
        words = "Compute a crystal with a linked measurement, at about its temperature."
        return empty_state("No result is linked to a measurement.", words, "aiida-ion benchmark obelix --dry-run")
    words = "Compute the same crystals at a second level of theory."
    return empty_state(f"Nothing to compare with {made.reference}.", words, TWO_LEVELS if tables.changes() else None)


def pair_table(
    pairs: pd.DataFrame,
    made: Choices,
    grid_id: str = "compare-table",
    title: str = "Pairs",
    note: str | None = None,
) -> Component:
    """Return the pairs as a table with links to both results."""
    unit, difference = made.quantity.suffix, "difference_decades" if made.quantity.logarithmic else "difference_eV"
    table = pd.DataFrame(
        {
            "formula": pairs["formula"],
            "crystal": words_of(pairs["y_crystal"]),
            "level_of_theory": pairs["y_level_of_theory"],
            "target_temperature_K": pairs["y_temperature_K"],
            f"value_{unit}": pairs["y_value"].mask(pairs["y_is_poorly_known"].astype(bool)),
            f"reference_{unit}": pairs["x_value"].mask(pairs["x_is_poorly_known"].astype(bool)),
            difference: pairs["difference"].where(pairs["difference_kind"] == "value"),
            "bounds": pairs["difference_kind"].map(BOUNDS),
            "result": pairs["y_uuid"].str[:8],
            "reference": pairs["x_uuid"].str[:8],
            "temperatures_moved": pairs["y_n_moved"],
            "reference_crystal": words_of(pairs["x_crystal"]),
            "result_href": "/provenance?uuid=" + pairs["y_uuid"].map(quote),
            "reference_href": "/provenance?uuid=" + pairs["x_uuid"].map(quote),
            "material_href": [
                material_view(formula, crystal).url("/material")
                for formula, crystal in zip(pairs["formula"], pairs["y_crystal"], strict=True)
            ],
        }
    )
    if tables.archives() is not None:
        table = table.assign(**_archives(pairs, made))
    links = {"result": "result_href", "reference": "reference_href", "formula": "material_href"}
    hidden = () if made.quantity.has_temperature else ("target_temperature_K",)
    if pairs["same_structure"].astype(bool).all():
        hidden = (*hidden, "reference_crystal")
    return table_card(grid_id, title, table, links=links, hidden=hidden, row_id=None, note=note)


def _archives(pairs: pd.DataFrame, made: Choices) -> dict[str, Any]:
    """Return the archives of both sides of each pair."""
    rows = archives_of(made.quantity.table, pairs["y_uuid"])
    if made.reference == EXPERIMENT:
        known = measurements()
        names = dict(zip(known["uuid"], known[ARCHIVE], strict=True)) if ARCHIVE in known else {}
        return {ARCHIVE: rows, "reference_archive": [names.get(uuid) for uuid in pairs["x_uuid"]]}
    return {ARCHIVE: rows, "reference_archive": archives_of(made.quantity.table, pairs["x_uuid"])}


def point(view: View, made: Choices) -> Component | None:
    """Return the clicked point, with links to the provenance of its numbers."""
    if not view.selected or not made.reference:
        return None
    pairs = all_pairs(made.quantity, made.reference)
    pairs = pairs[pairs["y_uuid"] == view.selected[0]]
    if len(view.selected) > 1:
        pairs = pairs[pairs["x_uuid"] == view.selected[1]]
    if pairs.empty:  # a point of another figure, or of a link with other choices
        return card("Chosen point", facts([("result", uuid_label(pair)) for pair in view.selected[:2]]))
    pair: Mapping[Any, Any] = pairs.iloc[0].to_dict()
    return card(
        "Chosen point",
        facts(
            [
                ("material", page_link(str(pair["material"]), _material(pair))),
                (str(pair["y_level_of_theory"]), _side(pair, "y", made.quantity)),
                (made.reference, _side(pair, "x", made.quantity)),
            ]
        ),
        note="The UUID links to the provenance: structure, potential and raw files.",
    )


def _material(pair: Mapping[Any, Any]) -> str:
    return material_view(pair["formula"], pair["y_crystal"]).url("/material")


def _side(pair: Mapping[Any, Any], side: str, quantity: Quantity) -> Component:
    value, low, high = (pair[f"{side}_{name}"] for name in ("value", "low", "high"))
    if pair[f"{side}_is_poorly_known"]:
        words = f"poorly known: {low:.3g} to {high:.3g} {quantity.unit}"
        return html.Span([words, " ", uuid_label(pair[f"{side}_uuid"])], className="line")
    words = f"{'< ' if pair[f'{side}_is_bound'] else ''}{value:.3g} {quantity.unit}"
    if pd.notna(low) and pd.notna(high):
        words += f", 95 % from {low:.3g} to {high:.3g}"
    return html.Span([words, " ", uuid_label(pair[f"{side}_uuid"])], className="line")
