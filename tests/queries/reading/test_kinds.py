"""What the name of a stored value says of its kind."""

from __future__ import annotations

import dataclasses
from collections import Counter

import pytest

from aiida_ion.analysis.diffusion.result import DiffusionResult
from aiida_ion.queries.reading.kinds import kind_of, read_column
from aiida_ion.unreadable import counting_unreadable

LISTS = [field.name for field in dataclasses.fields(DiffusionResult) if str(field.type).startswith("list[Interval]")]


@pytest.mark.parametrize("name", LISTS)
def test_a_list_of_intervals_is_no_interval(name: str) -> None:
    assert kind_of(name) == "list"
    along_axes = [[1.0, 2.0], [1.5, 2.5], [2.0, 3.0]]
    with counting_unreadable() as counts:
        assert read_column(name, [along_axes, None]) == [along_axes, None]
    assert counts == Counter()


def test_the_green_kubo_intervals_are_among_them() -> None:
    assert "green_kubo_ionic_conductivity_xyz_ci95_mS_cm" in LISTS
    assert kind_of("green_kubo_ionic_conductivity_xyz_mS_cm") == "list"
    assert kind_of("green_kubo_ionic_conductivity_ci95_mS_cm") == "interval"
