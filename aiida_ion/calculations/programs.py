"""The runner programs as nodes, so that the graph of a result holds the program that made it."""

from __future__ import annotations

import ast
import hashlib
import io
import zipfile
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path

from aiida import orm

PACKAGE = "aiida_ion"
#: What is run: ``aiida_ion.runners.NAME``, with the working folder as the current one.
RUNNERS = f"{PACKAGE}.runners"
#: A program and what it imports, as one file that Python runs as it is.
FILENAME_PROGRAM = "program.pyz"
#: The working folder may be left before the last import, so that the path of the archive is made absolute first.
MAIN = """import os
import runpy
import sys

sys.path[0] = os.path.abspath(sys.path[0])
runpy.run_module("{module}", run_name="__main__", alter_sys=True)
"""
#: One date for all files of archives, so that the same text is the same archive.
DATE = (1980, 1, 1, 0, 0, 0)
PROGRAMS = (
    *("md", "batch_md", "relax", "forces"),
    *("diffusion", "jumps", "trajectory_comparison", "watch"),
    *("surrogate.train", "surrogate.predict"),
    *("migration.hops", "migration.kinetics"),
    *("disorder.order", "disorder.relax", "disorder.defects"),
    "trainers.train",
    "screening.bvse",
    "screening.pes",
)


@cache
def program_files(name: str) -> dict[str, bytes]:
    """Return the files of a program by their path in the working folder: what it imports of this package.

    A table that a module reads, beside it under its name, is one of them.

    :param name: one of :data:`PROGRAMS`.
    """
    root = Path(str(files(PACKAGE))).parent
    result: dict[str, bytes] = {}
    waiting = [f"{RUNNERS}.{name}"]
    while waiting:
        path = _file_of(root, waiting.pop())
        if path is not None and str(path) not in result:
            content = (root / path).read_bytes()
            result[str(path)] = content
            table = path.with_suffix(".json")
            if (root / table).is_file():
                result[str(table)] = (root / table).read_bytes()
            waiting += [*map(".".join, _parents(path)), *_imported(content)]
    return dict(sorted(result.items()))


def _file_of(root: Path, module: str) -> Path | None:
    """Return the file of a module of this package, relative to its folder; nothing for a name within a module."""
    path = Path(*module.split("."))
    candidates = (path.with_suffix(".py"), path / "__init__.py")
    return next((candidate for candidate in candidates if (root / candidate).is_file()), None)


def _parents(path: Path) -> Iterator[tuple[str, ...]]:
    """Yield the packages that are imported before a module."""
    parts = path.parent.parts
    return (parts[:depth] for depth in range(1, len(parts) + 1))


def _imported(content: bytes) -> Iterator[str]:
    """Yield the modules of this package that a module imports, now or when a function of it is called.

    What is under ``if TYPE_CHECKING`` is not imported when the program runs.
    """
    waiting: list[ast.AST] = [ast.parse(content)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            waiting += node.orelse
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith(f"{PACKAGE}."))
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == PACKAGE:
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        waiting += ast.iter_child_nodes(node)


@cache
def program_archive(name: str) -> bytes:
    """Return the files of a program as one zip archive that Python runs: ``python program.pyz``.

    It is not compressed, so that its hash is that of its text, whichever version of zlib is there.

    :param name: one of :data:`PROGRAMS`.
    """
    buffer = io.BytesIO()
    contents = {"__main__.py": MAIN.format(module=f"{RUNNERS}.{name}").encode(), **program_files(name)}
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for path, content in contents.items():
            archive.writestr(zipfile.ZipInfo(path, DATE), content)
    return buffer.getvalue()


def program_node(name: str) -> orm.FolderData:
    """Return the program as a node, the stored one when this very text is in the database already."""
    content = program_archive(name)
    sha256 = hashlib.sha256(content).hexdigest()
    filters = {"attributes.program": name, "attributes.sha256": sha256}
    stored = orm.QueryBuilder().append(orm.FolderData, filters=filters).first()
    if stored is not None:
        node: orm.FolderData = stored[0]
        return node
    node = orm.FolderData()
    node.base.repository.put_object_from_bytes(content, FILENAME_PROGRAM)
    node.base.attributes.set_many({"program": name, "sha256": sha256})
    node.label = f"aiida-ion runner: {name}"
    return node


def program_command(name: str, program: orm.FolderData) -> list[str]:
    """Return what Python is given to run a program.

    Earlier ones are files in the folder. Those of version 0.1 lie flat in it, the next had no folders of subjects:
    ``surrogate_train``.
    """
    names = program.base.repository.list_object_names()
    if FILENAME_PROGRAM in names:
        return [FILENAME_PROGRAM]
    flat = name.replace(".", "_")
    if f"{flat}.py" in names:
        return [f"{flat}.py"]
    earlier = Path(*RUNNERS.split("."), f"{flat}.py")
    is_earlier = str(earlier) in map(str, program.base.repository.glob())
    return ["-m", f"{RUNNERS}.{flat if is_earlier else name}"]
