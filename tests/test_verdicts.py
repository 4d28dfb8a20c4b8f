"""One rule for what is known too poorly to be quoted, on results of this version and of earlier ones."""

import math
from typing import Any

import pytest

from aiida_ion.verdicts import interval_decades, is_poorly_known, useful_bound, verdict_of, words_of


@pytest.mark.parametrize(
    ("low", "high", "decades"),
    [(1.0, 100.0, 2.0), (1e-9, 5e-1, 8.69897), (0.0, 1.0, math.inf), (-1.0, 1.0, math.inf), (None, 1.0, None)],
)
def test_decades_of_an_interval(low, high, decades):
    assert interval_decades(low, high) == (None if decades is None else pytest.approx(decades))


def test_the_limit_itself_is_still_known():
    assert not is_poorly_known(1e-6, 1e-4)
    assert is_poorly_known(1e-6, 1.1e-4)
    assert not is_poorly_known(1e-6, 1.1e-4, 3.0)


@pytest.mark.parametrize("limit", [None, "3", math.nan, -1.0, [3]])
def test_a_limit_that_is_none_is_the_default(limit):
    assert is_poorly_known(1e-6, 1.1e-4, limit)


def test_nodes_of_earlier_versions_are_judged_by_their_interval():
    assert verdict_of({"verdict": "moved", "tracer_diffusivity_ci95_cm2_s": [1e-9, 1e-5]}) == "poorly_known"
    assert verdict_of({"verdict": "moved", "tracer_diffusivity_ci95_cm2_s": [1e-6, 1e-5]}) == "moved"
    wide = {"verdict": "measured", "log10_diffusivity_ci95_cm2_s": [-14.7, -6.0]}
    assert verdict_of(wide) == "poorly_known"
    assert verdict_of(wide | {"max_interval_decades": 9.0}) == "measured"


def test_rows_of_tables_have_their_edges_in_two_columns():
    row = {"verdict": "measured", "ionic_conductivity_ci95_low_mS_cm": 1e-6, "ionic_conductivity_ci95_high_mS_cm": 5.0}
    assert verdict_of(row) == "poorly_known"
    assert verdict_of(row | {"ionic_conductivity_ci95_low_mS_cm": 1.0}) == "measured"


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ({"verdict": "bound", "tracer_diffusivity_ci95_cm2_s": [1e-9, 1e-5]}, "bound"),
        ({"verdict": "not_measurable"}, "not_measurable"),
        ({"verdict": "moved"}, "moved"),
        ({"verdict": "moved", "tracer_diffusivity_ci95_cm2_s": "no interval"}, "moved"),
        ({"verdict": "moved", "tracer_diffusivity_ci95_cm2_s": [None, 1.0]}, "moved"),
        ({"verdict": 3}, None),
        ({}, None),
    ],
)
def test_what_says_nothing_else_keeps_its_verdict(said, verdict):
    assert verdict_of(said) == verdict


def test_a_verdict_in_words():
    assert words_of("poorly_known") == "poorly known" and words_of("moved") == "diffusive"
    assert words_of("bound") == "upper bound" and words_of("not_measurable") == "undetermined"


@pytest.mark.parametrize(
    ("attributes", "bound"),
    [
        ({"verdict": "bound", "ionic_conductivity_upper_bound_mS_cm": 0.3}, 0.3),
        ({"verdict": "not_measurable", "ionic_conductivity_upper_bound_mS_cm": 5.5e5}, None),
        ({"verdict": "not_measurable", "ionic_conductivity_upper_bound_mS_cm": 0.3}, None),
        ({"verdict": "measured", "ionic_conductivity_upper_bound_mS_cm": 0.3}, None),
        ({"ionic_conductivity_upper_bound_mS_cm": 0.3}, 0.3),
        ({"ionic_conductivity_upper_bound_mS_cm": 5.5e5}, None),
        ({"verdict": "bound", "ionic_conductivity_upper_bound_mS_cm": float("nan")}, None),
        ({"verdict": "bound", "ionic_conductivity_upper_bound_mS_cm": "0.3"}, None),
        ({"verdict": "bound"}, None),
        ({"verdict": "bound", "ionic_conductivity_upper_bound_mS_cm": 0.3, "max_useful_bound_mS_cm": 0.1}, None),
        ({"verdict": "bound", "ionic_conductivity_upper_bound_mS_cm": 5.5e5, "max_useful_bound_mS_cm": 1e6}, 5.5e5),
        ({"verdict": "bound", "ionic_conductivity_upper_bound_mS_cm": 0.3, "max_useful_bound_mS_cm": -1.0}, 0.3),
    ],
)
def test_a_bound_is_shown_where_it_is_the_result(attributes: dict[str, Any], bound: float | None) -> None:
    assert useful_bound(attributes, "ionic_conductivity", "mS_cm") == bound
