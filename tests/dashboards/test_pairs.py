"""What is compared with what, and how far they are apart."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from aiida_ion.dashboards.pairs import EXPERIMENT, constant_error, measured, pairs, scores, sides
from aiida_ion.dashboards.quantities import QUANTITIES
from tests.dashboards.rows import TIME, bound_row, conductivity_row, experiment_row, table

SIGMA = QUANTITIES["conductivity"]
LATER = TIME + pd.Timedelta("1h")


def of(level: str, rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["level_of_theory"] == level]


def paired(*rows: dict[str, object], quantity: str = "conductivity") -> pd.DataFrame:
    result = sides(table(*rows), QUANTITIES[quantity])
    return pairs(of("PBE", result), of("MLIP", result), QUANTITIES[quantity])


def test_a_pair_has_both_values_and_the_difference_in_decades() -> None:
    row = paired(conductivity_row("Li3N", "PBE", 1.0), conductivity_row("Li3N", "MLIP", 10.0)).iloc[0]
    assert (row["x_value"], row["y_value"], row["x_uuid"], row["y_uuid"]) == (1.0, 10.0, "Li3N-PBE", "Li3N-MLIP")
    assert row["difference"] == pytest.approx(1.0)
    # Both sides are known to a factor of two: in quadrature.
    half = np.log10(2) * np.sqrt(2)
    assert (row["difference_down"], row["difference_up"]) == pytest.approx((half, half))


def test_asymmetric_intervals_stay_asymmetric() -> None:
    wide = {"ionic_conductivity_ci95_low_mS_cm": 0.1, "ionic_conductivity_ci95_high_mS_cm": 10.0 ** (1 / 4)}
    exact = {"ionic_conductivity_ci95_low_mS_cm": None, "ionic_conductivity_ci95_high_mS_cm": None}
    y_wide = paired(conductivity_row("A", "PBE", 1.0, **exact), conductivity_row("A", "MLIP", 1.0, **wide)).iloc[0]
    assert (y_wide["difference_down"], y_wide["difference_up"]) == pytest.approx((1.0, 0.25))
    x_wide = paired(conductivity_row("A", "PBE", 1.0, **wide), conductivity_row("A", "MLIP", 1.0, **exact)).iloc[0]
    assert (x_wide["difference_down"], x_wide["difference_up"]) == pytest.approx((0.25, 1.0))


def test_bounds_are_bounds_on_the_right_side() -> None:
    result = paired(
        conductivity_row("A", "PBE", 1.0),
        bound_row("A", "MLIP", 0.1),
        bound_row("B", "PBE", 0.1),
        conductivity_row("B", "MLIP", 1.0),
        bound_row("C", "PBE", 0.1),
        bound_row("C", "MLIP", 1.0),
    ).set_index("formula")
    assert result["difference_kind"].to_dict() == {"A": "upper", "B": "lower", "C": "unknown"}
    assert result.loc["A", "y_value"] == 0.1
    assert result["difference_up"].isna().all()
    table_of_scores = scores(result.reset_index(), SIGMA).iloc[0]
    assert (table_of_scores["n_pairs"], table_of_scores["n_bounds"]) == (0, 3)


def test_what_is_poorly_known_is_counted_and_scores_nothing() -> None:
    wide = {"ionic_conductivity_ci95_low_mS_cm": 1e-3, "ionic_conductivity_ci95_high_mS_cm": 1e3}
    result = paired(
        conductivity_row("A", "PBE", 1.0),
        conductivity_row("A", "MLIP", 1.0, verdict="poorly_known", **wide),
        conductivity_row("B", "PBE", 1.0),
        conductivity_row("B", "MLIP", 10.0),
    )
    assert result.set_index("formula")["difference_kind"].to_dict() == {"A": "poorly known", "B": "value"}
    row = scores(result, SIGMA).iloc[0]
    assert (row["n_pairs"], row["n_poorly_known"], row["n_bounds"]) == (1, 1, 0)
    assert row["mae"] == pytest.approx(1.0)


def test_the_same_structure_is_preferred_and_the_newest_result_counts() -> None:
    result = paired(
        conductivity_row("A", "PBE", 1.0, uuid="other", structure_uuid="polymorph", time=LATER),
        conductivity_row("A", "PBE", 2.0, uuid="old"),
        conductivity_row("A", "PBE", 3.0, uuid="new", time=LATER),
        conductivity_row("A", "MLIP", 1.0),
        conductivity_row("B", "PBE", 1.0),
        conductivity_row("B", "MLIP", 1.0, structure_uuid="elsewhere"),
    ).set_index("formula")
    assert result.loc["A", "x_uuid"] == "new"
    assert bool(result.loc["A", "same_structure"]) is True
    assert bool(result.loc["B", "same_structure"]) is False


def test_only_the_same_temperature_is_compared_but_an_activation_energy_has_none() -> None:
    rows = (conductivity_row("A", "PBE", 1.0), conductivity_row("A", "MLIP", 1.0, target_temperature_K=500.0))
    assert paired(*rows).empty
    assert len(paired(*rows, quantity="activation_energy")) == 1


def test_an_activation_energy_differs_in_its_own_unit() -> None:
    row = paired(
        conductivity_row("A", "PBE", 1.0),
        conductivity_row("A", "MLIP", 1.0, activation_energy_eV=0.4),
        quantity="activation_energy",
    ).iloc[0]
    assert row["difference"] == pytest.approx(0.1)
    assert row["difference_up"] == pytest.approx(0.02)  # its own upper edge, 0.34 eV, is below it and adds nothing


def test_a_measurement_is_compared_at_about_its_temperature_and_each_counts() -> None:
    entries = table(
        experiment_row("A", 1.0),
        experiment_row("A", 2.0, uuid="second"),
        experiment_row("A", 5.0, uuid="hot", temperature_K=400.0),
        experiment_row("B", None, ionic_conductivity_upper_bound_mS_cm=1e-9),
    )
    computed = sides(table(conductivity_row("A", "MLIP", 1.0), conductivity_row("B", "MLIP", 1.0)), SIGMA)
    result = pairs(measured(entries, SIGMA), computed, SIGMA)
    assert set(result["x_uuid"]) == {"A-measured", "second", "B-measured"}
    assert set(result["x_level_of_theory"]) == {EXPERIMENT}
    assert result.set_index("x_uuid").loc["B-measured", "difference_kind"] == "lower"
    assert result.set_index("x_uuid").loc["A-measured", "x_words"] == "obelix abc total"
    assert measured(entries, QUANTITIES["diffusivity"]).empty


def test_nothing_that_cannot_be_drawn_is_a_side() -> None:
    rows = table(
        conductivity_row("A", "PBE", 0.0),
        conductivity_row("B", "PBE", float("inf")),
        conductivity_row("C", "PBE", None),
        conductivity_row("D", "PBE", -1.0),
        conductivity_row("E", "PBE", 1.0),
    )
    assert list(sides(rows, SIGMA)["formula"]) == ["E"]
    assert sides(rows.iloc[:0], SIGMA).empty
    assert pairs(sides(rows.iloc[:0], SIGMA), sides(rows, SIGMA), SIGMA).empty


def test_scores_say_what_a_constant_would_have_scored() -> None:
    rows = [conductivity_row(name, "PBE", value) for name, value in (("A", 1.0), ("B", 10.0), ("C", 100.0))]
    rows += [conductivity_row(name, "MLIP", value) for name, value in (("A", 10.0), ("B", 10.0), ("C", 1.0))]
    row = scores(paired(*rows), SIGMA).iloc[0]
    assert row["mae"] == pytest.approx(1.0)
    assert row["bias"] == pytest.approx(-1 / 3)
    assert row["n_within"] == 2
    # Medians of the others: 1.5, 1 and 0.5 decades.
    assert row["constant_mae"] == pytest.approx((1.5 + 0.0 + 1.5) / 3)


@pytest.mark.parametrize("n", [3, 4, 7, 10])
def test_a_constant_is_the_median_of_all_others(n: int) -> None:
    values = 10.0 ** np.random.default_rng(n).normal(size=n)
    values[1] = values[0]  # equal ones too
    decades = np.log10(values)
    expected = np.mean([abs(decades[i] - np.median(np.delete(decades, i))) for i in range(n)])
    assert constant_error(values, logarithmic=True) == pytest.approx(expected)


def test_a_constant_needs_others_to_be_the_median_of() -> None:
    assert np.isnan(constant_error(np.array([1.0, 2.0]), logarithmic=True))


def test_a_refused_diffusivity_says_so() -> None:
    row = {
        "formula": "A",
        "level_of_theory": "PBE",
        "target_temperature_K": 800.0,
        "tracer_diffusivity_cm2_s": 1e-5,
        "refused_because": None,
        "uuid": "a",
        "time": TIME,
    }
    result = sides(
        table(row, row | {"formula": "B", "refused_because": "It melted.", "uuid": "b"}), QUANTITIES["diffusivity"]
    )
    assert result.set_index("formula")["refused"].to_dict() == {"A": False, "B": True}
