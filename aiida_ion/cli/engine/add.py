"""``aiida-ion engine add``: a program that is there becomes an engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from aiida_ion.cli.common import OneLineErrors, load, profile_option
from aiida_ion.cli.options import NAME, SUCH_AS, TEXT, JsonObject, SettingType, WordMap, setting
from aiida_ion.cli.places.engine_codes import KIND_OF_FITS, add_fit_code, warn_of_queue
from aiida_ion.engines.requests import COUNT, JobRequest
from aiida_ion.settings.md import DEVICE
from aiida_ion.settings.rules import Lines, Number
from aiida_ion.workchains.md.requests import MESH, EngineSetup, changed_fields

KIND_HELP = "lammps, quantumespresso, vasp, mlip, that of another package; fits for a Python with kinisi"
KIND_DEFAULT = "  [default: by the name of the executable; mlip with --python]"
MLIP_NAMES = ("sevenn", "mace", "chgnet", "nequip", "mattersim", "orb", "matgl", "lj", "emt", "import")
ECUTWFC = Number(least=5.0, most=1000.0, unit="Ry")
ECUTRHO = Number(least=10.0, most=10_000.0, unit="Ry")


@click.command("add", cls=OneLineErrors)
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
    warn_of_queue(options_of_jobs(jobs), engine.code.computer)
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
