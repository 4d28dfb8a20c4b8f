"""Codes of the fits: a Python with kinisi, on this machine or on the computer where the trajectories are."""

from __future__ import annotations

import sys
from typing import Any

from aiida import orm
from aiida.common import exceptions

from aiida_ion.engines.codes import FIT_JOB, code_of, new_code, register_python, retire, unstored_code
from aiida_ion.engines.jobs import check_jobs, job_options
from aiida_ion.engines.programs import is_python
from aiida_ion.engines.requests import JobRequest
from aiida_ion.places.limits import FITS_EXTRA

LABEL = "kinisi"


def register_diffusion_code() -> tuple[orm.InstalledCode, bool]:
    """Register this Python, which has kinisi, as the code of the fits on this machine.

    :returns: the code, and whether it is new.
    """
    return register_python(LABEL, sys.executable, FIT_JOB)


def register_fit_code(
    name: str,
    program: str,
    computer: str,
    jobs: JobRequest,
    max_jobs: int | None = None,
    prepend: str = "",
    replaces: bool = False,
) -> tuple[orm.InstalledCode, bool]:
    """Register a Python that has kinisi as a code of fits, on any computer.

    :param name: label of the code.
    :param program: absolute path of the Python.
    :param computer: label of the computer.
    :param jobs: cores, queue, account, ... of each fit.
    :param max_jobs: how many fits of this code may run at a time.
    :param prepend: shell lines before the program.
    :param replaces: hide a code of fits of that name that runs another program, and make a new one.
    :returns: the code, and whether it is new.
    :raises ValueError: if the program does not exist, the jobs cannot run there, or the name is taken.
    """
    checked = unstored_code(name, program, FIT_JOB, computer, prepend)
    if computer == "localhost" and not is_python(program):
        raise ValueError(f"{program} is not a Python: give that of the environment with kinisi")
    check_jobs(FIT_JOB, checked.computer, jobs)
    old = code_of(name, computer)
    if old is not None and old.default_calc_job_plugin != FIT_JOB:
        raise ValueError(f"{old.full_label} is an engine: give the code of the fits another name")
    same = old is not None and str(old.filepath_executable) == program and old.prepend_text == prepend
    if old is not None and not same:
        if not replaces:
            raise ValueError(f"{old.full_label} runs {old.filepath_executable} already; --replace it")
        retire(old)
        old = None
    code = old or new_code(name, program, FIT_JOB, computer, prepend)
    about = {"resources": jobs.counts, "job_options": dict(jobs.job_options or {}), "max_jobs": max_jobs}
    code.base.extras.set(FITS_EXTRA, about)
    return code, old is None


def diffusion_code(name: str | None = None, near: orm.Computer | None = None) -> orm.InstalledCode:
    """Return a code of fits.

    :param name: its label, with ``@computer`` where two computers have one of that name; else it is looked for.
    :param near: the computer where the trajectories are: one of fits there is preferred to that on this machine.
    :raises ValueError: if there is none.
    """
    if name is not None:
        return _named(name)
    code = (near and _on(near)) or _on_this_machine()
    if code is None:
        raise ValueError(f"the code {LABEL}@localhost is not registered; run 'aiida-ion setup'")
    return code


def fit_options(code: orm.InstalledCode) -> dict[str, Any]:
    """Return ``metadata.options`` of the fits of a code; nothing where none were chosen."""
    about = code.base.extras.get(FITS_EXTRA, None) or {}
    jobs = JobRequest(**about.get("resources") or {}, job_options=about.get("job_options"))
    return {} if jobs == JobRequest() else job_options(jobs)


def _named(name: str) -> orm.InstalledCode:
    try:
        code: Any = orm.load_code(name)
    except exceptions.MultipleObjectsError as error:
        raise ValueError(f"more than one code is called {name!r}: add @computer") from error
    except exceptions.NotExistent as error:
        raise ValueError(f"there is no code {name!r}; {_known()}") from error
    if code.default_calc_job_plugin != FIT_JOB or code.is_hidden:
        raise ValueError(f"the code {name!r} is not one of fits; {_known()}")
    return code  # type: ignore[no-any-return]


def _known() -> str:
    labels = ", ".join(sorted(code.full_label for code in _codes()))
    return f"choose from {labels}" if labels else "run 'aiida-ion setup'"


def _on(computer: orm.Computer) -> orm.InstalledCode | None:
    """Return the code of fits on a computer, that with the usual label or the newest of several."""
    return max(_codes(computer.uuid), key=lambda code: (code.label == LABEL, int(code.pk or 0)), default=None)


def _on_this_machine() -> orm.InstalledCode | None:
    code = code_of(LABEL, "localhost")
    return code if code is not None and code.default_calc_job_plugin == FIT_JOB else None


def _codes(computer: str | None = None) -> list[orm.InstalledCode]:
    """Return the codes of fits that are not hidden, of one computer or of all."""
    query = orm.QueryBuilder()
    query.append(orm.Computer, filters={} if computer is None else {"uuid": computer}, tag="computer")
    query.append(orm.InstalledCode, with_computer="computer", filters={"attributes.input_plugin": FIT_JOB})
    return [code for code in query.all(flat=True) if not code.is_hidden]
