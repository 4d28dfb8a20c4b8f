"""Comparisons of many materials: each level of theory beside what it must beat."""

from __future__ import annotations

from typing import Any

import pytest

from aiida_ion.cli.compare import text_of
from aiida_ion.cli.text.baselines import baseline_groups, baseline_lines, baseline_rows

FORMULAS = ("Li2O", "Li3N", "LiF", "LiCl", "Li2S", "LiBr", "LiI", "Li3P", "Li4SiO4")


def record(number: int, factor: float, level: str = "CHGNet", **changes: Any) -> dict[str, Any]:
    """Return a comparison in which a level is off by a factor, and the references are a decade apart each."""
    sigma = 10.0 ** (number - 5)
    return {
        "formula": FORMULAS[number],
        "level_of_theory": level,
        "reference_level_of_theory": "PBE",
        "target_temperature_K": 300.0,
        "ionic_conductivity_mS_cm": factor * sigma,
        "ionic_conductivity_ci95_mS_cm": [0.5 * factor * sigma, 2.0 * factor * sigma],
        "reference_ionic_conductivity_mS_cm": sigma,
        "activation_energy_eV": 0.4,
        "reference_activation_energy_eV": 0.4 - 0.02 * number,
        "temperatures": [
            {
                "temperature_K": 800.0,
                "tracer_diffusivity_cm2_s": 1e-6 * factor * sigma,
                "reference_tracer_diffusivity_upper_bound_cm2_s"
                if number == 0
                else "reference_tracer_diffusivity_cm2_s": (1e-6 * sigma),
            }
        ],
    } | changes


def test_a_level_stands_beside_a_constant_from_three_materials_on() -> None:
    assert baseline_groups([record(number, 2.0) for number in range(2)]) == []
    groups = {group.quantity: group for group in baseline_groups([record(number, 2.0) for number in range(5)])}
    assert set(groups) == {"log10 D* at 800 K", "log10 sigma at 300 K", "activation energy"}
    level, others, everyone = groups["log10 sigma at 300 K"].scores
    assert (level.name, level.mae, level.coverage) == ("CHGNet", pytest.approx(0.30103), 1.0)
    assert others.mae == pytest.approx((2.5 + 1.5 + 0.0 + 1.5 + 2.5) / 5)
    assert everyone.mae == pytest.approx(1.2)
    assert groups["log10 D* at 800 K"].scores[0].n_bounds == 1
    assert groups["activation energy"].unit == "eV"


def test_it_is_said_whether_a_level_beats_the_constant() -> None:
    records = [record(number, 1e4, "wild") for number in range(5)] + [record(number, 2.0) for number in range(5)]
    lines = baseline_lines(baseline_groups(records))
    assert "log10 sigma at 300 K: CHGNet beats a constant: mean absolute error 0.301 against 1.6 decades" in lines[2]
    assert any("log10 sigma at 300 K: wild does not beat a constant: mean absolute error 4 " in line for line in lines)


def test_a_forest_joins_from_eight_materials_on_and_all_is_printed() -> None:
    records = [record(number, 2.0, pk=number) for number in range(9)]
    methods = [row["method"] for row in baseline_rows(baseline_groups(records))]
    assert methods[:4] == ["CHGNet", "(median of the others)", "(median of all)", "(random forest of compositions)"]
    text = text_of(records, "markdown")
    assert "## Methods beside trivial baselines" in text
    assert "- log10 sigma at 300 K: CHGNet beats a constant" in text


def test_the_last_of_several_comparisons_counts_and_levels_share_their_materials() -> None:
    records = [record(number, 2.0) for number in range(5)] + [record(number, 4.0) for number in range(5)]
    records += [record(number, 2.0, "SevenNet") for number in range(3)]
    (group,) = [group for group in baseline_groups(records) if group.quantity == "log10 sigma at 300 K"]
    assert {score.n for score in group.scores} == {3}
    assert group.scores[0].mae == pytest.approx(0.60206)
