"""Where the jobs of one process wait until their computers have room for them."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

from aiida import orm
from aiida.common.log import AIIDA_LOGGER
from aiida.manage import get_config, get_manager

from aiida_ion.places.decide import decide
from aiida_ion.places.demand import Demand, demand_of
from aiida_ion.places.ledger import Ledger, drop, hold, queue, read, touch
from aiida_ion.places.limits import engine_limits, limits_of
from aiida_ion.places.owner import DAEMON, has_ended

#: A computer is looked at this often, however many jobs wait for it, s.
POLL_S = 1.0
#: A job that waits says why at most this often, s: each time is a write to the database.
STATUS_S = 10.0
#: A waiting job that nobody looked after for this long, s, lets the others pass: its worker is stopped or busy.
STALE_S = 30.0
#: States of a job that its scheduler is done with.
LEFT = ("stashing", "retrieving", "parsing")
ENDED = ("finished", "excepted", "killed")
#: How the status of a waiting process begins.
WAITS = "Waiting for a place on"

logger = AIIDA_LOGGER.getChild("ion.places")
Say = Callable[[str], object]


class Turnstile:
    """The waiting jobs of this process.

    :param ledger: what all processes of the profile share.
    """

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._waiting: dict[str, tuple[Demand, str]] = {}
        self._reasons: dict[str, str | None] = {}
        self._looked: dict[str, float] = {}

    async def wait(self, demand: Demand, owner: str, say: Say) -> None:
        """Return when a job has its place.

        A ledger that cannot be used, of a full disk for example, makes the job wait until it can.

        :param owner: who follows the job.
        :param say: takes why the job waits, now and then.
        :raises asyncio.CancelledError: if the job ended meanwhile.
        """
        said, when = "", -STATUS_S
        self._waiting[demand.uuid] = (demand, owner)
        try:
            while (reason := self._reason(demand, owner)) is not None:
                if demand.uuid not in self._waiting:
                    raise asyncio.CancelledError
                if reason != said and time.monotonic() - when >= STATUS_S:
                    say(reason)
                    said, when = reason, time.monotonic()
                await asyncio.sleep(POLL_S)
        finally:
            self._waiting.pop(demand.uuid, None)
            self._reasons.pop(demand.uuid, None)

    def hold(self, demand: Demand, owner: str) -> None:
        """Note that a job is on its computer."""
        self._change(lambda connection: hold(connection, demand, owner))

    def release(self, demand: Demand) -> None:
        """Give the place of a job to others, or take it out of the queue."""
        self._change(lambda connection: drop(connection, [demand.uuid]))
        self._looked.pop(demand.computer, None)

    def _change(self, change: Callable[[sqlite3.Connection], None]) -> None:
        """Change the ledger; what cannot be written there is found in AiiDA's database later."""
        try:
            self._open()
            with self.ledger.changing() as connection:
                change(connection)
        except (sqlite3.Error, OSError) as error:
            self._unusable(error)

    def _reason(self, demand: Demand, owner: str) -> str | None:
        """Return why a job waits, nothing when it has its place."""
        try:
            if demand.uuid not in self._reasons:
                self._open()
                with self.ledger.changing() as connection:
                    if queue(connection, demand, owner):
                        return None
                self._reasons[demand.uuid] = "other jobs came first"
                others = [one for one, _ in self._waiting.values() if one.computer == demand.computer]
                if len(others) == 1:
                    self._looked.pop(demand.computer, None)
            if time.monotonic() - self._looked.get(demand.computer, -POLL_S) >= POLL_S:
                self._looked[demand.computer] = time.monotonic()
                self._look(demand.computer)
        except (sqlite3.Error, OSError) as error:
            return self._unusable(error)
        return self._reasons.get(demand.uuid)

    def _look(self, uuid: str) -> None:
        """Decide who of those that wait for a computer may start, and write it down for those of this process."""
        self._open()
        entries = self.ledger.entries(uuid)
        gone = ended_jobs(entry.demand.uuid for entry in entries)
        gone |= {entry.demand.uuid for entry in entries if has_ended(entry.owner)}
        for key in gone & self._waiting.keys():
            del self._waiting[key]
        mine = {key: value for key, value in self._waiting.items() if value[0].computer == uuid}
        limits = limits_of(orm.load_computer(uuid=uuid))
        max_jobs = engine_limits(entry.demand.engine for entry in entries)
        with self.ledger.changing() as connection:
            drop(connection, gone)
            there = {entry.demand.uuid for entry in read(connection, uuid)}
            for demand, owner in mine.values():
                if demand.uuid not in there:  # the ledger was lost
                    queue(connection, demand, owner)
            touch(connection, mine)
            entries = read(connection, uuid)
            running = [entry.demand for entry in entries if entry.holds]
            alive = [entry.demand for entry in entries if not entry.holds and time.time() - entry.seen < STALE_S]
            reasons = decide(running, alive, limits, max_jobs)
            for key in mine.keys() & reasons.keys():
                if reasons[key] is None:
                    hold(connection, *mine[key])
        self._reasons |= {key: reasons[key] for key in mine.keys() & reasons.keys()}
        self._reasons |= dict.fromkeys(mine.keys() & {demand.uuid for demand in running})

    def _open(self) -> None:
        """Make the ledger where there is none, with the jobs that are on computers already."""
        self.ledger.path.parent.mkdir(parents=True, exist_ok=True)
        if self.ledger.is_new():
            self.ledger.create((demand, DAEMON) for demand in jobs_on_computers())

    def _unusable(self, error: Exception) -> str:
        """Return what to say of a ledger that cannot be used; one whose content is broken is made anew."""
        if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
            self.ledger.remove()
        logger.warning("%s: %s", self.ledger.path, error)
        return f"{self.ledger.path} cannot be used: {error}"


def ended_jobs(uuids: Iterable[str]) -> set[str]:
    """Return those jobs whose scheduler is done with them, that have ended, or that were deleted."""
    asked = set(uuids)
    if not asked:
        return set()
    fields = ["uuid", "attributes.process_state", "attributes.state"]
    query = orm.QueryBuilder().append(orm.CalcJobNode, filters={"uuid": {"in": list(asked)}}, project=fields)
    return asked - {uuid for uuid, process, state in query.all() if process not in ENDED and state not in LEFT}


def jobs_on_computers() -> list[Demand]:
    """Return what our jobs that are with a scheduler ask for."""
    filters = {
        "process_type": {"like": "aiida.calculations:ion.%"},
        "attributes.process_state": {"!in": list(ENDED)},
        "attributes.state": "withscheduler",
    }
    return [demand_of(node) for node in orm.QueryBuilder().append(orm.CalcJobNode, filters=filters).all(flat=True)]


def ledger_path() -> Path:
    """Return the ledger of the loaded profile, in AiiDA's folder."""
    profile = get_manager().get_profile()
    if profile is None:
        raise ValueError("no profile is loaded")
    return Path(get_config().dirpath) / "aiida_ion" / "places" / f"{profile.uuid}.sqlite"


def turnstile() -> Turnstile:
    """Return where the jobs of this process and the loaded profile wait."""
    return _turnstile(ledger_path())


@cache
def _turnstile(path: Path) -> Turnstile:
    return Turnstile(Ledger(path))
