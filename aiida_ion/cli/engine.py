"""``aiida-ion engine``: environments of potentials, and the codes that stand for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from aiida_ion.cli.common import OneLineErrors, load, profile_option
from aiida_ion.cli.options import COUNT, NAME, TEXT, JsonObject, SettingType, WordMap, setting
from aiida_ion.engines.environments import RECIPES, engines_folder, install
from aiida_ion.messages import one_line
from aiida_ion.settings.md import DEVICE
from aiida_ion.settings.rules import Lines, Many, Number

MLIP_NAMES = ("sevenn", "mace", "chgnet", "nequip", "mattersim", "orb", "matgl", "lj", "emt", "import")
ECUTWFC = Number(least=5.0, most=1000.0, unit="Ry")
ECUTRHO = Number(least=10.0, most=10_000.0, unit="Ry")
MESH = Many(item=Number(least=1, most=100, whole=True), length=3)
STEPS = Number(least=1, most=100_000, whole=True)
KINDS = ("lammps", "quantumespresso", "vasp")
#: Engines -> the options of `add` that they alone read.
OPTIONS_OF = {
    ("ion.md.mlip",): ("model", "checkpoint", "kwargs", "device", "dtype"),
    ("ion.md.mlip", "ion.md.lammps"): ("potential", "trust_checkpoint"),
    ("ion.md.quantumespresso",): ("pseudos", "ecutwfc_ry", "ecutrho_ry", "pools"),
    ("ion.md.vasp",): ("potcars", "potcar_map"),
    ("ion.md.quantumespresso", "ion.md.vasp"): ("settings", "kpoints"),
}


class OneLineGroup(OneLineErrors, click.Group):
    """A group whose failures are one line."""


@click.group("engine", cls=OneLineGroup)
def command() -> None:
    """Install, add, list and test engines: what computes the forces.

    \b
    Example:
      aiida-ion engine install sevenn lammps
      aiida-ion engine test sevenn
    """


@command.command("install", cls=OneLineErrors)
@click.argument("names", nargs=-1, required=True, type=click.Choice(sorted(RECIPES)), metavar="NAME...")
@click.option("--no-register", is_flag=True, help="Only make the environment; needs no profile.")
@profile_option
def install_command(names: tuple[str, ...], no_register: bool, profile: str | None) -> None:
    """Make the environment of an engine on this machine, and register it.

    NAME is one of chgnet, lammps, mace, sevenn, and surrogate, which learns from the others. Environments go to
    $AIIDA_ION_ENGINES, else to ~/.local/share/aiida-ion/engines. What is there and works is left alone.

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
            from aiida_ion.engines.codes import PYTHON_JOBS, register_installed

            code, new = register_installed(name)
            click.echo(f"{name}: {'registered' if new else 'already registered'} as {code.full_label}")
            click.echo(f"Next: aiida-ion {f'{name} --help' if name in PYTHON_JOBS else f'engine test {name}'}")


@command.command("add", cls=OneLineErrors)
@click.argument("name", type=SettingType(NAME))
@setting(TEXT, "--python", metavar="PATH", help="Python of an environment that has the potential (ASE engines)")
@setting(TEXT, "--executable", metavar="PATH", help="pw.x, VASP or LAMMPS")
@click.option("--kind", type=click.Choice(sorted(KINDS)), help="What the executable is  [default: by its name]")
@setting(TEXT, "--computer", default="localhost", show_default=True, help="AiiDA computer that has it")
@click.option(
    "--potential",
    type=SettingType(TEXT),
    help=f"ASE: {', '.join(MLIP_NAMES)}. LAMMPS: a name, or a YAML file with commands.",
)
@setting(TEXT, "--model", help="ASE: a published model, or package.module:Class for the potential 'import'")
@click.option("--checkpoint", type=click.Path(path_type=Path), help="ASE: file of weights; kept in the database.")
@click.option("--trust-checkpoint", is_flag=True, help="Load its files of weights also where that runs their code.")
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
@setting(ECUTWFC, "--ecutwfc-Ry", help="pw.x: wave function cut-off", also="  [default: the family's]")
@setting(ECUTRHO, "--ecutrho-Ry", help="pw.x: charge density cut-off", also="  [default: the family's]")
@setting(MESH, "--kpoints", help="pw.x, VASP: mesh", also=", such as 2,2,2  [default: Gamma only]")
@setting(COUNT, "--pools", help="pw.x: pools of k-points")
@setting(TEXT, "--potcars", metavar="FAMILY", help="VASP: family of 'aiida-vasp potcar uploadfamily'")
@click.option("--potcar-map", type=WordMap(), help="VASP: such as Li=Li_sv  [default: those of MPRelaxSet]")
@click.option(
    "--settings",
    type=SettingType(TEXT),
    metavar="FILE",
    help="pw.x, VASP: YAML file of namelists or INCAR tags that win over the protocol's.",
)
@setting(COUNT, "--processes", help="MPI processes of each job", also="  [default: 1]")
@setting(COUNT, "--threads", help="Threads of each process", also="  [default: 1]")
@click.option(
    "--prepend-text",
    default="",
    type=SettingType(Lines()),
    help="Shell lines before the program, such as 'module load lammps'.",
)
@click.option("--replace", is_flag=True, help="Replace an engine of this name that runs another program.")
@profile_option
def add_command(name: str, profile: str | None, **given: Any) -> None:
    """Register an engine that exists, here or on another computer.

    \b
    Example:
      aiida-ion engine add mace-cluster --python /opt/mace/bin/python --computer cluster \\
        --potential mace --model medium-mpa-0 --device cuda
      aiida-ion engine add quantumespresso --executable pw.x --pseudos SSSP/1.3/PBEsol/efficiency --processes 2
      aiida-ion engine add vasp --executable /opt/vasp/bin/vasp_gam --computer cluster --potcars PBE.54
      aiida-ion engine add my-lammps --executable /usr/bin/lmp
    """
    if (given["python"] is None) == (given["executable"] is None):
        raise click.UsageError("give either --python (an ASE engine) or --executable (pw.x, VASP, LAMMPS)")
    loaded = load(profile)
    from aiida.orm import load_computer

    from aiida_ion.engines.codes import check_program, register
    from aiida_ion.engines.dft import absolute_program, entry_point_of, mpi_as_root
    from aiida_ion.engines.jobs import check_cores
    from aiida_ion.engines.options import check_device

    program = given["python"] or absolute_program(given["executable"], given["computer"])
    entry_point = "ion.md.mlip" if given["python"] else entry_point_of(program, given["kind"])
    _refuse_foreign(entry_point, given)
    resources = {key: given[key] for key in ("processes", "threads") if given[key] is not None}
    check_cores(resources, given["computer"])
    check_program(name, program, entry_point, given["computer"], given["replace"])
    if given["device"] is not None:
        check_device(given["device"], load_computer(given["computer"]))
    force_field = _force_field(entry_point, given)
    trusted = _trusted(entry_point, force_field, given)
    engine, new = register(
        name,
        program,
        entry_point,
        given["computer"],
        resources=resources,
        prepend=mpi_as_root(given["computer"], resources.get("processes", 1)) + given["prepend_text"],
        replaces=given["replace"],
        trusted=trusted,
        **force_field,
    )
    click.echo(f"{'Registered' if new else 'Brought up to date'}: {engine.code.full_label}")
    click.echo(f"Next: aiida-ion engine test {name}{'' if profile is None else f' -p {loaded.name}'}")


def _refuse_foreign(entry_point: str, given: dict[str, Any]) -> None:
    """Refuse options that the engine would not read."""
    foreign = [option for kind, options in OPTIONS_OF.items() for option in options if entry_point not in kind]
    refused = [option.replace("_", "-") for option in dict.fromkeys(foreign) if given[option] not in (None, (), False)]
    if refused:
        raise click.UsageError(f"{entry_point.rpartition('.')[2]} takes no --{', --'.join(refused)}")


def _force_field(entry_point: str, given: dict[str, Any]) -> dict[str, Any]:
    """Return what the engine computes forces with, as the registry keeps it."""
    from aiida_ion.engines import dft
    from aiida_ion.engines.codes import read_lammps_potential

    if entry_point == "ion.md.quantumespresso":
        return {"choices": dft.quantumespresso_choices(given)}
    if entry_point == "ion.md.vasp":
        return {"choices": dft.vasp_choices(given)}
    if entry_point == "ion.md.lammps":
        potential, files = read_lammps_potential(given["potential"]) if given["potential"] else ({}, {})
        return {"potential": potential, "files": files}
    if given["potential"] not in MLIP_NAMES:
        raise click.UsageError(f"give --potential, one of {', '.join(MLIP_NAMES)}")
    potential = {"name": given["potential"]} | {key: given[key] for key in ("model", "kwargs", "device", "dtype")}
    return {"potential": potential, "checkpoint": given["checkpoint"]}


def _trusted(entry_point: str, force_field: dict[str, Any], given: dict[str, Any]) -> list[str]:
    """Look at the files of weights before they are kept; return the hashes of those that the user has to trust."""
    from aiida_ion.engines.trust import trusted_hashes

    potential, files = force_field.get("potential", {}), force_field.get("files", {})
    trusts, checkpoint = given["trust_checkpoint"], force_field.get("checkpoint")
    hashes = trusted_hashes(entry_point, potential, checkpoint, files, given["computer"], trusts)
    if trusts:
        said = [f"trusted, with all it runs when it is loaded: sha256 {sha256}" for sha256 in hashes]
        click.echo("\n".join(said) or "nothing had to be trusted: the files hold weights only")
    return hashes


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
    help="A small crystal that the potential knows  [default: one of ours]",
)
@setting(STEPS, "--steps", help="Steps of 1 fs", also="  [default: 20; 5 with DFT]")
@click.option("--trust-checkpoint", is_flag=True, help="Load the weights found there also where that runs their code.")
@profile_option
def test_command(
    name: str, structure: str | None, steps: int | None, trust_checkpoint: bool, profile: str | None
) -> None:
    """Run a few real steps with an engine, and note what it is.

    The checkpoint that was loaded is pinned: later runs refuse another one. One that would run code is refused, unless
    you trust that very file.

    \b
    Example:
      aiida-ion engine test sevenn
      aiida-ion engine test mace --trust-checkpoint
    """
    load(profile)
    from aiida_ion.campaigns.structures import structure_node
    from aiida_ion.engines.codes import load_engine
    from aiida_ion.engines.testing import refused_checkpoint, run_test
    from aiida_ion.engines.trust import trust

    engine = load_engine(name)
    node = structure_node(structure) if structure is not None else None
    click.echo(f"{engine.code.full_label}: a few steps ...")
    try:
        engine, job = run_test(engine, node, steps)
        refused = refused_checkpoint(job) if trust_checkpoint else None
        if refused is not None:
            click.echo(f"trusted from now on: {refused['name']}, sha256 {refused['sha256']}; it {refused['danger']}")
            engine, job = run_test(trust(engine, refused["sha256"]), node, steps)
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
