"""The diffusivity of a student over its teacher's, from fits with known values, bounds and faults."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from aiida import orm

from aiida_ion.calculations.training.model_error import model_error
from aiida_ion.queries.training.students import model_error_lines

pytestmark = pytest.mark.usefixtures("aiida_profile")


def fit(value_cm2_s: float | None, spread: float = 0.1, **changes: Any) -> orm.ArrayData:
    """Return a diffusion node with draws around a value, or with the bound 1e-5."""
    about: dict[str, Any] = {"mobile_species": "Li", "target_temperature_K": 1200.0, "analysed_time_ps": 6.0}
    if value_cm2_s is None:
        node, about = orm.ArrayData(), about | {"verdict": "bound", "tracer_diffusivity_upper_bound_cm2_s": 1e-5}
    else:
        draws = value_cm2_s * np.exp(np.random.default_rng(1).normal(0, spread, 400))
        node = orm.ArrayData({"tracer_diffusivity_samples_cm2_s": draws})
        interval = np.percentile(draws, [2.5, 97.5]).tolist()
        about |= {"verdict": "moved", "tracer_diffusivity_cm2_s": value_cm2_s, "fit_consistent": True}
        about |= {"tracer_diffusivity_ci95_cm2_s": interval}
    node.base.attributes.set_many(about | changes)
    return node


def words_of(error: Any) -> str:
    (line,) = model_error_lines(error)
    return line


def test_a_student_that_is_too_slow_differs_and_one_that_is_not_agrees() -> None:
    slow = model_error(fit(2e-5), fit(4e-5))
    assert slow["tracer_diffusivity_ratio"] == pytest.approx(0.5, rel=0.02)
    low, high = slow["tracer_diffusivity_ratio_ci95"]
    assert 0.35 < low < 0.5 < high < 0.7
    assert (slow["agrees"], slow["temperature_K"], slow["teacher_ps"], slow["mobile_species"]) == (
        False,
        1200.0,
        6.0,
        "Li",
    )
    assert "0.5 [" in words_of(slow) and words_of(slow).endswith("(1200 K, 6 ps of the teacher): DIFFERS")
    close = model_error(fit(3.6e-5), fit(4e-5))
    assert close["agrees"] is True
    assert words_of(close).endswith("agrees")


def test_a_teacher_with_a_bound_bounds_the_ratio() -> None:
    error = model_error(fit(4e-5), fit(None))
    assert (error["agrees"], error.get("tracer_diffusivity_ratio")) == (None, None)
    assert error["tracer_diffusivity_ratio_lower_bound"] == pytest.approx(3.3, rel=0.1)
    assert "> 3." in words_of(error) and "upper bound of the teacher" in words_of(error)


def test_where_nothing_follows_the_reason_is_said() -> None:
    for student, teacher, why in (
        (fit(None), fit(None), "both have only an upper bound"),
        (None, fit(4e-5), "no fit of the student's runs"),
        (fit(4e-5), fit(4e-5, fit_consistent=False), "teacher is not compared: its fits disagree"),
        (fit(4e-5, spread=2.0), fit(4e-5), "student is poorly known"),
    ):
        error = model_error(student, teacher)
        assert error["agrees"] is None and error.get("tracer_diffusivity_ratio") is None
        assert why in error["reason"]
        assert "NOT KNOWN" in words_of(error) and why in words_of(error)


def test_students_of_before_say_nothing() -> None:
    assert model_error_lines(None) == []
