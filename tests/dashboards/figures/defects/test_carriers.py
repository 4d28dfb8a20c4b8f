"""The figure of the conductivity against concentration, from numbers."""

from __future__ import annotations

from typing import Any

import pytest

from aiida_ion.dashboards.figures.defects.carriers import carriers_figure
from aiida_ion.dashboards.figures.theme import LIGHT


def point(x: float, sigma: float | None, bound: float | None = None) -> dict[str, Any]:
    return {
        "concentration": x,
        "ionic_conductivity_mS_cm": sigma,
        "ionic_conductivity_ci95_mS_cm": None if sigma is None else [sigma / 2, sigma * 3],
        "ionic_conductivity_upper_bound_mS_cm": bound,
    }


def test_points_bounds_and_what_no_interaction_would_give() -> None:
    points = [point(0.0, None, 0.01), point(0.01, None, 0.2), point(0.02, 1.0), point(0.08, 2.0)]
    figure = carriers_figure(
        {"mobile_species": "Li", "lines": [{"temperature_K": 700.0, "points": points}]}, theme=LIGHT
    )
    traces = {trace.name: trace for trace in figure.data}
    values = traces["700 K"]
    assert list(values.x) == [0.02, 0.08] and list(values.y) == [1.0, 2.0]
    assert list(values.error_y.array) == [2.0, 4.0] and list(values.error_y.arrayminus) == [0.5, 1.0]
    assert list(traces["700 K, slope 1"].y) == pytest.approx([1.0, 4.0])
    assert list(traces["700 K, upper bound"].x) == [0.01] and list(traces["700 K, upper bound"].y) == [0.2]
    assert list(traces["700 K, bound of the perfect crystal"].y) == [0.01, 0.01]
    assert figure.layout.xaxis.type == figure.layout.yaxis.type == "log"
    assert "Li" in figure.layout.xaxis.title.text


def test_a_result_of_before_has_nothing_to_draw() -> None:
    figure = carriers_figure({"mobile_species": "Li", "lines": [{"temperature_K": 700.0}]}, theme=LIGHT)
    assert not figure.data and "run 'aiida-ion carriers' again" in figure.layout.annotations[0].text.replace(
        "<br>", " "
    )
