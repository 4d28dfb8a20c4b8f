"""``aiida-ion engine test``: a few real steps."""

from __future__ import annotations

from typing import Any

import click

from aiida_ion.cli.common import OneLineErrors, load, profile_option
from aiida_ion.cli.options import SUCH_AS, TEXT, JsonObject, SettingType, setting
from aiida_ion.engines.requests import JobRequest
from aiida_ion.messages import one_line
from aiida_ion.settings.rules import Number

STEPS = Number(least=1, most=100_000, whole=True)


@click.command("test", cls=OneLineErrors)
@click.argument("name", type=SettingType(TEXT))
@click.option(
    "--structure",
    type=SettingType(TEXT),
    metavar="FILE|PK",
    help="A small crystal that the potential knows  [default: a built-in one]",
)
@setting(STEPS, "--steps", help="Steps of 1 fs", also="  [default: 20; 5 with DFT]")
@click.option(
    "--trust-checkpoint",
    is_flag=True,
    help="Trust the weights that the job finds, even if loading them runs their code.",
)
@click.option("--job-options", type=JsonObject(), help=f"Job options of this test, {SUCH_AS}.")
@profile_option
def test_command(
    name: str,
    structure: str | None,
    steps: int | None,
    trust_checkpoint: bool,
    job_options: dict[str, Any] | None,
    profile: str | None,
) -> None:
    """Run a few real steps with an engine, and record its versions, checkpoint and speed.

    The checkpoint that was loaded is pinned: later runs refuse another one. One that would run code is refused, unless
    you trust that very file.

    \b
    Example:
      aiida-ion engine test sevenn
      aiida-ion engine test mace --trust-checkpoint
    """
    load(profile)
    from aiida_ion.campaigns.structures import structure_node
    from aiida_ion.engines.engine import load_engine
    from aiida_ion.engines.testing import refused_checkpoint, run_test
    from aiida_ion.engines.trust import trust

    engine, jobs = load_engine(name), JobRequest(job_options=job_options)
    node = structure_node(structure) if structure is not None else None
    click.echo(f"{engine.code.full_label}: a few steps ...")
    try:
        engine, job = run_test(engine, node, steps, jobs)
        refused = refused_checkpoint(job) if trust_checkpoint else None
        if refused is not None:
            click.echo(f"trusted from now on: {refused['name']}, sha256 {refused['sha256']}; it {refused['danger']}")
            engine, job = run_test(trust(engine, refused["sha256"]), node, steps, jobs)
    except Exception as error:  # whatever stops a job stops the test
        raise click.ClickException(f"{name} does not work: {one_line(error)}") from error
    if not job.is_finished_ok:
        reason = one_line(job.exit_message or job.exception or job.process_status or job.process_state)
        raise click.ClickException(f"{name} does not work (job {job.pk}): {reason}")
    versions = dict(engine.tested["versions"])
    checkpoint = versions.pop("checkpoint", None) or {}
    known = {key: value for key, value in versions.items() if isinstance(value, str) and not key.endswith("sha256")}
    click.echo("  " + ", ".join(f"{package} {version}" for package, version in known.items()))
    if checkpoint.get("name"):
        click.echo(f"  checkpoint {checkpoint['name']}, sha256 {checkpoint.get('sha256') or 'unknown'}")
    click.echo(f"  {engine.tested['steps_per_s']:.3g} steps/s with {engine.tested['n_atoms']} atoms (job {job.pk})")
