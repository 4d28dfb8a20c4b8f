"""The base class of all jobs that run on a computer: each waits for a place there before it is uploaded."""

from __future__ import annotations

from typing import Any

from aiida_ion.aiida_private.waiting import JobWithTurn
from aiida_ion.places.demand import Demand, demand_of
from aiida_ion.places.owner import DAEMON, this_owner
from aiida_ion.places.turnstile import WAITS, turnstile


class PlacedJob(JobWithTurn):
    """A job within the limits of its computer and its engine, see :mod:`aiida_ion.places.limits`.

    It holds its place from before its upload until the scheduler is done with it: retrieving and parsing need none, and
    a result out of AiiDA's cache needs none either.
    """

    async def wait_for_turn(self) -> None:
        """Wait for a place; the status of the process says for what."""
        node: Any = self.node
        computer = node.computer.label

        def say(reason: str) -> None:
            self.node.set_process_status(f"{WAITS} {computer}: {reason}")

        await turnstile().wait(self._demand(), self._owner(), say)

    def keep_turn(self) -> None:
        """Note that the job is on its computer."""
        turnstile().hold(self._demand(), self._owner())

    def end_turn(self) -> None:
        """Give the place to others."""
        turnstile().release(self._demand())

    def _demand(self) -> Demand:
        return demand_of(self.node)

    def _owner(self) -> str:
        return DAEMON if self.runner.is_daemon_runner else this_owner()
