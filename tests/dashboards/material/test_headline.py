"""The headline of a result: numbers only where there are numbers, and checks in words."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest
from plotly.utils import PlotlyJSONEncoder

from aiida_ion.dashboards.material.headline import checks_line, energy, grade, sigma

VALUE = {"ionic_conductivity_mS_cm": 1.25, "ionic_conductivity_ci95_mS_cm": [0.8, 2.0], "verdict": "measured"}
BOUND = {"ionic_conductivity_upper_bound_mS_cm": 1e-3, "verdict": "bound"}


@pytest.mark.parametrize(
    ("attributes", "large", "small"),
    [
        (VALUE, "1.25 mS/cm", "95 %: 0.8 to 2"),
        (BOUND, "< 0.001 mS/cm", "upper bound: no diffusion was detected"),
        # What no solid reaches is no bound, and what is undetermined or poorly known is no number in large type.
        (BOUND | {"ionic_conductivity_upper_bound_mS_cm": 5e5}, "upper bound", "neither a value"),
        (BOUND | {"verdict": "not_measurable"}, "undetermined", "neither a value"),
        (VALUE | {"verdict": "not_measurable"}, "undetermined", "neither a value"),
        (VALUE | {"verdict": "poorly_known"}, "poorly known", "95 %: 0.8 to 2 mS/cm"),
        (VALUE | {"ionic_conductivity_ci95_mS_cm": [1e-9, 479.0]}, "poorly known", "95 %: 1e-09 to 479 mS/cm"),
    ],
)
def test_the_large_number_is_only_a_number_where_it_is_known(attributes: Any, large: str, small: str) -> None:
    number, hint = sigma(attributes)
    assert number == large
    assert hint.startswith(small)


def test_energies_and_grades_that_are_not_known_are_said_to_be_so() -> None:
    assert energy({"activation_energy_eV": 0.3, "activation_energy_ci95_eV": [0.28, 0.33]}) == (
        "0.3 eV",
        "95 %: 0.28 to 0.33",
    )
    assert energy({})[0] == "unknown"
    assert grade("A", "measured") == ("A", "from A, the best, to D", "good")
    assert grade("A", "not_measurable")[0] == grade(None, "measured")[0] == "none"
    assert grade("bound", "bound")[0] == "upper bound"


def words(points: pd.DataFrame, attributes: dict[str, Any]) -> str:
    return json.dumps(checks_line(points, attributes), cls=PlotlyJSONEncoder)


def test_checks_that_failed_are_named_with_their_temperature() -> None:
    points = pd.DataFrame({"uuid": ["a", "b"], "target_temperature_K": [600.0, 800.0], "refused": [None, "It melted."]})

    def check(name: str, verdict: str) -> dict[str, str]:
        return {"name": name, "verdict": verdict}

    good = [check("max_force", "pass"), check("nearest_distance", "not_applicable")]
    attributes = {"a": {"checks": [*good, check("effective_hops", "warn")]}, "b": {"checks": [check("melted", "fail")]}}
    line = words(points, attributes)
    assert "of 3, 1 failed (melted at 800 K), 1 warning (effective hops at 600 K)." in line
    assert "1 of 2 temperatures was left out of the fit" in line
    fine = points.assign(refused=None)
    assert "all 2 passed." in words(fine, {"a": {"checks": good}, "b": {"checks": good[:1]}})
    assert "left out" not in words(fine, {})
    assert "No checks are stored" in words(fine, {"a": {"checks": "<b>"}, "b": {}})
    many = {"a": {"checks": [check(f"c{i}", "warn") for i in range(5)]}}
    assert "c2 at 600 K and 2 more" in words(fine, many)
