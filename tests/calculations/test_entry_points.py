"""Calculation functions are known by their entry points, which stay when a module moves."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from importlib.metadata import entry_points

import pytest
from aiida.plugins.entry_point import get_entry_point_string_from_class

from aiida_ion import calculations

FUNCTIONS = {
    point.name: point
    for point in entry_points(group="aiida.calculations")
    if point.name.startswith("ion.") and getattr(point.load(), "is_process_function", False)
}


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_the_type_that_is_stored_is_the_entry_point(name: str) -> None:
    function = FUNCTIONS[name].load()
    assert name == f"ion.{function.__name__}"
    stored = get_entry_point_string_from_class(function.__module__, function.__name__)
    assert stored == f"aiida.calculations:{name}"
    assert function.process_class.build_process_type() == stored


def test_every_calculation_function_has_one() -> None:
    modules = [
        import_module(entry.name) for entry in pkgutil.walk_packages(calculations.__path__, f"{calculations.__name__}.")
    ]
    own = {
        name
        for module in modules
        for name, value in vars(module).items()
        if getattr(value, "is_process_function", False) and value.__module__ == module.__name__
    }
    assert {f"ion.{name}" for name in own} == set(FUNCTIONS) != set()
