"""The installed kinds of engines: MD work chains registered by any package as ``ion.md.<kind>``."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from aiida.common import exceptions
from aiida.plugins import WorkflowFactory
from aiida.plugins.entry_point import get_entry_point_from_class, get_entry_point_names

#: Start of the entry points of all MD work chains, in the group ``aiida.workflows``.
ENGINE_PREFIX = "ion.md."


def engine_kinds() -> list[str]:
    """Return the installed kinds of engines, sorted: the entry points without their prefix."""
    names = get_entry_point_names("aiida.workflows")
    return [name.removeprefix(ENGINE_PREFIX) for name in names if name.startswith(ENGINE_PREFIX)]


def entry_point_of(kind: str) -> str:
    """Return the entry point of the MD work chain of a kind of engine."""
    return f"{ENGINE_PREFIX}{kind}"


def kind_of(entry_point: str) -> str:
    """Return the kind of engine of an entry point."""
    return entry_point.removeprefix(ENGINE_PREFIX)


def engine_class(entry_point: str) -> Any:
    """Return the MD work chain of an engine. It answers every question about that kind of engine.

    :raises ValueError: if there is no such engine, or something it needs is not installed; the message says what.
    """
    try:
        engine: Any = WorkflowFactory(entry_point)
    except exceptions.EntryPointError as error:
        reason = str(error).strip().splitlines()[-1]  # the lines before it say where the import failed
        raise ValueError(f"{entry_point!r} is not an installed engine: {reason}") from error
    if not hasattr(engine, "md_job"):
        raise ValueError(f"{entry_point!r} is not an engine: its class must build on MdBaseWorkChain")
    return engine


def installed_engines() -> dict[str, Any]:
    """Return the MD work chain of each kind of engine, without those that cannot be loaded here."""
    classes: dict[str, Any] = {}
    for kind in engine_kinds():
        try:
            classes[kind] = engine_class(entry_point_of(kind))
        except Exception:  # a broken third-party package must not affect the others
            continue
    return classes


def kind_of_executable(executable: str) -> str:
    """Return the kind of engine that drives an executable, from the start of its name.

    :raises ValueError: if no engine claims the name, or two do.
    """
    name = PurePath(executable).name
    kinds = [kind for kind, engine in installed_engines().items() if name.startswith(engine.executables)]
    if len(kinds) == 1:
        return kinds[0]
    choices = ", ".join(kinds or [kind for kind, engine in installed_engines().items() if not engine.needs_python])
    if kinds:
        raise ValueError(f"{name} may be any of {choices}: give --kind")
    raise ValueError(f"cannot tell the kind of engine from the name {name}: give --kind, one of {choices}")


def kind_of_job(job: Any) -> str | None:
    """Return the kind of engine that ran a molecular-dynamics job; ``None`` if unknown.

    :param job: its node; the work chain that called it decides, else the kind of job.
    """
    caller = job.caller
    chain = str(caller.process_type).rpartition(":")[2] if caller is not None else ""
    classes = installed_engines()
    if chain.startswith(ENGINE_PREFIX) and kind_of(chain) in classes:
        return kind_of(chain)
    name = job.process_type.rpartition(":")[2]
    by_job = (kind for kind, engine in classes.items() if name in (engine.md_job(), engine.batch_job()))
    return next(by_job, None)


def job_name(job: type) -> str:
    """Return the entry point of a job.

    :raises ValueError: if it is not registered: AiiDA stores this name with every job, and codes run it by default.
    """
    entry_point = get_entry_point_from_class(job.__module__, job.__name__)[1]
    if entry_point is None:
        raise ValueError(f"{job.__module__}.{job.__name__} has no entry point: register it in aiida.calculations")
    return str(entry_point.name)
