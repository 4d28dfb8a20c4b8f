"""What makes AiiDA's engine cheap in tests: nothing is asked all the time or in vain, no login shell, no flush to disk.

AiiDA looks at the jobs of a test profile as often as it can, each time in a login shell, and asks its database all the
while whether a process has ended: a test that waits keeps a core busy, which the jobs of other tests need. For each
link it asks for cycles, which a node that is not stored cannot close: a fifth of what storing a graph costs. At each
change of state it asks which outputs of a process are stored, though none is new, and after each commit it reads anew
the identifiers of all nodes that it holds, which never change; what may change it reads at each access all the same.
"""

from __future__ import annotations

import functools
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

import pytest
from aiida import orm
from aiida.common.links import LinkType
from aiida.engine import Process
from aiida.manage.manager import Manager
from aiida.orm.nodes.links import NodeLinks
from aiida.orm.utils.links import validate_link
from aiida.storage.sqlite_dos import backend
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.orm import sessionmaker

#: Between two looks at a job or a process, in seconds.
POLL_INTERVAL_S = 0.1


@contextmanager
def quick_engine() -> Iterator[None]:
    """Let the runner rest between two looks at a process, and the system decide when a file reaches the disk.

    No test is about power cuts.
    """
    event.listen(Engine, "connect", _do_not_flush)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Manager, "create_runner", _unhurried(Manager.create_runner))
        patch.setattr(os, "fsync", lambda _: None)
        patch.setattr(NodeLinks, "validate_incoming", _cycles_of_stored_nodes(NodeLinks.validate_incoming))
        patch.setattr(Process, "update_outputs", _if_any_is_new(Process.update_outputs))
        patch.setattr(backend, "sessionmaker", _session_that_remembers)
        yield
    event.remove(Engine, "connect", _do_not_flush)


def _unhurried(create_runner: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(create_runner)
    def create(manager: Manager, **settings: Any) -> Any:
        return create_runner(manager, **{"poll_interval": POLL_INTERVAL_S} | settings)

    return create


def _cycles_of_stored_nodes(validate_incoming: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(validate_incoming)
    def validate(links: Any, source: orm.Node, link_type: LinkType, link_label: str) -> None:
        node = links._node
        if node.is_stored:
            validate_incoming(links, source, link_type, link_label)
        else:
            validate_link(source, node, link_type, link_label, backend=node.backend)

    return validate


def _if_any_is_new(update_outputs: Callable[[Process], None]) -> Callable[[Process], None]:
    known: WeakKeyDictionary[Process, set[str]] = WeakKeyDictionary()

    @functools.wraps(update_outputs)
    def update(process: Process) -> None:
        names = set(process._flat_outputs())
        if names - known.get(process, set()):
            update_outputs(process)
            known[process] = names

    return update


def _session_that_remembers(**settings: Any) -> Any:
    return sessionmaker(**settings | {"expire_on_commit": False})


def _do_not_flush(connection: Any, record: object) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous=OFF")


@pytest.fixture(scope="session", autouse=True)
def quick_engine_of_the_session() -> Iterator[None]:
    """Make the engine cheap in all tests of this process."""
    with quick_engine():
        yield


@pytest.fixture
def aiida_computer_local(aiida_computer: Callable[..., orm.Computer]) -> Callable[..., orm.Computer]:
    """Return AiiDA's factory of local computers; a computer runs its commands in a shell that reads no profile."""

    def make(label: str | None = None, configure: bool = True) -> orm.Computer:
        computer = aiida_computer(label=label, minimum_job_poll_interval=POLL_INTERVAL_S)
        if configure:
            computer.configure(use_login_shell=False)
        return computer

    return make
