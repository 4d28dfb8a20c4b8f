"""Comparison of levels of theory with each other and with experiment: differences and costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from dash import Dash, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component

from aiida_ion.dashboards.choosing import moment_words
from aiida_ion.dashboards.comparing import choices, chosen_view
from aiida_ion.dashboards.comparison import elements
from aiida_ion.dashboards.components import aria, card, page, page_link, row
from aiida_ion.dashboards.crystals import short_id
from aiida_ion.dashboards.figures.theme import formula_label
from aiida_ion.dashboards.pages import compare_cards as cards
from aiida_ion.dashboards.pages import compare_choices as chosen
from aiida_ion.dashboards.pages import compare_price as price
from aiida_ion.dashboards.state import QUERY, THEME, View, written

PATH = "/compare"
TITLE = "Compare"
#: Figures whose points can be selected.
FIGURES = ("compare-parity", "compare-errors", "compare-pareto")


def layout(view: View) -> Component:
    """Return the page."""
    made = choices(view)
    if not made.reference:
        return page(TITLE, card("Nothing to compare yet", cards.nothing()))
    selectors = chosen.controls(view, made)
    return page(
        TITLE,
        dcc.Store("compare-view", data=view.query()),
        dcc.Store("compare-point", data=list(view.selected)),
        html.Div(selectors, className="filters", role="group", **aria(label="What is compared")),
        html.Div(cards.point(view, made), id="compare-chosen", **aria(live="polite")),
        html.Div(cards.pair_cards(view, made), id="compare-pairs", className="page"),
        row(price.pareto_card(view, made), price.force_card(view, made)),
        price.cost_card(),
        subtitle="Differences between levels of theory and from experiment, and their costs.",
        actions=[html.Div(limits(view), id="compare-limits", className="actions")],
    )


def limits(view: View) -> list[Component]:
    """Return the filters of an address that no selector shows, each with a link that removes it."""
    words = {
        "formula": f"{formula_label(view.formula)} only",
        "crystal": f"crystal {short_id(view.crystal)} only",
        "group": f"in the group {view.group}",
        "since": f"since {moment_words(view.since)}",
        "until": f"until {moment_words(view.until, ends=True)}",
    }
    chips = []
    for name in (name for name in words if getattr(view, name)):
        without: Any = {name: None} | ({"crystal": None} if name == "formula" else {})
        chips.append(page_link(f"{words[name]}: show all", replace(view, **without).url(PATH), className="chip"))
    return chips


def register(app: Dash) -> None:
    """Add the callbacks: each redraws one part, and one updates the address."""
    page_state = (State("compare-view", "data"), State(THEME, "data"))
    pair_inputs = [Input(name, "value") for name in chosen.PAIR_CONTROLS]
    price_inputs = [Input(name, "value") for name in chosen.PRICE_CONTROLS]
    first = {"prevent_initial_call": True}

    @app.callback(
        Output("compare-pairs", "children"), *pair_inputs, State("compare-point", "data"), *page_state, **first
    )
    def draw_pairs(*given: Any) -> list[Component]:
        view = _view(chosen.PAIR_CONTROLS, given)
        return cards.pair_cards(replace(view, selected=tuple(given[-3] or ())), choices(view))

    @app.callback(Output(price.PARETO, "figure"), pair_inputs[1], *price_inputs, *page_state, prevent_initial_call=True)
    def draw_pareto(*given: Any) -> Any:
        view = _view((chosen.REFERENCE, *chosen.PRICE_CONTROLS), given)
        return price.pareto(view, choices(view))

    @app.callback(
        Output(price.FORCE_FIGURE, "figure"),
        Output(price.FORCE_NOTE, "children"),
        Input(chosen.FORCES, "value"),
        *page_state,
        prevent_initial_call=True,
    )
    def draw_forces(*given: Any) -> tuple[Any, Any]:
        view = _view((chosen.FORCES,), given)
        made = choices(view)
        return price.forces(view, made), price.force_words(made)

    @app.callback(Output(elements.FIGURE, "figure"), Input(chosen.MAP, "value"), *page_state, prevent_initial_call=True)
    def draw_elements(*given: Any) -> Any:
        view = _view((chosen.MAP,), given)
        return elements.figure(view, choices(view))

    for name in FIGURES:

        @app.callback(
            Output("compare-point", "data", allow_duplicate=True), Input(name, "clickData"), prevent_initial_call=True
        )
        def choose(click: Any) -> Any:
            return clicked(click)

    _register_address(app, pair_inputs, page_state)


def _register_address(app: Dash, pair_inputs: Sequence[Input], page_state: Sequence[State]) -> None:
    """Add the callback that shows the selected point and updates the address.

    Selectors missing from the page because there is nothing to choose would prevent its call, so they have their own
    callbacks.
    """

    @app.callback(
        Output("compare-chosen", "children"),
        Output("compare-view", "data"),
        *pair_inputs,
        Input("compare-point", "data"),
        *page_state,
        prevent_initial_call=True,
    )
    def show_point(*given: Any) -> tuple[Any, str]:
        view = replace(_view(chosen.PAIR_CONTROLS, given), selected=tuple(given[-3] or ()))
        return cards.point(view, choices(view)), _written(view)

    for names in (chosen.PRICE_CONTROLS, (chosen.FORCES,), (chosen.MAP,)):

        @app.callback(
            Output("compare-view", "data", allow_duplicate=True),
            *(Input(name, "value") for name in names),
            *page_state,
            prevent_initial_call=True,
        )
        def keep(*given: Any, names: tuple[str, ...] = names) -> str:
            return _written(_view(names, given))

    @app.callback(
        Output(QUERY, "data", allow_duplicate=True),
        Output("compare-limits", "children"),
        Input("compare-view", "data"),
        prevent_initial_call=True,
    )
    def write(query: str) -> tuple[dict[str, str], list[Component]]:
        view = View.from_query(query)
        return written(PATH, view), limits(view)


def _written(view: View) -> str:
    """Return the query of a view."""
    return chosen_view(view, choices(view)).query()


def _view(names: tuple[str, ...], given: tuple[Any, ...]) -> View:
    """Return the view of the address with the changes of the controls.

    :param given: values of the controls `names`, in that order, then the query of the page and the theme.
    """
    view = replace(View.from_query(given[-2]), theme=given[-1])
    return chosen.changed(view, dict(zip(names, given, strict=False)))


def clicked(click: Any) -> Any:
    """Return the UUIDs of the clicked point, else ``no_update``."""
    try:
        point_data = click["points"][0]["customdata"]
    except (TypeError, KeyError, IndexError):
        return no_update
    return [str(uuid) for uuid in point_data] if isinstance(point_data, list) else no_update
