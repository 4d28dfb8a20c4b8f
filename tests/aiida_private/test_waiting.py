"""What jobs that wait for their turn rely on in AiiDA; that they do wait is tested in `tests/places`."""

from __future__ import annotations

import inspect

import plumpy
from aiida.engine import ProcessState
from aiida.engine.processes.calcjobs import tasks
from plumpy.process_states import KillInterruption

from aiida_ion.aiida_private.waiting import JobWithTurn, WaitingForTurn


def test_a_job_has_our_waiting_state_and_else_those_of_aiida() -> None:
    own, others = JobWithTurn.get_state_classes(), JobWithTurn.__base__.get_state_classes()
    assert {key for key in own if own[key] is not others[key]} == {ProcessState.WAITING}
    assert own[ProcessState.WAITING] is WaitingForTurn
    assert issubclass(WaitingForTurn, others[ProcessState.WAITING])


def test_the_commands_of_a_job_are_those_that_are_looked_for() -> None:
    names = {value for name, value in vars(tasks).items() if name.endswith("_COMMAND")}
    assert names == {"upload", "submit", "update", "stash", "retrieve", "kill"}
    source = inspect.getsource(tasks.Waiting.execute)
    assert "self._command == UPLOAD_COMMAND" in source
    assert "self._launch_task(" in source


def test_a_job_that_was_not_uploaded_is_killed_without_a_connection() -> None:
    source = inspect.getsource(tasks.task_kill_job)
    assert "CalcJobState.UPLOADING" in source.partition("return True")[0]


def test_an_interruption_that_is_raised_ends_a_process() -> None:
    source = inspect.getsource(plumpy.Process._create_interrupt_action)
    assert issubclass(KillInterruption, plumpy.process_states.Interruption)
    assert "ProcessState.KILLED" in source
