"""The file that processes share: nobody takes a place that is taken, and nobody finds it locked."""

from __future__ import annotations

import multiprocessing
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from aiida_ion.places.demand import Demand
from aiida_ion.places.ledger import Ledger, drop, hold, queue, read
from aiida_ion.places.owner import DAEMON, has_ended, this_owner

#: Places of the test, and how many times each process takes one.
PLACES, ROUNDS = 2, 25
#: A place is held this long, s.
HELD_S = 0.005


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    made = Ledger(tmp_path / "places.sqlite")
    made.create()
    return made


def demand(pk: int) -> Demand:
    return Demand(f"u{pk}", pk, "here", "engine", 1)


def take_and_give(path: Path, first: int, counts: Any, together: Any) -> None:
    """Take places and give them back; note how many were held each time."""
    ledger = Ledger(path)
    most = done = 0
    together.wait()
    while done < ROUNDS:
        mine = demand(first + done)
        with ledger.changing() as connection:
            queue(connection, mine, DAEMON)
            held = sum(entry.holds for entry in read(connection, "here"))
            if held < PLACES:
                hold(connection, mine, DAEMON)
                most = max(most, held + 1)
        if held < PLACES:
            time.sleep(HELD_S)
            most = max(most, sum(entry.holds for entry in ledger.entries("here")))
            with ledger.changing() as connection:
                drop(connection, [mine.uuid])
            done += 1
    counts.put(most)


@pytest.mark.slow
def test_processes_take_no_more_places_than_there_are(ledger: Ledger) -> None:
    context = multiprocessing.get_context("spawn")
    counts, together = context.Queue(), context.Barrier(3)
    arguments = [(ledger.path, 1000 * n, counts, together) for n in range(3)]
    processes = [context.Process(target=take_and_give, args=given) for given in arguments]
    for process in processes:
        process.start()
    most = [counts.get(timeout=120) for _ in processes]
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert max(most) == PLACES
    assert ledger.entries() == []


def test_the_first_to_come_is_the_first_and_keeps_its_place(ledger: Ledger) -> None:
    with ledger.changing() as connection:
        assert [queue(connection, demand(pk), DAEMON) for pk in (3, 1, 2)] == [False, False, False]
        hold(connection, demand(1), DAEMON)
        assert queue(connection, demand(1), "another") is True
    assert [(entry.demand, entry.holds) for entry in ledger.entries("here")] == [
        (demand(3), False),
        (demand(1), True),
        (demand(2), False),
    ]
    assert ledger.entries("elsewhere") == []


def test_what_fails_half_way_changes_nothing(ledger: Ledger) -> None:
    def fail() -> None:
        with ledger.changing() as connection:
            hold(connection, demand(1), DAEMON)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert ledger.entries() == []


def test_a_new_ledger_says_so_and_takes_what_runs(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "new.sqlite")
    assert ledger.is_new()
    ledger.create([(demand(7), DAEMON)])
    assert not ledger.is_new()
    assert [entry.holds for entry in ledger.entries()] == [True]
    ledger.remove()
    assert ledger.is_new()


def test_a_program_that_has_ended_is_known_by_its_start() -> None:
    assert not has_ended(this_owner())
    assert not has_ended(DAEMON)
    assert not has_ended(f"another-host/{os.getpid()}/1.00")
    assert has_ended(f"{socket.gethostname()}/{os.getpid()}/1.00"), "another program has this number now"
    program = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    owner = f"{socket.gethostname()}/{program.pid}/{psutil.Process(program.pid).create_time():.2f}"
    assert not has_ended(owner)
    program.communicate(b"\n")
    assert has_ended(owner)
