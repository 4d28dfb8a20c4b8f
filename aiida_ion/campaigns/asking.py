"""Queues are asked whether they take the jobs of a command, once for each kind of job, before it is submitted."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from aiida import orm

from aiida_ion.campaigns.request import RunRequest
from aiida_ion.engines.engine import Engine
from aiida_ion.engines.fits import diffusion_code, fit_options
from aiida_ion.engines.jobs import job_options
from aiida_ion.engines.queue import check_queue
from aiida_ion.engines.requests import JobRequest


def ask_queues(engines: Sequence[Engine], request: RunRequest) -> list[str]:
    """Ask the queues of the computers of engines, and of their fits, about the jobs of a request.

    :param engines: whose jobs are submitted; the same one may come several times.
    :param request: what is asked of them.
    :returns: a sentence for each computer that could not be asked: its jobs are submitted all the same.
    :raises ValueError: if a queue refuses a job, naming the engine and with the words of the scheduler.
    """
    jobs: dict[str, tuple[str, dict[str, Any], orm.Computer]] = {}
    for engine in {engine.code.uuid: engine for engine in engines}.values():
        _add(jobs, engine.name, job_options(engine.jobs, request.jobs), engine.code.computer)
        code = diffusion_code(request.fit_code, near=engine.code.computer)
        _add(jobs, code.full_label, fit_options(code) or job_options(JobRequest()), code.computer)
    silent: dict[str, str] = {}
    for who, options, computer in jobs.values():
        if computer.uuid in silent:
            continue
        try:
            check_queue(options, computer)
        except ConnectionError as error:
            silent[computer.uuid] = f"{error}; its queue was not asked about these jobs"
        except ValueError as error:
            raise ValueError(f"{who}: {error}; see --job-options") from error
    return list(silent.values())


def _add(
    jobs: dict[str, tuple[str, dict[str, Any], orm.Computer]], who: str, options: dict[str, Any], computer: orm.Computer
) -> None:
    """Note a kind of job, unless there is one like it."""
    jobs.setdefault(json.dumps([computer.uuid, options], sort_keys=True), (who, options, computer))
