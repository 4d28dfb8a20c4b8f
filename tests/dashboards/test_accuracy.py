"""Errors and costs of levels of theory, and which of them nobody beats."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from aiida_ion.dashboards.accuracy import COST_COLUMNS, cost_summary, levels, on_front, points
from tests.dashboards.rows import TIME, table


def compared(formula: str, level: str, error: float | None, cost: float, **said: Any) -> dict[str, Any]:
    row = {
        "formula": formula,
        "level_of_theory": level,
        "reference_level_of_theory": "PBE",
        "force_mae_eV_A": error,
        "wall_s_per_step": cost,
        "reference_wall_s_per_step": 10.0,
        "uuid": f"{formula}-{level}",
        "time": TIME,
    }
    return row | said


def test_the_newest_comparison_of_each_material_counts_and_its_size_not_its_sign() -> None:
    rows = table(
        compared("A", "M", 0.5, 0.1, time=TIME - pd.Timedelta("1h")),
        compared("A", "M", -0.1, 0.1, uuid="newest"),
        compared("B", "M", None, 0.1),
        compared("C", "M", 0.1, 0.1, reference_level_of_theory="r2SCAN"),
    )
    result = points(rows, "PBE", "force_mae_eV_A", "wall_s_per_step")
    assert list(result["uuid"]) == ["newest"]
    assert list(result["error"]) == [0.1]


def test_levels_are_medians_and_the_reference_is_free_of_error() -> None:
    rows = table(*(compared(formula, "M", error, 0.1) for formula, error in (("A", 0.1), ("B", 0.2), ("C", 0.9))))
    result = levels(points(rows, "PBE", "force_mae_eV_A", "wall_s_per_step"), "PBE").set_index("level_of_theory")
    assert result.loc["M", "error"] == 0.2
    assert result.loc["M", "n_materials"] == 3
    assert (result.loc["PBE", "error"], result.loc["PBE", "cost"]) == (0.0, 10.0)


def test_a_level_that_is_worse_and_dearer_is_not_on_the_front() -> None:
    made = pd.DataFrame({"cost": [1.0, 2.0, 3.0, 1.0], "error": [0.3, 0.4, 0.1, 0.3]})
    assert on_front(made) == [True, False, True, True]


def test_no_comparison_is_no_point() -> None:
    rows = table(compared("A", "M", 0.1, 0.1)).iloc[:0]
    assert levels(points(rows, "PBE", "force_mae_eV_A", "core_s_per_step"), "PBE").empty


def test_costs_are_summed_and_speeds_are_medians() -> None:
    job = {"level_of_theory": "M", "computer": "here", "device": "cpu", "hardware": None, "cores": 2}
    rows = [job | {"n_atoms": 100, "n_steps": 1000, "wall_time_s": seconds} for seconds in (1800.0, 3600.0, 3600.0)]
    row = cost_summary(table(*rows)).iloc[0]
    assert (row["n_jobs"], row["n_steps"], row["wall_time_h"], row["core_time_h"]) == (3, 3000, 2.5, 5.0)
    assert row["steps_per_s"] == pytest.approx(1000 / 3600)
    assert row["wall_us_per_step_atom"] == pytest.approx(36000.0)
    assert list(cost_summary(table(*rows).iloc[:0]).columns) == list(COST_COLUMNS)
