"""``aiida-ion engine limit``, and codes of fits for ``aiida-ion engine add``."""

from __future__ import annotations

from typing import Any

import click

from aiida_ion.cli.common import OneLineErrors, load, profile_option
from aiida_ion.cli.options import TEXT, SettingType, setting
from aiida_ion.engines.requests import COUNT, JobRequest
from aiida_ion.workchains.md.requests import EngineSetup, changed_fields

#: What is registered for fits, not for forces.
KIND_OF_FITS = "fits"


@click.command("limit", cls=OneLineErrors)
@click.argument("name", type=SettingType(TEXT))
@setting(COUNT, "--max-jobs", help="Jobs of this engine at a time", also="  [default: what the computer has room for]")
@profile_option
def limit_command(name: str, max_jobs: int | None, profile: str | None) -> None:
    """Limit how many jobs of an engine run at a time, such as those of one GPU; also of jobs that wait already.

    \b
    Example:
      aiida-ion engine limit mace --max-jobs 1
    """
    load(profile)
    from dataclasses import replace

    from aiida_ion.engines.engine import load_engine

    engine = replace(load_engine(name), max_jobs=max_jobs)
    engine.save()
    click.echo(f"{engine.code.full_label}: {'no limit of its own' if max_jobs is None else f'{max_jobs} at a time'}")


def add_fit_code(
    name: str,
    python: str | None,
    computer: str,
    jobs: JobRequest,
    prepend: str,
    replaces: bool,
    max_jobs: int | None,
    setup: EngineSetup,
) -> None:
    """Register a Python that has kinisi, for fits on its computer."""
    from aiida_ion.engines.fits import register_fit_code
    from aiida_ion.engines.jobs import job_options

    foreign = [name.replace("_", "-") for name in changed_fields(setup)]
    if python is None or foreign:
        raise click.UsageError(f"fits take no --{', --'.join(foreign)}" if foreign else "fits run by their --python")
    code, new = register_fit_code(name, python, computer, jobs, max_jobs, prepend, replaces)
    click.echo(f"{'Registered' if new else 'Brought up to date'}: {code.full_label}")
    warn_of_queue(job_options(jobs), code.computer)
    click.echo(f"Next: aiida-ion run ... --fit-code {code.full_label}; engines on {computer} use it by default")


def warn_of_queue(options: dict[str, Any], computer: Any) -> None:
    """Say if the queue of a computer would refuse jobs with these options; each run may still change them."""
    from aiida_ion.engines.queue import check_queue

    try:
        check_queue(options, computer)
    except (ValueError, ConnectionError) as error:
        click.echo(f"WARNING: {error}", err=True)
