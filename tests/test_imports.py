"""Imports go one way: read the house from the `import` lines themselves."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "aiida_ion"

#: What settings are made of.
SETTINGS = {"settings_rules", "settings_schema"}
FILES = {"settings_files"}
#: Room -> the rooms it may import from. What a room imports of itself is its own affair.
MAY_IMPORT: dict[str, set[str]] = {
    "units": set(),
    "verdicts": set(),
    "settings_rules": set(),
    "settings_files": {"settings_rules"},
    "settings_schema": {"settings_rules"},
    "md_settings": SETTINGS,
    "weight_files": set(),
    "endings": set(),
    "unreadable": set(),
    "analysis": {"verdicts", "units", "md_settings", *SETTINGS},
    "starting_velocities": set(),
    "crystal_files": {"units", "analysis"},
    "datasets": {"units", "crystal_files"},
    "surrogate": {"units", *SETTINGS},
    "lammps": {"units", "md_settings", "endings", *SETTINGS},
    "dft": {"units", "md_settings", "endings"},
    "trajectory_files": {"units", "md_settings", "analysis", "dft", "lammps", *SETTINGS},
    "runners": {"verdicts", "units", "weight_files", "md_settings", *SETTINGS, "analysis", "surrogate"},
    "calculations": {
        "verdicts",
        *SETTINGS,
        "units",
        "endings",
        "weight_files",
        "md_settings",
        "starting_velocities",
        "datasets",
        "analysis",
        "lammps",
        "dft",
        "surrogate",
        "trajectory_files",
    },
    "workchains": {*SETTINGS, *FILES, "units", "md_settings", "lammps", "dft", "calculations", "queries"},
    "queries": {"verdicts", "units", "unreadable", "lammps"},  # how far a running job is, from its log
    "dashboards": {"verdicts", "units", "unreadable", "queries"},
    "archives": {"verdicts", "units", "queries", "analysis"},
    "engines": {*SETTINGS, *FILES, "dft", "units", "weight_files", "md_settings", "lammps", "calculations", "queries"},
    "cli": {
        "verdicts",
        *FILES,
        *SETTINGS,
        "units",
        "weight_files",
        "unreadable",
        "md_settings",
        "analysis",
        "lammps",
        "calculations",
        "workchains",
        "queries",
        "engines",
        "archives",
        "dashboards",
        "datasets",
        "crystal_files",
    },
}
#: Rooms that know no AiiDA: they run on compute machines, or in a notebook without a profile.
WITHOUT_AIIDA = {"units", "md_settings", "starting_velocities", "analysis", "lammps", "dft", "runners", "datasets"}
WITHOUT_AIIDA |= {"surrogate", "trajectory_files", "crystal_files", "weight_files", "unreadable", "endings", *SETTINGS}
WITHOUT_AIIDA |= {"verdicts"}


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_modules(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


SOURCES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_one_way(path: Path) -> None:
    room = room_of(path)
    for name in imported_modules(path):
        parts = name.split(".")
        if parts[0] == "aiida":
            assert room not in WITHOUT_AIIDA, f"{room} knows no AiiDA, and imports {name}"
        if parts[0] == "aiida_ion" and parts[1] not in ("__version__", room):
            assert parts[1] in MAY_IMPORT[room], f"{room} must not import {name}"


def test_every_room_is_known() -> None:
    assert {room_of(path) for path in SOURCES} <= set(MAY_IMPORT)
