"""A real job of a few steps, which shows that an engine works and records its versions."""

from __future__ import annotations

import json
from typing import Any

from aiida import orm
from aiida.common import exceptions
from aiida.common.log import override_log_level
from aiida.engine import run_get_node
from aiida.engine.utils import instantiate_process
from aiida.manage import get_manager
from aiida.plugins import CalculationFactory
from plumpy.process_listener import ProcessListener

from aiida_ion.calculations.cleaning import clean_jobs
from aiida_ion.calculations.script import FILENAME_RESULTS
from aiida_ion.engines.engine import Engine, remember_test
from aiida_ion.engines.jobs import check_jobs, engine_choices, job_options
from aiida_ion.engines.queue import check_queue
from aiida_ion.engines.requests import JobRequest

#: Why a test was killed.
PAUSED = "AiiDA paused it, and nobody is there to resume it"


class _PausedError(KeyboardInterrupt):
    """Leaves the event loop, which no other kind of error in a callback does."""


class _LeaveWhenPaused(ProcessListener):
    """Stops waiting for a job that AiiDA pauses, as it does when a computer or its queue failed five times."""

    def on_process_paused(self, process: Any) -> None:
        """Leave the loop after the event."""
        process.loop.call_soon(self._leave)

    def _leave(self) -> None:
        raise _PausedError


def run_test(
    engine: Engine,
    structure: orm.StructureData | None = None,
    n_steps: int | None = None,
    jobs: JobRequest | None = None,
) -> tuple[Engine, Any]:
    """Run a few steps in this process, never from the cache; store versions and checkpoint if they succeed.

    :param engine: the engine.
    :param structure: a crystal that its potential knows; a small built-in one by default.
    :param n_steps: steps of 1 fs; fewer by default where each costs more.
    :param jobs: what is asked of this job; it wins over the engine's own.
    :returns: the engine with the results, and the node of the job.
    :raises ValueError: if the engine, its job or the queue of its computer does not accept this.
    :raises ConnectionError: if the queue cannot be asked.
    """
    md, requests = engine.md, (engine.jobs, jobs or JobRequest())
    check_jobs(engine.job, engine.code.computer, *requests)
    check_queue(job_options(*requests), engine.code.computer)
    choices = md.test_choices(engine_choices(engine))
    cell, temperature_K = md.test_cell(choices)
    job: Any = CalculationFactory(engine.job)
    builder = job.get_builder()
    builder.structure = structure or cell
    for name, value in md.engine_inputs(builder.structure, "fast", **choices).items():
        setattr(builder, name, value)
    builder.parameters = orm.Dict(
        {
            "temperature_K": temperature_K,
            "timestep_fs": 1.0,
            "n_steps": n_steps or md.test_steps,
            "sample_every": 5,
            "seed": 1,
        }
    )
    builder.metadata.options = job_options(*requests)
    builder.metadata.disable_cache = True
    builder.metadata.label = f"test of {engine.name}"
    with override_log_level():  # the caller says what went wrong, in one line
        process: Any = instantiate_process(get_manager().get_runner(), builder)
        process.add_process_listener(_LeaveWhenPaused())
        try:
            node = run_get_node(process)[1]
        except _PausedError:
            node = process.node
            process.kill(f"{PAUSED}: {node.process_status}", force_kill=True)  # asking the queue is what failed
            check_queue(job_options(*requests), engine.code.computer)  # which says why, if it still refuses
    if node.is_finished_ok:
        clean_jobs([node])
        engine = remember_test(engine, node.outputs.versions.get_dict(), node.outputs.cost.get_dict())
    return engine, node


def refused_checkpoint(job: Any) -> dict[str, str] | None:
    """Return name, sha256 and danger of the weights that a test refused to load; ``None`` for another failure."""
    try:
        text = job.outputs.retrieved.base.repository.get_object_content(FILENAME_RESULTS, "r")
    except (exceptions.NotExistentAttributeError, FileNotFoundError):
        return None
    refused: dict[str, str] | None = json.loads(text).get("refused_checkpoint")
    return refused
