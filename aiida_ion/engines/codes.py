"""AiiDA codes of this package: found by their name and computer, made, replaced and retired."""

from __future__ import annotations

from pathlib import Path

from aiida import orm
from aiida.common import exceptions

#: Job that a code of fits runs by default.
FIT_JOB = "ion.diffusion"


def register_python(name: str, program: str, job: str) -> tuple[orm.InstalledCode, bool]:
    """Register a Python on this machine that computes no forces; it replaces any other of that name.

    :param name: label of the code.
    :param program: its absolute path.
    :param job: the job that it runs by default.
    :returns: the code, and whether it is new.
    """
    old = code_of(name, "localhost")
    if old is not None and runs(old, program, job):
        return old, False
    if old is not None:
        retire(old)
    return new_code(name, program, job, "localhost", ""), True


def retire(code: orm.InstalledCode) -> None:
    """Hide a code and free its name; the provenance of what it ran stays."""
    code.label = f"{code.label}-{code.pk}"
    code.is_hidden = True


def runs(code: orm.InstalledCode, program: str, job: str) -> bool:
    """Return whether a code runs a program, for a job by default."""
    return (str(code.filepath_executable), code.default_calc_job_plugin) == (program, job)


def check_free(old: orm.InstalledCode, replaces: bool) -> None:
    """Refuse a name that another program has, unless the user replaces that one.

    :raises ValueError: naming the program.
    """
    if old.default_calc_job_plugin == FIT_JOB:
        raise ValueError(f"{old.full_label} is the code of the fits: give the engine another name")
    if not replaces:
        what = f"{old.filepath_executable} ({old.default_calc_job_plugin})"
        raise ValueError(f"{old.full_label} runs {what} already; give another name, or --replace it")


def code_of(name: str, computer: str) -> orm.InstalledCode | None:
    """Return the code with a label on a computer; ``None`` without one."""
    query = orm.QueryBuilder().append(orm.Computer, filters={"label": computer}, tag="computer")
    row = query.append(orm.InstalledCode, with_computer="computer", filters={"label": name}).first()
    return row[0] if row else None


def new_code(name: str, program: str, job: str, computer: str, prepend: str) -> orm.InstalledCode:
    """Return a new, stored code, see :func:`unstored_code`."""
    code = unstored_code(name, program, job, computer, prepend)
    code.store()
    return code


def unstored_code(name: str, program: str, job: str, computer: str, prepend: str) -> orm.InstalledCode:
    """Return a code that is not stored yet.

    :param name: its label.
    :param program: absolute path on the computer.
    :param job: the job that it runs by default.
    :param computer: label of the computer.
    :param prepend: shell lines before the program.
    :raises ValueError: for a computer or a program that does not exist.
    """
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
