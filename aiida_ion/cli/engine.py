"""``aiida-ion engine``: environments of potentials, and the AiiDA codes that run them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from aiida_ion.cli.common import OneLineErrors, load, profile_option
from aiida_ion.cli.engine_converge import converge_command
from aiida_ion.cli.options import NAME, TEXT, JsonObject, SettingType, WordMap, setting
from aiida_ion.cli.places.engine_codes import KIND_OF_FITS, add_fit_code, limit_command
from aiida_ion.engines.environments import RECIPES, engines_folder, install
from aiida_ion.engines.requests import COUNT, JobRequest
from aiida_ion.messages import one_line
from aiida_ion.settings.md import DEVICE
from aiida_ion.settings.rules import Lines, Number
from aiida_ion.workchains.md.requests import MESH, EngineSetup, changed_fields

KIND_HELP = "lammps, quantumespresso, vasp, mlip, that of another package; fits for a Python with kinisi"
KIND_DEFAULT = "  [default: by the name of the executable; mlip with --python]"
MLIP_NAMES = ("sevenn", "mace", "chgnet", "nequip", "mattersim", "orb", "matgl", "lj", "emt", "import")
ECUTWFC = Number(least=5.0, most=1000.0, unit="Ry")
ECUTRHO = Number(least=10.0, most=10_000.0, unit="Ry")
SUCH_AS = 'such as {"queue_name": "gpu", "account": "my-project"}'
STEPS = Number(least=1, most=100_000, whole=True)


class OneLineGroup(OneLineErrors, click.Group):
    """A group whose failures are one line."""


@click.group("engine", cls=OneLineGroup)
def command() -> None:
    """Install, add, list and test engines, the programs that compute forces.

    \b
    Example:
      aiida-ion engine install sevenn lammps
      aiida-ion engine test sevenn
    """


command.add_command(converge_command)


@command.command("install", cls=OneLineErrors)
@click.argument("names", nargs=-1, required=True, type=click.Choice(sorted(RECIPES)), metavar="NAME...")
@click.option("--no-register", is_flag=True, help="Only create the environment; needs no profile.")
@profile_option
def install_command(names: tuple[str, ...], no_register: bool, profile: str | None) -> None:
    """Create the environment of an engine on this machine, and register it.

    NAME is one of chgnet, lammps, mace, sevenn, nequip, which trains potentials of its own, and surrogate, which learns
    from the others. Environments go to $AIIDA_ION_ENGINES, else to ~/.local/share/aiida-ion/engines. Environments that
    exist and work are left alone.

    \b
    Example:
      aiida-ion engine install sevenn
    """
    if not no_register:
        load(profile)
    for name in names:
        done = install(name, click.echo)
        click.echo(f"{name}: {'installed' if done else 'already installed'} in {engines_folder() / name}")
        if not no_register:
            from aiida_ion.engines.registration import NEXT_COMMANDS, register_installed

            code, new = register_installed(name)
            click.echo(f"{name}: {'registered' if new else 'already registered'} as {code.full_label}")
            click.echo(f"Next: {NEXT_COMMANDS.get(name, f'aiida-ion engine test {name}')}")


@command.command("add", cls=OneLineErrors)
@click.argument("name", type=SettingType(NAME))
@setting(TEXT, "--python", metavar="PATH", help="Python of an environment that has the potential (ASE engines)")
@setting(TEXT, "--executable", metavar="PATH", help="pw.x, VASP or LAMMPS")
@setting(NAME, "--kind", help=KIND_HELP, also=KIND_DEFAULT)
@setting(TEXT, "--computer", default="localhost", show_default=True, help="AiiDA computer that has it")
@click.option(
    "--potential",
    type=SettingType(TEXT),
    help=f"ASE: {', '.join(MLIP_NAMES)}. LAMMPS: a name, or a YAML file with commands.",
)
@setting(TEXT, "--model", help="ASE: a published model, or package.module:Class for the potential 'import'")
@click.option("--checkpoint", type=click.Path(path_type=Path), help="ASE: file of weights; kept in the database.")
@click.option(
    "--trust-checkpoint", is_flag=True, help="Trust its files of weights, even if loading them runs their code."
)
@click.option("--kwargs", type=JsonObject(), help="ASE: further arguments of the calculator.")
@setting(DEVICE, "--device")
@click.option("--dtype", type=click.Choice(["float32", "float64"]), help="ASE: precision.")
@click.option(
    "--pseudos",
    multiple=True,
    type=SettingType(TEXT),
    metavar="FAMILY|PATH",
    help="pw.x: family, folder of UPF files, or files.",
)
@setting(
    ECUTWFC,
    "--ecutwfc-Ry",
    "ecutwfc_Ry",
    help="pw.x: wave function cut-off",
    also="  [default: the family's, else the files']",
)
@setting(
    ECUTRHO,
    "--ecutrho-Ry",
    "ecutrho_Ry",
    help="pw.x: charge density cut-off",
    also="  [default: the family's, else the files']",
)
@setting(MESH, "--kpoints", help="pw.x, VASP: mesh", also=", such as 2,2,2  [default: Gamma only]")
@click.option("--shift-kpoints", is_flag=True, help="pw.x: shift meshes by half a step off the Gamma point.")
@setting(COUNT, "--pools", help="pw.x: pools of k-points")
@setting(TEXT, "--potcars", metavar="FAMILY", help="VASP: family of 'aiida-vasp potcar uploadfamily'")
@click.option("--potcar-map", type=WordMap(), help="VASP: such as Li=Li_sv  [default: those of MPRelaxSet]")
@click.option(
    "--settings",
    type=SettingType(TEXT),
    metavar="FILE",
    help="pw.x, VASP: YAML file of namelists or INCAR tags that override the protocol's.",
)
@click.option("--inputs", type=JsonObject(), help="Inputs of an engine of another package.")
@setting(COUNT, "--processes", help="MPI processes of each job", also="  [default: 1]")
@setting(COUNT, "--threads", help="Threads of each process", also="  [default: 1]")
@click.option("--job-options", type=JsonObject(), help=f"Further options of every job, {SUCH_AS}.")
@setting(COUNT, "--max-jobs", help="Jobs of this engine at a time", also="  [default: what the computer has room for]")
@click.option(
    "--prepend-text",
    default="",
    type=SettingType(Lines()),
    help="Shell lines before the program, such as 'module load lammps'.",
)
@click.option("--replace", is_flag=True, help="Replace an engine of this name that runs another program.")
@profile_option
def add_command(
    name: str,
    python: str | None,
    executable: str | None,
    kind: str | None,
    computer: str,
    prepend_text: str,
    replace: bool,
    processes: int | None,
    threads: int | None,
    job_options: dict[str, Any] | None,
    max_jobs: int | None,
    profile: str | None,
    **options: Any,
) -> None:
    """Register an existing engine, on this or another computer.

    \b
    Example:
      aiida-ion engine add mace-cluster --python /opt/mace/bin/python --computer cluster \\
        --potential mace --model medium-mpa-0 --device cuda
      aiida-ion engine add quantumespresso --executable pw.x --pseudos SSSP/1.3/PBEsol/efficiency --processes 2
      aiida-ion engine add vasp --executable /opt/vasp/bin/vasp_gam --computer cluster --potcars PBE.54
      aiida-ion engine add my-lammps --executable /usr/bin/lmp
      aiida-ion engine add kinisi --kind fits --python /opt/kinisi/bin/python --computer cluster
    """
    if (python is None) == (executable is None):
        raise click.UsageError("give either --python (an ASE engine) or --executable (pw.x, VASP, LAMMPS)")
    loaded = load(profile)
    setup, jobs = EngineSetup(**options), JobRequest(processes=processes, threads=threads, job_options=job_options)
    if kind == KIND_OF_FITS:
        add_fit_code(name, python, computer, jobs, prepend_text, replace, max_jobs, setup)
        return
    from aiida_ion.engine_kinds import engine_class
    from aiida_ion.engines.jobs import job_options as options_of_jobs
    from aiida_ion.engines.programs import absolute_program, mpi_as_root
    from aiida_ion.engines.registration import check_program, register
    from aiida_ion.places.demand import n_processes

    program = python or absolute_program(str(executable), computer)
    entry_point = _entry_point(program, kind, is_python=python is not None)
    md = engine_class(entry_point)
    _refuse_foreign(entry_point, md, setup)
    check_program(name, program, entry_point, computer, replace)
    _check_machine(md, computer, jobs, setup.device)
    kept = md.read_options(setup)
    for sentence in md.cutoff_warnings(kept.get("choices") or {}):
        click.echo(f"WARNING: {sentence}", err=True)
    engine, new = register(
        name,
        program,
        entry_point,
        computer,
        jobs=jobs,
        max_jobs=max_jobs,
        prepend=mpi_as_root(computer, n_processes(options_of_jobs(jobs)["resources"])) + prepend_text,
        replaces=replace,
        trusted=_trusted(md, kept, computer, setup.trust_checkpoint),
        **kept,
    )
    click.echo(f"{'Registered' if new else 'Brought up to date'}: {engine.code.full_label}")
    click.echo(f"Next: aiida-ion engine test {name}{'' if profile is None else f' -p {loaded.name}'}")


def _entry_point(program: str, kind: str | None, is_python: bool) -> str:
    """Return the MD work chain of a program: that of its kind, which is guessed if it is not given."""
    from aiida_ion.engine_kinds import engine_class, engine_kinds, entry_point_of, kind_of_executable
    from aiida_ion.engines.environments import PYTHON_KIND

    kinds = engine_kinds()
    if kind is not None and kind not in kinds:
        raise click.UsageError(f"there is no kind {kind!r} of engines: choose from {', '.join(kinds)}")
    kind = kind or (PYTHON_KIND if is_python else kind_of_executable(program))
    needs_python = engine_class(entry_point_of(kind)).needs_python
    if needs_python != is_python:
        raise click.UsageError(f"{kind} runs by its --{'python' if needs_python else 'executable'}")
    return entry_point_of(kind)


def _refuse_foreign(entry_point: str, md: Any, setup: EngineSetup) -> None:
    """Refuse options that the engine does not read."""
    from aiida_ion.engine_kinds import kind_of

    foreign = [name for name in changed_fields(setup) if name not in md.add_options]
    if foreign:
        raise click.UsageError(f"{kind_of(entry_point)} takes no --{', --'.join(foreign).replace('_', '-')}")


def _check_machine(md: Any, computer: str, jobs: JobRequest, device: str | None) -> None:
    """Refuse jobs and a device that the computer does not have."""
    from aiida.orm import load_computer

    from aiida_ion.engines.jobs import check_jobs
    from aiida_ion.engines.options import check_device

    machine = load_computer(computer)
    check_device(device, machine)
    check_jobs(md.md_job(), machine, jobs)


def _trusted(md: Any, kept: dict[str, Any], computer: str, trusts: bool) -> list[str]:
    """Check the files of weights before they are stored; return the hashes of those that the user has to trust."""
    hashes: list[str] = md.trusted_hashes(kept, computer, trusts)
    if trusts:
        lines = [f"trusted, with all code it runs when loaded: sha256 {sha256}" for sha256 in hashes]
        click.echo("\n".join(lines) or "nothing had to be trusted: the files hold weights only")
    return hashes


command.add_command(limit_command)


@command.command("list", cls=OneLineErrors)
@profile_option
def list_command(profile: str | None) -> None:
    """List the registered engines.

    \b
    Example:
      aiida-ion engine list
    """
    load(profile)
    from aiida_ion.cli.text.tables import engine_rows, text_table
    from aiida_ion.queries import engine_table

    table = engine_table()
    if table.empty:
        click.echo("No engine is registered. Make one with 'aiida-ion engine install sevenn'.")
        return
    click.echo(text_table(engine_rows(table)))


@command.command("test", cls=OneLineErrors)
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
        reason = one_line(job.exit_message or job.exception or job.process_state)
        raise click.ClickException(f"{name} does not work (job {job.pk}): {reason}")
    versions = dict(engine.tested["versions"])
    checkpoint = versions.pop("checkpoint", None) or {}
    known = {key: value for key, value in versions.items() if isinstance(value, str) and not key.endswith("sha256")}
    click.echo("  " + ", ".join(f"{package} {version}" for package, version in known.items()))
    if checkpoint.get("name"):
        click.echo(f"  checkpoint {checkpoint['name']}, sha256 {checkpoint.get('sha256') or 'unknown'}")
    click.echo(f"  {engine.tested['steps_per_s']:.3g} steps/s with {engine.tested['n_atoms']} atoms (job {job.pk})")
