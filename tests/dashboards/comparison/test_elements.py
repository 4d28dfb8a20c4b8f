"""Errors by element: only values of one crystal count, each for every element that it contains."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from ase.data import atomic_numbers
from plotly.utils import PlotlyJSONEncoder

from aiida_ion.dashboards.comparing import ALL, Choices
from aiida_ion.dashboards.comparison.elements import element_errors, mapped_level
from aiida_ion.dashboards.comparison.scores import score_card
from aiida_ion.dashboards.figures.levels.element_errors import element_errors_figure, place
from aiida_ion.dashboards.figures.parity import MOST_AT_ONCE, parity_figure
from aiida_ion.dashboards.figures.theme import DARK, LIGHT, Theme, level_styles
from aiida_ion.dashboards.pairs import pairs, sides
from aiida_ion.dashboards.quantities import QUANTITIES
from aiida_ion.dashboards.state import View
from tests.dashboards.rows import bound_row, conductivity_row, table

SIGMA = QUANTITIES["conductivity"]
MADE = Choices(SIGMA, "PBE", ALL, ALL, "", "", "")


def made(*rows: dict[str, object]) -> pd.DataFrame:
    both = sides(table(*rows), SIGMA)
    is_reference = both["level_of_theory"] == "PBE"
    return pairs(both[is_reference], both[~is_reference], SIGMA)


FOUND = made(
    *(conductivity_row(name, "PBE", 1.0) for name in ("Li3N", "LiI", "SiO2", "Li2O")),
    conductivity_row("Li3N", "MLIP", 10.0),
    conductivity_row("LiI", "MLIP", 0.1),
    bound_row("SiO2", "MLIP", 0.01),
    conductivity_row("Li2O", "MLIP", 100.0, structure_uuid="another crystal"),
    conductivity_row("LiI", "other", 1.0),
)


def test_each_element_has_the_mean_of_the_values_of_one_crystal() -> None:
    errors = element_errors(FOUND[FOUND["y_level_of_theory"] == "MLIP"]).set_index("element")
    assert set(errors.index) == {"Li", "N", "I"}  # neither the bound nor the pair of two crystals
    assert errors.loc["Li", "mean"] == pytest.approx(0.0)
    assert (errors.loc["N", "mean"], errors.loc["I", "mean"]) == pytest.approx((1.0, -1.0))
    assert (errors.loc["Li", "n_pairs"], errors.loc["Li", "n_materials"]) == (2, 2)
    assert element_errors(FOUND.iloc[:0]).empty


def test_one_level_is_mapped_at_a_time() -> None:
    assert mapped_level(View(), MADE, FOUND) == "MLIP"
    assert mapped_level(View().with_options(map="other"), MADE, FOUND) == "other"
    assert mapped_level(View().with_options(map="<b>"), MADE, FOUND) == "MLIP"
    assert mapped_level(View(), MADE, FOUND.iloc[:0]) is None


@pytest.mark.parametrize(
    ("element", "where"),
    [
        *(("H", (1, 1)), ("He", (18, 1)), ("Li", (1, 2)), ("B", (13, 2)), ("Fe", (8, 4)), ("La", (3, 9))),
        *(("Lu", (17, 9)), ("Hf", (4, 6)), ("U", (6, 10)), ("Rf", (4, 7)), ("Og", (18, 7))),
    ],
)
def test_elements_stand_where_they_stand(element: str, where: tuple[int, int]) -> None:
    assert place(atomic_numbers[element]) == where


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_a_cell_says_its_element_sign_and_number(theme: Theme) -> None:
    errors = element_errors(FOUND[FOUND["y_level_of_theory"] == "MLIP"])
    figure = element_errors_figure(errors, SIGMA, "<b>PBE</b>", theme=theme)
    heat, points, others = figure.data
    column, row = place(atomic_numbers["N"])
    at = list(heat.y).index(row), list(heat.x).index(column)
    assert (heat.text[at], heat.z[at]) == ("<b>N</b><br>+1.00<br>1", pytest.approx(1.0))
    assert np.isfinite(heat.z).sum() == len(errors)
    assert heat.zmin == -heat.zmax
    assert list(points.meta["columns"]["element"]) == list(errors["element"])
    assert list(points.meta["columns"]["mean"]) == list(errors["mean"])
    assert "&lt;b&gt;PBE" in points.hovertext[0]
    assert "Na" in others.text and "Li" not in others.text
    assert len(others.text) + len(errors) == 118
    nothing = element_errors_figure(errors.assign(element="Xx"), SIGMA, "PBE", theme=theme)
    assert "No element" in nothing.layout.annotations[0].text


def test_what_is_not_scored_is_counted_beside_the_scores() -> None:
    card = json.dumps(score_card(FOUND, MADE), cls=PlotlyJSONEncoder)
    for words in ("MAE (decades)", "within one decade", "1 bound, 1 of another crystal", "+0.00", "1.00"):
        assert words in card, words


def test_of_many_points_one_level_is_drawn_at_a_time() -> None:
    many = pd.concat([FOUND[FOUND["difference_kind"] == "value"]] * MOST_AT_ONCE, ignore_index=True)
    styles = level_styles(["MLIP", "other"])
    few = parity_figure(FOUND, SIGMA, "PBE", styles, theme=LIGHT)
    figure = parity_figure(many, SIGMA, "PBE", styles, theme=LIGHT)
    drawn = {trace.name: trace for trace in figure.data}
    assert (drawn["MLIP"].visible, drawn["other"].visible) == (True, "legendonly")
    assert drawn["MLIP"].error_y.visible is False and np.max(drawn["MLIP"].marker.size) < 8
    assert drawn["equal"].showlegend is False
    assert figure.layout.legend.itemclick == "toggleothers"
    assert all(trace.visible is None for trace in few.data)
