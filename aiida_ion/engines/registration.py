"""Engines are registered: by the user, or from the environments on this machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from aiida import orm

from aiida_ion.calculations.mlip.job import PINNED
from aiida_ion.calculations.stored_files import store_file
from aiida_ion.engine_kinds import engine_class, entry_point_of
from aiida_ion.engines.codes import check_free, code_of, new_code, register_python, retire, runs, unstored_code
from aiida_ion.engines.engine import Engine, load_engine
from aiida_ion.engines.environments import RECIPES, executable, found_engines, prepend_text
from aiida_ion.engines.programs import is_python
from aiida_ion.engines.requests import JobRequest
from aiida_ion.places.limits import ENGINE_EXTRA

#: Environments that compute no forces -> the job that their code runs by default.
PYTHON_JOBS = {"surrogate": "ion.surrogate_train", "nequip": "ion.train"}
#: What to do next with such an environment.
NEXT_COMMANDS = {"surrogate": "aiida-ion surrogate --help", "nequip": "aiida-ion potential train --help"}


def check_program(name: str, program: str, entry_point: str, computer: str, replaces: bool = False) -> None:
    """Refuse a program that cannot become an engine of this name, before anything is stored.

    :raises ValueError: for a computer or a program that does not exist, a Python that is not one, or a name that is
        taken.
    """
    old = code_of(name, computer)
    md = engine_class(entry_point)
    if old is not None and not runs(old, program, md.md_job()):
        check_free(old, replaces)
    unstored_code(name, program, md.md_job(), computer, "")
    if md.needs_python and computer == "localhost" and not is_python(program):
        raise ValueError(f"{program} is not a Python: give that of the environment with the potential")


def register(
    name: str,
    program: str,
    entry_point: str,
    computer: str = "localhost",
    potential: Mapping[str, Any] | None = None,
    checkpoint: Path | None = None,
    files: Mapping[str, orm.SinglefileData] | None = None,
    choices: Mapping[str, Any] | None = None,
    jobs: JobRequest | None = None,
    max_jobs: int | None = None,
    prepend: str = "",
    replaces: bool = False,
    trusted: Sequence[str] = (),
) -> tuple[Engine, bool]:
    """Register an engine, or update the one of that name.

    :param name: label of the code.
    :param program: absolute path of the Python or the executable on the computer.
    :param entry_point: the MD work chain.
    :param computer: label of the computer.
    :param potential: the job input of that name.
    :param checkpoint: file of weights, kept in the database.
    :param files: files that the potential reads.
    :param choices: what else the engine takes besides its program.
    :param jobs: cores, queue, account, ... of each job.
    :param max_jobs: how many of its jobs may run at a time.
    :param prepend: shell lines before the program.
    :param replaces: hide a code of that name that runs another program, and make a new one.
    :param trusted: sha256 of files of weights that run code when they are loaded, and that the user trusts.
    :returns: the engine, and whether its code is new.
    :raises ValueError: if the program does not exist, the potential is not valid, or the name is taken.
    """
    chosen = {key: value for key, value in (potential or {}).items() if value is not None}
    chosen |= {"trusted_sha256": list(trusted)} if trusted else {}
    file = store_file(checkpoint) if checkpoint is not None else None
    if file is not None:
        chosen["checkpoint_sha256"] = file.base.attributes.get("sha256")
    md = engine_class(entry_point)
    problem = md.validate_potential(chosen)
    if problem is not None:
        raise ValueError(problem)
    old = code_of(name, computer)
    same_program = old is not None and runs(old, program, md.md_job()) and old.prepend_text == prepend
    if old is not None and not same_program:
        check_free(old, replaces)
        retire(old)
        old = None
    code = old or new_code(name, program, md.md_job(), computer, prepend)
    rest = (dict(files or {}), dict(choices or {}), jobs or JobRequest(), max_jobs)
    engine = Engine(code, entry_point, chosen, file, *rest)
    if old is not None and ENGINE_EXTRA in old.base.extras.all:
        engine = _with_past(engine, load_engine(old.full_label))
    engine.save()
    return engine, old is None


def _with_past(engine: Engine, before: Engine) -> Engine:
    """Return an engine with the pinned checkpoint and the test results of before, where they still hold."""
    unpinned = {key: value for key, value in before.potential.items() if key not in PINNED}
    forces = [
        (item.checkpoint, item.choices, {key: node.uuid for key, node in item.files.items()})
        for item in (before, engine)
    ]
    if before.checkpoint is not None or unpinned != engine.potential or forces[0] != forces[1]:
        return engine
    return replace(engine, potential=before.potential, tested=before.tested if before.jobs == engine.jobs else {})


def register_found() -> list[tuple[orm.InstalledCode, bool]]:
    """Register every engine whose environment is on this machine; return the code of each, and whether it is new."""
    return [register_installed(name) for name in found_engines()]


def register_installed(name: str) -> tuple[orm.InstalledCode, bool]:
    """Register the environment of a known engine; return its code, and whether it is new."""
    recipe = RECIPES[name]
    program, prepend = str(executable(name)), prepend_text(name)
    if recipe.kind is None:
        return register_python(name, program, PYTHON_JOBS[name])
    entry_point = entry_point_of(recipe.kind)
    engine, new = register(name, program, entry_point, potential=recipe.potential, prepend=prepend, replaces=True)
    return engine.code, new
