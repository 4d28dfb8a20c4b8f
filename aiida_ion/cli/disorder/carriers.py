"""``aiida-ion carriers``: the conductivity against the concentration of carriers, from runs of cells with defects."""

from __future__ import annotations

from typing import Any

import click

from aiida_ion.analysis.defects.carrier_settings import CarrierSettings
from aiida_ion.cli.common import OneLineErrors, load, profile_option
from aiida_ion.cli.options import TEXT, JsonObject, SettingType, setting
from aiida_ion.settings.schema import rules_of

RULES = rules_of(CarrierSettings)
DEFAULTS = CarrierSettings()
#: Option -> setting.
SETTINGS = {
    "temperature": "target_temperature_K",
    "formation_energy": "formation_energy_eV",
    "formation_energy_error": "formation_energy_error_eV",
    "concentrations": "concentrations",
}


@click.command("carriers", cls=OneLineErrors)
@click.argument("cells", nargs=-1, required=True, metavar="CELLS:RUN[,RUN...]...")
@click.option("--perfect", type=SettingType(TEXT), metavar="RUN", help="Run of the perfect crystal.")
@click.option(
    "--formation", type=SettingType(TEXT), metavar="PK", help="Work chain of `aiida-ion defects --frenkel --engine`."
)
@setting(RULES["formation_energy_eV"], "--formation-energy")
@setting(RULES["formation_energy_error_eV"], "--formation-energy-error")
@setting(RULES["target_temperature_K"], "--temperature", also=f"  [default: {DEFAULTS.target_temperature_K:g}]")
@setting(RULES["concentrations"], "--concentrations", also=", such as 1e-4,1e-3  [default: 1e-4]")
@click.option("--settings", type=JsonObject(), help='Other settings, such as {"migration_energy_eV": 0.3}.')
@profile_option
def command(cells: tuple[str, ...], profile: str | None, perfect: str | None, **given: Any) -> None:
    """Fit the diffusivity against the concentration of carriers, and state conductivities.

    Each argument names the job or work chain that made cells at one concentration, and the runs of these cells in their
    order, or the one run of all of them. The line through the perfect crystal's value gives the mobility of a carrier;
    conductivities are stated for given concentrations, for carriers that heat makes, and for both.

    \b
    Example:
      aiida-ion carriers 1201:1310,1311 1202:1320 --perfect 1300 --temperature 300
      aiida-ion carriers 1201:1310,1311 --perfect 1300 --formation 1250 --concentrations 1e-4,1e-3
    """
    load(profile)
    from aiida_ion.calculations.defects.conductivity import defect_conductivity
    from aiida_ion.campaigns.carriers import carrier_inputs, process_of

    chosen = {name: given[option] for option, name in SETTINGS.items() if given[option] is not None}
    if given["formation"] is not None and given["formation_energy"] is not None:
        raise click.UsageError("--formation and --formation-energy both say the formation energy: give one")
    ensembles = {}
    for text in cells:
        made, colon, runs = text.partition(":")
        if not (made and colon and runs):
            raise ValueError(f"{text!r} is not of the form CELLS:RUN,RUN, such as 1201:1310,1311")
        ensembles[process_of(made)] = [process_of(run) for run in runs.split(",")]
    inputs = carrier_inputs(
        perfect=process_of(perfect) if perfect is not None else None,
        ensembles=ensembles,
        settings={**(given["settings"] or {}), **chosen},
        formation=process_of(given["formation"]).outputs.ensemble if given["formation"] is not None else None,
    )
    result = defect_conductivity(**inputs)
    click.echo("\n".join(carrier_lines(result.get_dict())))
    click.echo(f"Stored as {result.pk}; its origin: aiida-ion show {result.pk}{f' -p {profile}' if profile else ''}")


def carrier_lines(content: dict[str, Any]) -> list[str]:
    """Return the conductivity against concentration in words."""
    mobile = content["mobile_species"]
    lines = []
    for line in content["lines"]:
        lines.append(f"{line['temperature_K']:.0f} K: {_line_words(line, mobile)}")
        lines += [f"  {remark}" for remark in line["remarks"]]
    if content["migration_energy_eV"] is not None:
        error = content["migration_energy_error_eV"]
        lines.append(f"migration energy {content['migration_energy_eV']:.3f} +- {error:.3f} eV")
    if content["intrinsic_activation_energy_eV"] is not None:
        error = content["intrinsic_activation_energy_error_eV"]
        value = content["intrinsic_activation_energy_eV"]
        lines.append(f"without dopants E_m + E_F / 2 is {value:.3f} +- {error:.3f} eV")
    lines.append(f"ionic conductivity at {content['target_temperature_K']:g} K:")
    for entry in content["conductivities"]:
        low, high = entry["ionic_conductivity_ci95_mS_cm"]
        lines.append(f"  {_carriers(entry)}: {entry['ionic_conductivity_mS_cm']:.3g} mS/cm [{low:.3g}, {high:.3g}]")
    left_out = [f"left out: {name}, {reason}" for name, reason in content["left_out"].items()]
    return lines + left_out + list(content["remarks"])


def _line_words(line: dict[str, Any], mobile: str) -> str:
    if line["slope_cm2_s"] is None:
        bound = line["slope_upper_bound_cm2_s"]
        return "no diffusion detected" + ("" if bound is None else f": dD*/dx below {bound:.3g} cm2/s")
    low, high = line["mobility_ci95_cm2_V_s"]
    return (
        f"dD*/dx {line['slope_cm2_s']:.3g} cm2/s, mobility of a carrier of {mobile} "
        f"{line['mobility_cm2_V_s']:.3g} cm2/(V s) [{low:.3g}, {high:.3g}]"
    )


def _carriers(entry: dict[str, Any]) -> str:
    if entry["what"] == "thermal":
        return f"made by heat, {entry['concentration']:.3g} for each site"
    if entry["what"] == "extrinsic":
        return (
            f"{entry['dopant_concentration']:.3g} by dopants and those by heat, {entry['concentration']:.3g} for each "
            f"site (knee at {entry['knee_temperature_K']:.0f} K)"
        )
    return f"a concentration of {entry['concentration']:.3g}"
