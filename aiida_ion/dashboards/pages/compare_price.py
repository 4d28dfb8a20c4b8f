"""Costs on the compare page: accuracy over cost, forces, and total costs."""

from __future__ import annotations

import plotly.graph_objects as go
from dash import html
from dash.development.base_component import Component

from aiida_ion.dashboards import accuracy, tables
from aiida_ion.dashboards.choosing import within
from aiida_ion.dashboards.comparing import Choices, force_comparisons, styles
from aiida_ion.dashboards.components import card, empty_state, figure_card, uuid_label
from aiida_ion.dashboards.figures.force_parity import force_parity_figure
from aiida_ion.dashboards.figures.pareto import pareto_figure
from aiida_ion.dashboards.figures.theme import formula_label, theme_named
from aiida_ion.dashboards.grids import table_card
from aiida_ion.dashboards.pages.compare_cards import TWO_LEVELS
from aiida_ion.dashboards.pages.compare_choices import force_controls, price_controls
from aiida_ion.dashboards.state import View
from aiida_ion.queries.details import diffusion_arrays, diffusion_attributes

PARETO, FORCE_FIGURE, FORCE_NOTE = "compare-pareto", "compare-force-figure", "compare-force-note"
PARITY_ARRAYS = ("parity_reference_forces_eV_A", "parity_forces_eV_A", "parity_elements")
HEIGHT_PX = 500
TITLE = "Forces on the reference's frames"


def pareto_card(view: View, made: Choices) -> Component:
    """Return accuracy over cost with its selectors."""
    if tables.table("comparison").empty:
        words = "A comparison gives the cost of a level of theory and its error against the reference."
        return card("Error over cost", empty_state("There is no comparison.", words, _command()))
    words = "Large: median of a level over its materials. Small: each material. Lower left is better."
    return figure_card(PARETO, "Error over cost", pareto(view, made), words, HEIGHT_PX, controls=price_controls(made))


def pareto(view: View, made: Choices) -> go.Figure:
    """Return the figure of accuracy over cost."""
    points = accuracy.points(within(tables.table("comparison"), view), made.reference, made.error, made.cost)
    levels = accuracy.levels(points, made.reference)
    titles = accuracy.COSTS[made.cost], accuracy.ERRORS[made.error]
    return pareto_figure(points, levels, *titles, styles(), theme=theme_named(view.theme))


def force_card(view: View, made: Choices) -> Component:
    """Return the forces of one comparison with its selector."""
    if not made.forces:
        words = "A DFT reference keeps its forces; any other needs --keep forces."
        command = _command(" --keep velocities,forces")
        return card(TITLE, empty_state("No forces were compared.", words, command))
    sentence = html.Span(force_words(made), id=FORCE_NOTE)
    return figure_card(FORCE_FIGURE, TITLE, forces(view, made), sentence, HEIGHT_PX, controls=force_controls(made))


def force_words(made: Choices) -> list[Component | str]:
    """Return which comparison is shown, its error, and a link to its provenance."""
    comparison = force_comparisons().set_index("uuid").loc[made.forces]
    return [
        f"{formula_label(comparison['formula'])}: MAE {comparison['force_mae_eV_A']:.3f} eV/Å. ",
        uuid_label(made.forces),
    ]


def forces(view: View, made: Choices) -> go.Figure:
    """Return the figure of the forces of one comparison."""
    comparison = force_comparisons().set_index("uuid").loc[made.forces]
    arrays = diffusion_arrays(made.forces, PARITY_ARRAYS)
    elements = [str(name) for name in diffusion_attributes(made.forces).get("elements") or []]
    names = str(comparison["level_of_theory"]), str(comparison["reference_level_of_theory"])
    return force_parity_figure(arrays, elements, *names, theme=theme_named(view.theme))


def cost_card() -> Component:
    """Return the cost of each level of theory."""
    table = accuracy.cost_summary(tables.table("cost"))
    if table.empty:
        words = "Molecular-dynamics jobs write one."
        return card("Cost", empty_state("No run has a cost record.", words, _command()))
    words = "Sums over molecular-dynamics jobs; speeds are medians over them."
    return table_card("compare-costs", "Cost", table, note=words, row_id=None)


def _command(more: str = "") -> str | None:
    return f"{TWO_LEVELS}{more}" if tables.changes() else None
