"""Jobs that wait for something of ours before AiiDA uploads them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

from aiida.common.datastructures import CalcJobState
from aiida.engine import CalcJob, ProcessState
from aiida.engine.processes.calcjobs.tasks import SUBMIT_COMMAND, UPDATE_COMMAND, UPLOAD_COMMAND, Waiting
from plumpy.process_states import Interruption


class WaitingForTurn(Waiting):
    """The waiting state of a job, which AiiDA enters once for each command: upload, submit, update, stash, retrieve."""

    async def execute(self) -> Any:  # type: ignore[override]
        """Wait for the turn of the job before it is uploaded; end it as soon as the scheduler is done with the job."""
        job: Any = self.process
        on_scheduler = self._command == UPDATE_COMMAND or job.node.get_job_id() is not None
        try:
            if self._command in (UPLOAD_COMMAND, SUBMIT_COMMAND) and not on_scheduler:
                await self._wait(job)
            elif self._command in (SUBMIT_COMMAND, UPDATE_COMMAND):
                job.keep_turn()
            else:
                job.end_turn()
            return await super().execute()
        except Interruption:
            # Paused, by hand or after AiiDA tried in vain: the turn is for others until the job is played again.
            if job.node.get_job_id() is None:
                job.end_turn()
            raise
        finally:
            if self._killing is not None and not self._killing.done():
                self._killing.set_result(False)

    async def _wait(self, job: Any) -> None:
        """Wait for the turn of a job.

        A killed job is told so by an exception, which ends it: AiiDA's own way, to retrieve what there is, would look
        for a folder that was never made.
        """
        if job.node.get_state() is None:
            # What AiiDA takes for "not yet on the computer": killing the job needs no connection.
            job.node.set_state(CalcJobState.UPLOADING)
        await self._launch_task(_interruptible, job.wait_for_turn())  # type: ignore[no-untyped-call]


async def _interruptible(waits: Awaitable[None], interrupted: asyncio.Future[Any]) -> None:
    """Wait until the turn has come, or until AiiDA interrupts the task, which it reports itself."""
    waiting = asyncio.ensure_future(waits)
    try:
        await asyncio.wait({waiting, interrupted}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        if not waiting.done():
            waiting.cancel()
    if waiting.done() and not waiting.cancelled():
        waiting.result()


class JobWithTurn(CalcJob):
    """A job that is uploaded when its turn has come, and holds it as long as it is on the computer."""

    @classmethod
    def get_state_classes(cls) -> dict[Any, Any]:
        """Return AiiDA's classes of states, with a waiting state that asks for the turn first."""
        return {**super().get_state_classes(), ProcessState.WAITING: WaitingForTurn}

    async def wait_for_turn(self) -> None:
        """Return when the job may be uploaded; called again after a restart, also when its turn had come before."""
        raise NotImplementedError

    def keep_turn(self) -> None:
        """Note that the job is on the computer, whatever was known of it."""
        raise NotImplementedError

    def end_turn(self) -> None:
        """Let others have the turn of the job."""
        raise NotImplementedError
