"""Imports go one way: read the house from the `import` lines themselves."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "aiida_ion"

#: Room -> the rooms it may import from. What a room imports of itself is its own affair.
MAY_IMPORT: dict[str, set[str]] = {
    "units": set(),
    "messages": set(),
    "verdicts": set(),
    "settings": set(),
    "weight_files": set(),
    "endings": set(),
    "unreadable": set(),
    "engine_kinds": set(),
    "analysis": {"verdicts", "units", "settings"},
    "starting_velocities": set(),
    "crystal_files": {"units", "analysis"},
    "datasets": {"units", "crystal_files"},
    "surrogate": {"units", "settings"},
    "lammps": {"units", "settings", "endings"},
    "dft": {"units", "settings", "endings"},
    "trajectory_files": {"units", "settings", "analysis", "dft", "lammps"},
    "runners": {"verdicts", "units", "weight_files", "settings", "analysis", "surrogate"},
    "calculations": {
        "verdicts",
        "settings",
        "units",
        "endings",
        "weight_files",
        "starting_velocities",
        "datasets",
        "analysis",
        "lammps",
        "dft",
        "surrogate",
        "trajectory_files",
    },
    "workchains": {
        "settings",
        "units",
        "weight_files",
        "lammps",
        "dft",
        "calculations",
        "engine_kinds",
        "queries",
    },
    "queries": {"verdicts", "units", "unreadable", "engine_kinds", "lammps"},  # how far a running job is, from its log
    "dashboards": {"verdicts", "units", "unreadable", "queries"},
    "archives": {"verdicts", "units", "queries", "analysis"},
    # What it needs of a work chain it reaches by its entry point.
    "engines": {"settings", "engine_kinds", "calculations", "queries"},
    "campaigns": {
        "verdicts",
        "messages",
        "settings",
        "units",
        "analysis",
        "crystal_files",
        "datasets",
        "calculations",
        "workchains",
        "engine_kinds",
        "queries",
        "engines",
    },
    "cli": {
        "verdicts",
        "messages",
        "settings",
        "units",
        "weight_files",
        "unreadable",
        "analysis",
        "lammps",
        "calculations",
        "workchains",
        "engine_kinds",
        "queries",
        "engines",
        "archives",
        "dashboards",
        "datasets",
        "crystal_files",
        "campaigns",
    },
}
#: Rooms that know no AiiDA: they run on compute machines, or in a notebook without a profile.
WITHOUT_AIIDA = {
    "units",
    "messages",
    "verdicts",
    "settings",
    "weight_files",
    "endings",
    "unreadable",
    "starting_velocities",
    "analysis",
    "lammps",
    "dft",
    "runners",
    "datasets",
    "surrogate",
    "trajectory_files",
    "crystal_files",
}
#: A room is overseen at one look.
MAX_FILES = 24


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


@pytest.mark.parametrize("folder", sorted({path.parent for path in SOURCES}), ids=lambda path: path.name)
def test_no_folder_is_crowded(folder: Path) -> None:
    assert len(list(folder.glob("*.py"))) <= MAX_FILES
