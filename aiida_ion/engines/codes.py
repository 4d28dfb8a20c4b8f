"""Engines as AiiDA codes: registered, found, and tested by a real job of a few steps.

What an engine is beyond its program stands in the extra ``ion`` of its code: the MD work chain that uses it, its
potential, its checkpoint, and what the last test showed. What decides a result goes into the inputs of each job.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiida import orm
from aiida.common import exceptions

from aiida_ion.calculations.mlip.job import PINNED
from aiida_ion.calculations.stored_files import store_file
from aiida_ion.engine_kinds import engine_class, entry_point_of
from aiida_ion.engines.environments import RECIPES, executable, found_engines, prepend_text
from aiida_ion.engines.programs import is_python
from aiida_ion.engines.requests import JobRequest
from aiida_ion.queries import engine_table

EXTRA = "ion"
DIFFUSION_LABEL = "kinisi"
#: Environments that compute no forces -> the job that their code runs by default.
PYTHON_JOBS = {"surrogate": "ion.surrogate_train"}


@dataclass(frozen=True)
class Engine:
    """An engine as it is registered.

    :param code: its program on a computer.
    :param entry_point: the MD work chain that uses it.
    :param potential: the job input of that name; empty where each run names one.
    :param checkpoint: the file of weights, where it is kept in the database.
    :param files: the files that the potential's LAMMPS commands read, by their names in the job.
    :param choices: what else it takes besides its program, such as families of pseudopotentials, cut-offs, settings.
    :param jobs: cores, queue, account, ... of each job, where the user chose them.
    :param tested: what the last test found: versions, checkpoint, steps per second.
    """

    code: orm.InstalledCode
    entry_point: str
    potential: dict[str, Any] = field(default_factory=dict)
    checkpoint: orm.SinglefileData | None = None
    files: dict[str, orm.SinglefileData] = field(default_factory=dict)
    choices: dict[str, Any] = field(default_factory=dict)
    jobs: JobRequest = field(default_factory=JobRequest)
    tested: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Label of the code."""
        return str(self.code.label)

    @property
    def md(self) -> Any:
        """The MD work chain, which knows everything else of this kind of engine.

        :raises ValueError: if the package that has it is not installed.
        """
        return engine_class(self.entry_point)

    @property
    def job(self) -> str:
        """Entry point of the MD job."""
        return str(self.md.md_job())

    def save(self) -> None:
        """Write the extra of the code."""
        self.code.base.extras.set(
            EXTRA,
            {
                "entry_point": self.entry_point,
                "potential": self.potential,
                "checkpoint": None if self.checkpoint is None else self.checkpoint.uuid,
                "files": {name: node.uuid for name, node in self.files.items()},
                "choices": self.choices,
                "resources": self.jobs.counts,
                "job_options": self.jobs.job_options or {},
                "tested": self.tested,
            },
        )


def load_engine(name: str) -> Engine:
    """Return a registered engine.

    :param name: its name, with ``@computer`` where two computers have one of that name.
    :raises ValueError: if there is none, or more than one; the message lists the names there are.
    """
    try:
        code: Any = orm.load_code(name)
    except exceptions.MultipleObjectsError as error:
        raise ValueError(f"more than one engine is called {name!r}: add @computer") from error
    except exceptions.NotExistent as error:
        raise ValueError(f"there is no engine {name!r}; {_known()}") from error
    about = code.base.extras.get(EXTRA, None)
    if not about:
        raise ValueError(f"the code {name!r} is not an engine; {_known()}")
    checkpoint: Any = orm.load_node(about["checkpoint"]) if about.get("checkpoint") else None
    files: dict[str, Any] = {key: orm.load_node(uuid) for key, uuid in (about.get("files") or {}).items()}
    jobs = JobRequest(**about.get("resources") or {}, job_options=about.get("job_options"))
    rest = {name: about.get(name) or {} for name in ("potential", "choices", "tested")}
    return Engine(code, about["entry_point"], checkpoint=checkpoint, files=files, jobs=jobs, **rest)


def _known() -> str:
    names = sorted(set(engine_table()["name"]))
    return f"choose from {', '.join(names)}" if names else "make one with 'aiida-ion engine install sevenn'"


def check_program(name: str, program: str, entry_point: str, computer: str, replaces: bool = False) -> None:
    """Refuse a program that no engine of this name can run, before anything is stored for it.

    :raises ValueError: for a computer or a program that is not there, a Python that is none, or a name that is taken.
    """
    old = _code_of(name, computer)
    md = engine_class(entry_point)
    if old is not None and not _runs(old, program, md.md_job()):
        _check_free(old, replaces)
    _unstored_code(name, program, md.md_job(), computer, "")
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
    prepend: str = "",
    replaces: bool = False,
    trusted: Sequence[str] = (),
) -> tuple[Engine, bool]:
    """Register an engine, or bring the one of that name up to date.

    :param name: label of the code.
    :param program: absolute path of the Python or the executable on the computer.
    :param entry_point: the MD work chain.
    :param computer: label of the computer.
    :param potential: the job input of that name.
    :param checkpoint: file of weights, kept in the database.
    :param files: files that the potential reads.
    :param choices: what else the engine takes besides its program.
    :param jobs: cores, queue, account, ... of each job.
    :param prepend: shell lines before the program.
    :param replaces: hide a code of that name that runs another program, and make a new one.
    :param trusted: sha256 of files of weights that run code when they are loaded, by the user's word.
    :returns: the engine, and whether its code is new.
    :raises ValueError: if the program is not there, the potential is not valid, or the name is taken.
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
    old = _code_of(name, computer)
    same_program = old is not None and _runs(old, program, md.md_job()) and old.prepend_text == prepend
    if old is not None and not same_program:
        _check_free(old, replaces)
        retire(old)
        old = None
    code = old or _new_code(name, program, md.md_job(), computer, prepend)
    engine = Engine(code, entry_point, chosen, file, dict(files or {}), dict(choices or {}), jobs or JobRequest())
    if old is not None and EXTRA in old.base.extras.all:
        engine = _with_past(engine, load_engine(old.full_label))
    engine.save()
    return engine, old is None


def _with_past(engine: Engine, before: Engine) -> Engine:
    """Return an engine with the checkpoint that was pinned to it, and what its test found, where they still hold."""
    unpinned = {key: value for key, value in before.potential.items() if key not in PINNED}
    forces = [
        (item.checkpoint, item.choices, {key: node.uuid for key, node in item.files.items()})
        for item in (before, engine)
    ]
    if before.checkpoint is not None or unpinned != engine.potential or forces[0] != forces[1]:
        return engine
    return replace(engine, potential=before.potential, tested=before.tested if before.jobs == engine.jobs else {})


def _runs(code: orm.InstalledCode, program: str, job: str) -> bool:
    return (str(code.filepath_executable), code.default_calc_job_plugin) == (program, job)


def _check_free(old: orm.InstalledCode, replaces: bool) -> None:
    """Refuse a name that another program has, unless that one is to be replaced."""
    if not replaces:
        what = f"{old.filepath_executable} ({old.default_calc_job_plugin})"
        raise ValueError(f"{old.full_label} runs {what} already; give another name, or --replace it")


def register_found() -> list[tuple[orm.InstalledCode, bool]]:
    """Register every engine whose environment is on this machine; whether each is new stands beside it."""
    return [register_installed(name) for name in found_engines()]


def register_installed(name: str) -> tuple[orm.InstalledCode, bool]:
    """Register the environment of a known engine; whether it is new."""
    recipe = RECIPES[name]
    program, prepend = str(executable(name)), prepend_text(name)
    if recipe.kind is None:
        return register_python(name, program, PYTHON_JOBS[name])
    entry_point = entry_point_of(recipe.kind)
    engine, new = register(name, program, entry_point, potential=recipe.potential, prepend=prepend, replaces=True)
    return engine.code, new


def register_diffusion_code() -> tuple[orm.InstalledCode, bool]:
    """Register this Python, which has kinisi, as the code of the diffusion fits; whether it is new."""
    return register_python(DIFFUSION_LABEL, sys.executable, "ion.diffusion")


def register_python(name: str, program: str, job: str) -> tuple[orm.InstalledCode, bool]:
    """Register a Python on this machine that computes no forces, in the place of any other of that name.

    :param name: label of the code.
    :param program: its absolute path.
    :param job: the job that it runs by default.
    :returns: the code, and whether it is new.
    """
    old = _code_of(name, "localhost")
    if old is not None and str(old.filepath_executable) == program:
        return old, False
    if old is not None:
        retire(old)
    return _new_code(name, program, job, "localhost", ""), True


def diffusion_code() -> orm.InstalledCode:
    """Return the code of the diffusion fits.

    :raises ValueError: if it is not registered.
    """
    code = _code_of(DIFFUSION_LABEL, "localhost")
    if code is None:
        raise ValueError("the code kinisi@localhost is not registered; run 'aiida-ion setup'")
    return code


def remember_test(engine: Engine, versions: Mapping[str, Any], cost: Mapping[str, Any]) -> Engine:
    """Note what a test found, and pin the checkpoint that it loaded for the runs to come."""
    sha256 = (versions.get("checkpoint") or {}).get("sha256")
    potential = engine.potential | ({"checkpoint_sha256": sha256} if sha256 else {})
    tested = {
        "versions": dict(versions),
        "steps_per_s": cost.get("steps_per_s"),
        "n_atoms": cost.get("n_atoms"),
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    after = replace(engine, potential=potential, tested=tested)
    after.save()
    return after


def retire(code: orm.InstalledCode) -> None:
    """Hide a code and free its name; what it ran keeps its origin."""
    code.label = f"{code.label}-{code.pk}"
    code.is_hidden = True


def _code_of(name: str, computer: str) -> orm.InstalledCode | None:
    query = orm.QueryBuilder().append(orm.Computer, filters={"label": computer}, tag="computer")
    row = query.append(orm.InstalledCode, with_computer="computer", filters={"label": name}).first()
    return row[0] if row else None


def _new_code(name: str, program: str, job: str, computer: str, prepend: str) -> orm.InstalledCode:
    code = _unstored_code(name, program, job, computer, prepend)
    code.store()
    return code


def _unstored_code(name: str, program: str, job: str, computer: str, prepend: str) -> orm.InstalledCode:
    try:
        machine = orm.load_computer(computer)
    except exceptions.NotExistent as error:
        raise ValueError(f"there is no computer {computer!r}; make it with 'verdi computer setup'") from error
    code = orm.InstalledCode(
        computer=machine, filepath_executable=program, label=name, default_calc_job_plugin=job, prepend_text=prepend
    )
    if not Path(program).is_absolute():
        raise ValueError(f"give the program by its absolute path, not {program!r}")
    try:
        code.validate_filepath_executable()
    except exceptions.ValidationError as error:
        raise ValueError(f"{program} cannot be used on {computer}: {error}") from error
    return code
