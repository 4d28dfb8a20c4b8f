"""Whether the queue of a computer takes a job: asked before anything is submitted, where the scheduler can be asked."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from aiida import orm
from aiida.common.datastructures import CodeRunMode
from aiida.schedulers.datastructures import JobTemplate, JobTemplateCodeInfo

from aiida_ion.messages import one_line

#: Entry point of the scheduler that can be asked.
SLURM = "core.slurm"
#: Options that a job and the template of its script call the same.
_SAME = (
    "queue_name",
    "account",
    "qos",
    "priority",
    "max_wallclock_seconds",
    "max_memory_kb",
    "custom_scheduler_commands",
)


def check_queue(options: Mapping[str, Any], computer: orm.Computer) -> None:
    """Refuse jobs that Slurm would refuse: partition, account, wall time, memory, cores, devices.

    Slurm is asked with ``sbatch --test-only``, which submits nothing. Another scheduler is not asked.

    :param options: ``metadata.options`` of the jobs.
    :param computer: where they run.
    :raises ValueError: with the words of the scheduler.
    :raises ConnectionError: if the computer does not answer.
    """
    if computer.scheduler_type != SLURM:
        return
    command = f"printf '%s\\n' {shlex.quote(_script(options, computer))} | sbatch --test-only"
    try:
        with computer.get_transport() as transport:
            code, _, errors = transport.exec_command_wait(command)
            partitions = transport.exec_command_wait("sinfo --noheader --format=%R")[1].split() if code else []
    except Exception as error:  # each transport has errors of its own
        raise ConnectionError(f"{computer.label} does not answer: {one_line(error)}") from error
    if code:
        known = f"; its partitions are {', '.join(partitions)}" if "partition" in errors and partitions else ""
        raise ValueError(f"the queue of {computer.label} refuses such jobs: {_words(errors)}{known}")


def _script(options: Mapping[str, Any], computer: orm.Computer) -> str:
    """Return a script that asks for what the jobs ask for, and does nothing."""
    scheduler = computer.get_scheduler()
    resources = dict(options["resources"])
    scheduler.preprocess_resources(resources, computer.get_default_mpiprocs_per_machine())
    template = JobTemplate()
    template.job_resource = scheduler.create_job_resource(**resources)
    for name in _SAME:
        if options.get(name) is not None:
            setattr(template, name, options[name])
    if template.max_memory_kb is None:
        template.max_memory_kb = computer.get_default_memory_per_machine()
    template.codes_info = [JobTemplateCodeInfo(prepend_cmdline_params=["true"])]
    template.codes_run_mode = CodeRunMode.SERIAL
    script: str = scheduler.get_submit_script(template)
    return script


def _words(errors: str) -> str:
    """Return what the scheduler complains about, in one line."""
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    complaints = [line for line in lines if "error" in line.lower() or "failure" in line.lower()] or lines
    return one_line("; ".join(line.removeprefix("sbatch: error: ") for line in complaints) or "it does not say why")
