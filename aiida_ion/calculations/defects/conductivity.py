"""``ion.defect_conductivity``: runs at several concentrations of carriers -> the conductivity against concentration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida import orm
from aiida.engine import calcfunction

from aiida_ion.analysis.defects.carrier_settings import CarrierSettings
from aiida_ion.analysis.defects.concentration import Line, fit_line
from aiida_ion.analysis.defects.extrapolation import Stated, extrapolate, fit_law, stated_attributes, summary
from aiida_ion.analysis.defects.measured import Measured
from aiida_ion.analysis.defects.points import conductivity_points
from aiida_ion.analysis.defects.power_law import fit_power_law
from aiida_ion.calculations.conductivity.points import refusal

#: What all runs have in common.
SHARED = ("mobile_species", "charge_e", "level_of_theory")
#: Runs within this of each other are of one temperature, K.
SAME_K = 1.0

#: What is said where no temperature has a slope, and the energies that are then unknown.
NO_SLOPE = (
    "no temperature has a diffusivity that grows with the concentration of carriers: nothing is extrapolated; run "
    "longer, or at higher temperatures"
)
NO_LAW: dict[str, Any] = {
    "migration_energy_eV": None,
    "migration_energy_error_eV": None,
    "migration_energy_from": None,
    "ln_s0_cm2_s": None,
    "law_temperatures_K": [],
    "intrinsic_activation_energy_eV": None,
    "intrinsic_activation_energy_error_eV": None,
}


@calcfunction
def defect_conductivity(parameters: orm.Dict, **nodes: Any) -> orm.Dict:
    """Return diffusivity against concentration at each temperature, mobilities, and extrapolated conductivities.

    At each temperature a line goes through the perfect crystal's value; its slope is what one carrier does. Slopes of
    several temperatures give the migration energy. Conductivities at the target temperature are stated for given
    concentrations of carriers, for those that heat makes, and for both.

    :param parameters: settings of :class:`~aiida_ion.analysis.defects.carrier_settings.CarrierSettings`; in addition
        `runs`, a mapping of each diffusion node to `ensemble`, the name of its ensemble, null for the perfect crystal,
        and `member`, its number among the members of that.
    :param nodes: the diffusion nodes of the runs (`ion.diffusion`; cm^2/s), their ensembles (`ion.make_defects` or
        `ion.defects`), `perfect`, the perfect cell (angstrom), and if there is one `formation`, an ensemble with
        `formation_energy_eV` of a Frenkel pair.
    :raises ValueError: for runs that cannot be compared. Without a slope there are lines with their points and bounds,
        and no extrapolation.
    """
    content = parameters.get_dict()
    runs: Mapping[str, Mapping[str, Any]] = content.pop("runs")
    if "formation" in nodes and "formation_energy_eV" not in content:
        content["formation_energy_eV"] = nodes["formation"].get_dict()["formation_energy_eV"]
    settings = CarrierSettings.from_dict(content)
    shared = _shared([nodes[name].base.attributes.all for name in runs])
    density = _site_density(nodes["perfect"], shared["mobile_species"])
    by_temperature, left_out = _cells(runs, nodes, density)
    if not by_temperature:
        raise ValueError(f"no run can be used: {'; '.join(left_out.values())}")
    lines, more = _lines(by_temperature, float(shared["charge_e"]))
    energies, remarks = NO_LAW, [NO_SLOPE]
    stated: list[Stated] = []
    if any(line.slope_cm2_s is not None and line.slope_cm2_s > 0 for line in lines):
        law = fit_law(lines, settings)
        energies = summary(law, settings)
        stated, remarks = extrapolate(law, settings, float(shared["charge_e"]), density)
    result: dict[str, Any] = {
        **shared,
        **energies,
        "kind": "defect_conductivity",
        "target_temperature_K": settings.target_temperature_K,
        "formation_energy_eV": settings.formation_energy_eV,
        "sites_A3": density,
        "lines": [_with_points(line, by_temperature, float(shared["charge_e"])) for line in lines],
        "conductivities": stated_attributes(stated),
        "left_out": left_out,
        "remarks": [*more, *remarks],
        "settings": settings.to_dict(),
    }
    return orm.Dict(result)


def _shared(runs: list[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what all runs have in common.

    :raises ValueError: for what differs.
    """
    shared = {}
    for name in SHARED:
        values = sorted({str(run.get(name)) for run in runs})
        if len(values) > 1:
            raise ValueError(f"the runs differ in {name}: {', '.join(values)}; compare runs of one level of theory")
        shared[name] = runs[0].get(name)
    return shared


def _site_density(perfect: orm.StructureData, mobile: str) -> float:
    """Return sites of the mobile ion for each cubic angstrom."""
    symbols = [perfect.get_kind(site.kind_name).symbol for site in perfect.sites]
    return symbols.count(mobile) / float(perfect.get_cell_volume())


def _cells(
    runs: Mapping[str, Mapping[str, Any]], nodes: Mapping[str, Any], density_A3: float
) -> tuple[dict[float, list[Measured]], dict[str, str]]:
    """Return the cells of each temperature, and the runs that cannot be used, with the reason.

    Runs belong together by the temperature that was asked for; the mean of the one that they had counts, K.

    :param density_A3: sites of the mobile ion in a cubic angstrom, for runs that do not say how many ions they have.
    """
    cells: dict[float, list[Measured]] = {}
    temperatures: dict[float, list[float]] = {}
    left_out: dict[str, str] = {}
    for name, where in sorted(runs.items()):
        attributes = nodes[name].base.attributes.all
        concentration, weight = 0.0, 1.0
        if where.get("ensemble") is not None:
            ensemble = nodes[where["ensemble"]].get_dict()
            concentration = float(ensemble["concentration"])
            weight = float(ensemble["members"][int(where.get("member") or 0)]["weight"])
        value, bound = (attributes.get(f"tracer_diffusivity{end}_cm2_s") for end in ("", "_upper_bound"))
        reason = refusal(attributes)
        if reason is None and value is None and bound is None:
            reason = str(attributes.get("reason") or "neither a value nor a bound")
        if reason is not None:
            left_out[name] = reason
            continue
        target_K = float(attributes["target_temperature_K"])
        key = next((known for known in cells if abs(known - target_K) < SAME_K), target_K)
        error = attributes.get("tracer_diffusivity_std_cm2_s")
        ions_A3 = float(attributes.get("number_density_A3") or density_A3)
        cells.setdefault(key, []).append(Measured(concentration, value, error, bound, weight, ions_A3))
        temperatures.setdefault(key, []).append(float(attributes.get("temperature_K") or target_K))
    means = {key: sum(values) / len(values) for key, values in temperatures.items()}
    return {means[key]: own for key, own in cells.items()}, left_out


def _lines(by_temperature: Mapping[float, list[Measured]], charge_e: float) -> tuple[list[Line], list[str]]:
    """Return the line of each temperature that has cells with carriers, and which have none."""
    lines, remarks = [], []
    for temperature_K, cells in sorted(by_temperature.items()):
        if any(cell.concentration > 0 for cell in cells):
            lines.append(fit_line(cells, temperature_K, charge_e))
        else:
            remarks.append(f"at {temperature_K:g} K only the perfect crystal was computed")
    if not lines:
        raise ValueError("no run is of a cell with carriers: give runs of at least one concentration above zero")
    return lines, remarks


def _with_points(line: Line, by_temperature: Mapping[float, list[Measured]], charge_e: float) -> dict[str, Any]:
    """Return a line with the conductivities at its temperature, and the power of the concentration they grow with."""
    points = conductivity_points(by_temperature[line.temperature_K], line.temperature_K, charge_e)
    law = fit_power_law(points)
    return line.attributes() | {"points": [point.attributes() for point in points], "power_law": law.attributes()}
