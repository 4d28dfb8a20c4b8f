"""Decisions on readings: an interval within the cut passes, one outside fails, one that holds it is unsure."""

import math

import pytest

from aiida_ion.screening.decisions import Reading, decide
from aiida_ion.screening.plan import Cut

AT_MOST = Cut(quantity="barrier_1d_eV", maximum=0.5)
AT_LEAST = Cut(quantity="ionic_conductivity_mS_cm", minimum=0.1)


@pytest.mark.parametrize(
    ("cut", "low", "high", "verdict"),
    [
        (AT_MOST, 0.3, 0.5, "pass"),
        (AT_MOST, 0.4, 0.6, "unsure"),
        (AT_MOST, 0.51, 0.6, "fail"),
        (AT_MOST, math.inf, math.inf, "fail"),
        (AT_LEAST, 0.1, 3.0, "pass"),
        (AT_LEAST, 0.01, 3.0, "unsure"),
        (AT_LEAST, 0.0, 0.05, "fail"),
        (AT_LEAST, -math.inf, math.inf, "unsure"),
    ],
)
def test_interval_and_cut(cut: Cut, low: float, high: float, verdict: str) -> None:
    decision = decide(Reading(None, low, high), cut)
    assert decision.verdict == verdict
    assert decision.goes_on == (verdict in ("pass", "unsure"))


def test_unsure_may_be_kept_out_and_errors_let_through() -> None:
    assert not decide(Reading(0.5, 0.4, 0.6), Cut("barrier_1d_eV", maximum=0.5, unsure_passes=False)).goes_on
    failed = Reading(reason="no parameters", failed=True)
    assert decide(failed, AT_MOST).verdict == "error"
    assert not decide(failed, AT_MOST).goes_on
    through = decide(failed, Cut("barrier_1d_eV", maximum=0.5, errors_pass=True))
    assert (through.verdict, through.goes_on) == ("error", True)


def test_refusal_fails_without_a_number() -> None:
    decision = decide(Reading(refusal="there is no Li in NaCl"), Cut())
    assert (decision.verdict, decision.goes_on, decision.reason) == ("fail", False, "there is no Li in NaCl")


def test_reason_states_numbers_and_cut() -> None:
    decision = decide(Reading(0.5, 0.42, 0.613, "grid 0.2"), AT_MOST)
    assert decision.reason == "barrier_1d_eV 0.42 to 0.613 may be within the cut, at most 0.5: grid 0.2"
    assert decide(Reading(0.3, 0.3, 0.3), AT_MOST).reason == "barrier_1d_eV 0.3 is within the cut, at most 0.5"


def test_without_limits_every_result_passes() -> None:
    assert decide(Reading(), Cut()).verdict == "pass"
