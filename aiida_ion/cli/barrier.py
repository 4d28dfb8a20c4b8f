"""``aiida-ion barrier``: migration barriers of a crystal, and what they add up to."""

from __future__ import annotations

from typing import Any

import click

from aiida_ion.cli.common import OneLineErrors, load, profile_option, require_daemon
from aiida_ion.cli.options import TEXT, JsonObject, SettingType, setting
from aiida_ion.cli.request_options import of_request
from aiida_ion.engines.requests import JobRequest
from aiida_ion.messages import one_line
from aiida_ion.settings.barrier import BarrierParameters
from aiida_ion.settings.migration import HopSearchSettings, HopSettings, TransportSettings
from aiida_ion.settings.schema import rules_of
from aiida_ion.workchains.md.requests import EngineRequest

SEARCH, HOP, TRANSPORT = map(rules_of, (HopSearchSettings, HopSettings, TransportSettings))
WHOLE = rules_of(BarrierParameters)
#: Option -> where its value goes in the overrides.
PLACES = {
    "mobile_species": ("search", "mobile_species"),
    "supercell": ("search", "supercell"),
    "min_width_a": ("search", "min_width_A"),
    "cutoff_a": ("search", "cutoff_A"),
    "path": ("hop", "path"),
    "temperature": ("transport", "temperature_K"),
    "vacancy_concentration": ("transport", "vacancy_concentration"),
    "attempt_frequency": ("transport", "attempt_frequency_Hz"),
    "seed": ("transport", "seed"),
    "hops_per_job": ("hops_per_job",),
    "max_concurrent": ("max_concurrent",),
    "reference_energy": ("reference_energy_eV_atom",),
}


@click.command("barrier", cls=OneLineErrors)
@click.argument("structure", type=SettingType(TEXT), metavar="FILE|PK")
@setting(TEXT, "--engine", required=True, help="Name of the engine of a potential")
@click.option("--protocol", type=SettingType(TEXT), help="fast, balanced or stringent  [default: balanced]")
@setting(SEARCH["mobile_species"], "--mobile-species")
@setting(SEARCH["supercell"], "--supercell", also=", such as 3,3,3")
@setting(SEARCH["min_width_A"], "--min-width-A", also="  [default: protocol]")
@setting(SEARCH["cutoff_A"], "--cutoff-A")
@setting(TEXT, "--sites-from", help="PK or UUID of a kept map: an extra ion hops among its empty minima")
@setting(HOP["path"], "--path", also="  [default: auto]")
@click.option("--no-relax", is_flag=True, help="Do not relax the ions of the crystal first.")
@setting(TEXT, "--dft", help="Name of a DFT engine for single points at ends and saddles")
@setting(TEXT, "--dft-band-code", help="Code of DFT bands, too, such as neb@cluster")
@of_request("--kpoints", also=", such as 2,2,2, of the DFT engine")
@setting(TRANSPORT["temperature_K"], "--temperature", also="  [default: 300]")
@setting(TRANSPORT["vacancy_concentration"], "--vacancy-concentration", also="  [default: 0.01]")
@setting(TRANSPORT["attempt_frequency_Hz"], "--attempt-frequency", also="  [default: 1e13]")
@setting(TRANSPORT["seed"], "--seed", also="  [default: 1]")
@setting(WHOLE["reference_energy_eV_atom"], "--reference-energy")
@setting(WHOLE["hops_per_job"], "--hops-per-job", also="  [default: 10]")
@setting(WHOLE["max_concurrent"], "--max-concurrent", also="  [default: 4]")
@of_request("--threads")
@of_request("--walltime-s")
@of_request("--job-options")
@click.option("--dft-job-options", type=JsonObject(), help="Further job options of the DFT jobs.")
@click.option("--overrides", type=JsonObject(), help='Other changes, such as {"hop": {"n_images": 7}}.')
@of_request("--force-structure")
@of_request("--fresh")
@setting(TEXT, "--group", help="Put the work chain into this AiiDA group")
@click.option("--dry-run", is_flag=True, help="Check everything, and list the hops.")
@click.option("--wait", is_flag=True, help="Wait until it is done, then print the barriers.")
@profile_option
def command(structure: str, engine: str, profile: str | None, dry_run: bool, wait: bool, **given: Any) -> None:
    """Compute the migration barriers of a crystal, and where their network percolates.

    The ions are relaxed, hops that symmetry does not make equivalent are found, and each gets a barrier: by its
    mid-point where its ends are equivalent, by a climbing-image band otherwise. Their network has barriers in one, two
    and three dimensions and transport at --temperature. Concentrations are an input: energies to make vacancies are
    not in it. The same command again takes jobs that are done from the database.

    \b
    Example:
      aiida-ion barrier Li2O.cif --engine sevenn --wait
      aiida-ion barrier Li3OCl.cif --engine sevenn --dft quantumespresso --vacancy-concentration 0.02
      aiida-ion barrier 1234 --engine sevenn --sites-from 1240
    """
    loaded = load(profile)
    from aiida import orm
    from aiida.engine import submit

    from aiida_ion.campaigns.barriers import BarrierRequest, barrier_builder, with_sites_of
    from aiida_ion.campaigns.structures import reading_lines, structure_node

    request = BarrierRequest(
        engine=engine,
        dft=given["dft"],
        band_code=given["dft_band_code"],
        protocol=given["protocol"],
        overrides=overrides_of(given),
        dft_changes=EngineRequest(kpoints=given["kpoints"]),
        jobs=JobRequest(threads=given["threads"], walltime_s=given["walltime_s"], job_options=given["job_options"]),
        dft_jobs=JobRequest(job_options=given["dft_job_options"]),
    )
    crystal = structure_node(structure, given["force_structure"])
    if given["sites_from"] is not None:
        request = with_sites_of(request, crystal, given["sites_from"])
    for line in reading_lines(crystal):
        click.echo(line)
    builder = barrier_builder(crystal, request)
    builder.fresh = bool(given["fresh"])
    for line in plan_lines(builder):
        click.echo(line)
    if dry_run:
        click.echo("Nothing was submitted (--dry-run).")
        return
    require_daemon(loaded)
    chain = submit(builder)
    if given["group"]:
        orm.Group.collection.get_or_create(given["group"])[0].add_nodes([chain])
    click.echo(f"Submitted the barriers: {chain.pk}")
    suffix = f" -p {profile}" if profile else ""
    if wait:
        _report(chain)
        return
    click.echo(f"Next: aiida-ion status {chain.pk} --watch{suffix}; then aiida-ion show {chain.pk}{suffix}")


def overrides_of(given: dict[str, Any]) -> dict[str, Any]:
    """Return the overrides of the protocol: those given as such, and each option at its place."""
    overrides: dict[str, Any] = dict(given["overrides"] or {})
    for option, place in PLACES.items():
        if given[option] is None:
            continue
        part = overrides
        for name in place[:-1]:
            part[name] = dict(part.get(name) or {})
            part = part[name]
        part[place[-1]] = given[option]
    return overrides | {"relax_ions": False} if given["no_relax"] else overrides


def plan_lines(builder: Any) -> list[str]:
    """Return what will be computed, from the crystal as it is: a relaxation may change it a little."""
    from aiida_ion.calculations.migration.functions import search
    from aiida_ion.settings.migration import HopSearchSettings

    settings = HopSearchSettings.from_dict(builder.parameters.get_dict().get("search") or {})
    hops = search(builder.structure, settings)
    network = hops["network"]
    multiples = " x ".join(map(str, network["multiples"]))
    about = f"{hops['formula']}, {network['space_group']}: {len(network['hops'])} inequivalent hops of "
    about += (
        f"{hops['mobile_species']} up to {network['cutoff_A']:.3f} angstrom, connected in {network['dimension']}D; "
    )
    about += f"cells of {hops['n_atoms']} atoms ({multiples})"
    symmetric = [hop["label"] for hop in network["hops"] if hop["is_symmetric"]]
    return [about, f"  equivalent ends: {', '.join(symmetric) or 'none'}"]


def _report(chain: Any) -> None:
    """Wait for the barriers, and print them."""
    from aiida_ion.cli.text.barriers import barrier_lines
    from aiida_ion.cli.text.live import watch
    from aiida_ion.queries.barriers import barrier_outputs

    watch([chain.pk])
    click.echo("\n".join(barrier_lines(barrier_outputs(chain))))
    if not chain.is_finished_ok:
        raise click.ClickException(one_line(chain.exit_message or str(chain.process_state)))
