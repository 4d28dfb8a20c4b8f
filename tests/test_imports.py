"""Imports go one way: read the house from the `import` lines themselves."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

NAMEDTUPLE = {"_replace", "_asdict", "_fields", "_make"}
PACKAGE = Path(__file__).parents[1] / "aiida_ion"

#: Room -> the other rooms it may import from.
MAY_IMPORT: dict[str, set[str]] = {
    "aiida_private": set(),
    "units": set(),
    "messages": set(),
    "verdicts": set(),
    "settings": set(),
    "weight_files": set(),
    "endings": set(),
    "exit_codes": set(),
    "unreadable": set(),
    "engine_kinds": set(),
    "fingerprints": set(),
    "former_names": set(),
    "batch_runs": set(),
    "analysis": {"verdicts", "units", "settings"},
    "starting_velocities": set(),
    "thermo_fields": set(),
    "crystal_files": {"units", "analysis"},
    "datasets": {"units", "crystal_files"},
    "surrogate": {"units", "settings", "former_names"},
    "training": {"units", "settings", "analysis"},
    "screening": {"settings"},
    "lammps": {"units", "settings", "endings", "thermo_fields", "training"},
    "dft": {"units", "settings", "endings", "thermo_fields"},
    "trajectory_files": {"units", "settings", "analysis", "dft", "lammps"},
    "runners": {
        "screening",
        "verdicts",
        "units",
        "weight_files",
        "settings",
        "starting_velocities",
        "thermo_fields",
        "analysis",
        "surrogate",
        "training",
    },
    "places": {"aiida_private", "units"},
    "calculations": {
        "batch_runs",
        "screening",
        "aiida_private",
        "places",
        "verdicts",
        "settings",
        "units",
        "endings",
        "exit_codes",
        "weight_files",
        "fingerprints",
        "former_names",
        "starting_velocities",
        "thermo_fields",
        "datasets",
        "analysis",
        "lammps",
        "dft",
        "surrogate",
        "trajectory_files",
        "training",
        "engine_kinds",  # the names that engines have for their levels of theory, by entry point
    },
    "workchains": {
        "batch_runs",
        "former_names",
        "screening",
        "messages",
        "training",
        "exit_codes",
        "aiida_private",
        "places",
        "settings",
        "units",
        "weight_files",
        "lammps",
        "dft",
        "calculations",
        "engine_kinds",
        "queries",
    },
    "queries": {
        "batch_runs",
        "former_names",
        "analysis",
        "screening",
        "aiida_private",
        "places",
        "verdicts",
        "units",
        "unreadable",
        "engine_kinds",
        "exit_codes",
        "lammps",
    },  # how far a running job is, from its log
    "dashboards": {"verdicts", "units", "unreadable", "queries"},
    "figures": {"dashboards", "queries"},
    "archives": {"batch_runs", "aiida_private", "verdicts", "units", "queries", "analysis"},
    # What it needs of a work chain it reaches by its entry point.
    "engines": {
        "aiida_private",
        "messages",
        "settings",
        "engine_kinds",
        "places",
        "calculations",
        "queries",
        "training",
    },
    "campaigns": {
        "batch_runs",
        "screening",
        "exit_codes",
        "training",
        "aiida_private",
        "places",
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
        "screening",
        "exit_codes",
        "training",
        "aiida_private",
        "places",
        "verdicts",
        "messages",
        "settings",
        "units",
        "weight_files",
        "fingerprints",
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
    "exit_codes",
    "unreadable",
    "fingerprints",
    "former_names",
    "starting_velocities",
    "thermo_fields",
    "analysis",
    "lammps",
    "dft",
    "runners",
    "datasets",
    "surrogate",
    "training",
    "screening",
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


ROOMS = sorted({room_of(path) for path in SOURCES})


def wrong_imports(path: Path) -> list[str]:
    room = room_of(path)
    wrong = []
    for name in sorted(imported_modules(path)):
        parts = name.split(".")
        if parts[0] == "aiida" and room in WITHOUT_AIIDA:
            wrong.append(name)
        if parts[0] == "aiida_ion" and parts[1] not in {"__version__", room, *MAY_IMPORT[room]}:
            wrong.append(name)
    return wrong


@pytest.mark.parametrize("room", ROOMS)
def test_imports_go_one_way(room: str) -> None:
    wrong = {str(path): wrong_imports(path) for path in SOURCES if room_of(path) == room}
    assert {path: names for path, names in wrong.items() if names} == {}, f"{room} must not import these"


def private_names(path: Path) -> set[str]:
    """Attributes with a leading underscore that are asked of another object than the module's or class's own."""
    tree = ast.parse(path.read_text())
    own = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    own |= {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and node.attr.startswith("_")
    }
    reached = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr.startswith("_")
        and not node.attr.startswith("__")
        and node.attr not in own | NAMEDTUPLE
        and not (isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"))
    }
    return reached | {name for name in private_words(tree) if name not in own}


def private_words(tree: ast.AST) -> set[str]:
    """Names with a leading underscore that are written as text: of attributes for `getattr`, of AiiDA's extras."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    asked = [node.args[1] for node in calls if node.func.id in ("getattr", "hasattr", "setattr") and node.args[1:]]
    names = {node.value for node in asked if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return {name for name in names if name.startswith("_") and not name.startswith("__")} | {
        text for text in texts if "_aiida_" in text
    }


def test_private_names_are_seen_however_they_are_written(tmp_path: Path) -> None:
    text = "def f(a, self):\n    self._own = a._one\n    getattr(a, '_two')\n    return a['_aiida_hash'], a.name\n"
    (tmp_path / "module.py").write_text(text)
    assert private_names(tmp_path / "module.py") == {"_one", "_two", "_aiida_hash"}


@pytest.mark.parametrize("room", sorted(set(ROOMS) - WITHOUT_AIIDA - {"aiida_private"}))
def test_what_is_private_to_aiida_has_one_room(room: str) -> None:
    reached = {str(path): private_names(path) for path in SOURCES if room_of(path) == room}
    assert {name: names for name, names in reached.items() if names} == {}


def test_every_room_is_known() -> None:
    assert set(ROOMS) <= set(MAY_IMPORT)


def test_no_folder_is_crowded() -> None:
    counts = {folder: len(list(folder.glob("*.py"))) for folder in {path.parent for path in SOURCES}}
    assert {str(folder): count for folder, count in counts.items() if count > MAX_FILES} == {}
