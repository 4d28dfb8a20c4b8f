"""The wall time that a run may use."""

from __future__ import annotations

import math

import pytest

from aiida_ion.calculations import script
from aiida_ion.runners import stops


def test_the_name_of_the_variable_is_that_of_the_job() -> None:
    assert script.SECONDS_USED == stops.SECONDS_USED


@pytest.mark.parametrize(("used", "usable_s"), [(None, 95.0), ("", 95.0), ("30", 65.0), ("99", 0.0)])
def test_what_the_job_used_before_is_taken_off(
    monkeypatch: pytest.MonkeyPatch, used: str | None, usable_s: float
) -> None:
    monkeypatch.delenv(stops.SECONDS_USED, raising=False)
    if used is not None:
        monkeypatch.setenv(stops.SECONDS_USED, used)
    assert stops.usable_seconds(100.0) == usable_s
    assert stops.usable_seconds(None) == math.inf
