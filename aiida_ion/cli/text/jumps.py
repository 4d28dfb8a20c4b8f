"""Jump analyses in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from aiida import orm
from aiida.common.links import LinkType

from aiida_ion.cli.text.tables import entries, number, number_or_interval, percent, sentences, text, with_interval
from aiida_ion.queries.cells import known
from aiida_ion.queries.reading.kinds import read_attributes

#: Number of types of jumps that are shown, the most frequent ones.
MAX_TYPES = 5


def is_jump_analysis(attributes: Mapping[str, Any]) -> bool:
    """Whether attributes are those of an output of ``ion.jumps``."""
    return "jump_network_dimension" in attributes


def jump_lines(node: orm.Node) -> list[str]:
    """Return a jump analysis as lines of text."""
    attributes = read_attributes(node.base.attributes.all)
    what = f"{text(attributes.get('formula'))}, {text(attributes.get('level_of_theory'))}"
    rate = number_or_interval(attributes["jump_rate_1_ps"], attributes["jump_rate_ci95_1_ps"])
    lines = [
        f"{what}, {number(attributes['temperature_K'], 6)} K, {text(attributes['mobile_species'])} mobile",
        f"{text(attributes['n_jumps'])} jumps of {text(attributes['n_mobile_ions'])} ions between "
        f"{text(attributes['n_sites'])} sites ({text(attributes['n_sites_from_density'])} from the density) in "
        f"{number(attributes['analysed_time_ps'])} ps; "
        f"at no site {percent(attributes['fraction_at_no_site'])} of the time",
        f"jumps of an ion, 1/ps: {rate}; residence time, ps: {number(attributes['mean_residence_time_ps'])}",
    ]
    lines += [_type_line(kind) for kind in entries(attributes["jump_types"])[:MAX_TYPES]]
    lines += [
        f"attempt frequency, THz: {number(attributes['attempt_frequency_THz'])} "
        f"({text(attributes['attempt_frequency_source'])}); "
        f"vibration amplitude, angstrom: {number(attributes['vibration_amplitude_A'])}",
        "jump diffusivity, cm2/s: "
        f"{number_or_interval(attributes['jump_diffusivity_cm2_s'], attributes['jump_diffusivity_ci95_cm2_s'])}"
        f"{_correlation(node)}",
        _pathways(attributes),
    ]
    if known(attributes["collective_fraction"]):
        looked = attributes["n_collective_looked_at"]
        lines.append(f"collective jumps: {percent(attributes['collective_fraction'])} of the first {looked}")
    return lines + [f"warning: {warning}" for warning in sentences(attributes["warnings"])]


def short_jump_lines(analyses: Iterable[orm.Node]) -> list[str]:
    """Return two lines for each jump analysis, by rising temperature."""
    lines = []
    for node in sorted(analyses, key=_temperature):
        attributes = read_attributes(node.base.attributes.all)
        rate = number_or_interval(attributes["jump_rate_1_ps"], attributes["jump_rate_ci95_1_ps"])
        lines.append(
            f"{number(attributes['temperature_K'], 6)} K, node {node.pk}: {text(attributes['n_jumps'])} jumps between "
            f"{text(attributes['n_sites'])} sites, of an ion, 1/ps: {rate}; D_J "
            f"{number(attributes['jump_diffusivity_cm2_s'])} cm2/s{_correlation(node)}"
        )
        lines.append(f"  {_pathways(attributes)}")
    return lines


def _temperature(node: orm.Node) -> float:
    return float(read_attributes(node.base.attributes.all)["temperature_K"] or 0.0)


def _type_line(kind: Mapping[str, Any]) -> str:
    energy = with_interval(kind.get("activation_energy_eV"), kind.get("activation_energy_ci95_eV"))
    return (
        f"  {text(kind.get('start'))} -> {text(kind.get('destination'))}, {number(kind.get('distance_A'))} angstrom: "
        f"{text(kind.get('n_jumps'))} jumps, "
        f"free energy, eV: {energy}"
    )


def _pathways(attributes: Mapping[str, Any]) -> str:
    """Return the dimension of the jump network and the percolation barriers."""
    barriers = attributes["percolation_barriers_eV"] or []
    shown = ", ".join(f"{d}D {number(barrier, 2)}" for d, barrier in enumerate(barriers, 1) if barrier is not None)
    dimension = text(attributes["jump_network_dimension"])
    return f"jumps connect sites in {dimension}D; percolation barriers, eV: {shown or 'not connected'}"


def _correlation(node: orm.Node) -> str:
    """Return the correlation factor D* / D_J, if the same trajectories were fitted and both are diffusive."""
    jump = read_attributes(node.base.attributes.all)["jump_diffusivity_cm2_s"]
    tracer = _tracer_diffusivity(node)
    return f"; correlation factor D*/D_J {tracer / jump:.2f}" if tracer and jump else ""


def _tracer_diffusivity(node: orm.Node) -> float | None:
    if node.creator is None:
        return None
    trajectories = _trajectories(node.creator)
    if not trajectories:
        return None
    jobs = trajectories[0].base.links.get_outgoing(link_type=LinkType.INPUT_CALC).all_nodes()
    for job in jobs:
        fitted = isinstance(job, orm.CalcJobNode) and job.process_type == "aiida.calculations:ion.diffusion"
        if fitted and "diffusion" in job.outputs and _pks(_trajectories(job)) == _pks(trajectories):
            diffusivity: float | None = read_attributes(job.outputs.diffusion.base.attributes.all)[
                "tracer_diffusivity_cm2_s"
            ]
            return diffusivity
    return None


def _pks(nodes: Iterable[orm.Node]) -> set[int | None]:
    return {node.pk for node in nodes}


def _trajectories(job: orm.Node) -> list[orm.TrajectoryData]:
    nodes = job.base.links.get_incoming(link_type=LinkType.INPUT_CALC).all_nodes()
    return [node for node in nodes if isinstance(node, orm.TrajectoryData)]
