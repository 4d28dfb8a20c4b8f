"""The kinds of engines that are installed: MD work chains registered as ``ion.md.<kind>``, by whatever package."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from aiida.common import exceptions
from aiida.plugins import WorkflowFactory
from aiida.plugins.entry_point import get_entry_point_from_class, get_entry_point_names

#: Start of the entry points of all MD work chains, in the group ``aiida.workflows``.
ENGINE_PREFIX = "ion.md."


def engine_kinds() -> list[str]:
    """Return the kinds of engines that are installed, sorted: the entry points without their prefix."""
    names = get_entry_point_names("aiida.workflows")
    return [name.removeprefix(ENGINE_PREFIX) for name in names if name.startswith(ENGINE_PREFIX)]


def entry_point_of(kind: str) -> str:
    """Return the entry point of the MD work chain of a kind of engine."""
    return f"{ENGINE_PREFIX}{kind}"


def kind_of(entry_point: str) -> str:
    """Return the kind of engine that an entry point stands for."""
    return entry_point.removeprefix(ENGINE_PREFIX)


def engine_class(entry_point: str) -> Any:
    """Return the MD work chain of an engine: everything that the package knows of a kind of engine is asked of it.

    :raises ValueError: if there is none of that name, or what it needs is not installed; the message says what.
    """
    try:
        engine: Any = WorkflowFactory(entry_point)
    except exceptions.EntryPointError as error:
        reason = str(error).strip().splitlines()[-1]  # before it stands where the import went wrong
        raise ValueError(f"{entry_point!r} is not an installed engine: {reason}") from error
    if not hasattr(engine, "md_job"):
        raise ValueError(f"{entry_point!r} is not an engine: its class must build on MdBaseWorkChain")
    return engine


def installed_engines() -> dict[str, Any]:
    """Return the MD work chain of each kind of engine; those that cannot be loaded here are left out."""
    classes: dict[str, Any] = {}
    for kind in engine_kinds():
        try:
            classes[kind] = engine_class(entry_point_of(kind))
        except Exception:  # a package of someone else's that is broken stops nothing but itself
            continue
    return classes


def kind_of_executable(executable: str) -> str:
    """Return the kind of engine that drives an executable, by the start of its name.

    :raises ValueError: if the name says nothing, or two engines claim it.
    """
    name = PurePath(executable).name
    kinds = [kind for kind, engine in installed_engines().items() if name.startswith(engine.executables)]
    if len(kinds) == 1:
        return kinds[0]
    choices = ", ".join(kinds or [kind for kind, engine in installed_engines().items() if not engine.needs_python])
    if kinds:
        raise ValueError(f"{name} may be any of {choices}: give --kind")
    raise ValueError(f"what {name} is cannot be told from its name: give --kind, one of {choices}")


def kind_of_job(job: Any) -> str | None:
    """Return the kind of engine that ran a job of molecular dynamics; ``None`` where none is known.

    :param job: its node; the work chain that called it says what it is, else the kind of job.
    """
    caller = job.caller
    chain = str(caller.process_type).rpartition(":")[2] if caller is not None else ""
    classes = installed_engines()
    if chain.startswith(ENGINE_PREFIX) and kind_of(chain) in classes:
        return kind_of(chain)
    by_job = (kind for kind, engine in classes.items() if engine.md_job() == job.process_type.rpartition(":")[2])
    return next(by_job, None)


def job_name(job: type) -> str:
    """Return the entry point of a job.

    :raises ValueError: if it is not registered: AiiDA stores this name with every job, and codes run it by default.
    """
    entry_point = get_entry_point_from_class(job.__module__, job.__name__)[1]
    if entry_point is None:
        raise ValueError(f"{job.__module__}.{job.__name__} has no entry point: register it in aiida.calculations")
    return str(entry_point.name)
