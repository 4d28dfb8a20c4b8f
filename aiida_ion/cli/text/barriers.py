"""Migration barriers as text: a row for each hop, the network, transport."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aiida_ion.cli.text.tables import number, sentences, text, text_table

DIMENSIONS = ("1D", "2D", "3D")


def barrier_lines(outputs: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the results of ``ion.barrier`` as lines of text.

    :param outputs: attributes of its outputs ``hops``, ``barriers``, ``network``, ``dft_barriers``, ``dft_network``,
        ``kinetics`` and ``formation``, as far as it has them.
    """
    barriers = outputs.get("barriers", {})
    network = outputs.get("network", {})
    lines = [f"{text(network.get('formula'))}, {text(barriers.get('level_of_theory'))}"] if network else []
    lines += text_table(_rows(outputs)).splitlines()
    for name in ("network", "dft_network"):
        lines += _network(outputs.get(name, {}))
    for label, entry in sorted(outputs.items()):
        if label.startswith("dft_bands__"):
            barrier = f"{number(entry.get('forward_eV'))} / {number(entry.get('reverse_eV'))} eV"
            lines.append(f"{text(entry.get('label'))}, band by {text(entry.get('level_of_theory'))}: {barrier}")
    if outputs.get("formation"):
        formation = outputs["formation"]
        words = f"formation energy of a neutral {text(formation.get('defect'))}"
        lines.append(f"{words}: {number(formation.get('formation_energy_eV'))} eV, which is in no barrier")
    return [*lines, *_kinetics(outputs.get("kinetics", {}))]


def _rows(outputs: Mapping[str, Mapping[str, Any]]) -> list[dict[str, str]]:
    table, dft = (outputs.get(name, {}).get("hops", {}) for name in ("barriers", "dft_barriers"))
    hops = outputs.get("hops", {}).get("network", {}).get("hops", [])
    return [_row(hop, table.get(hop["label"], {}), dft.get(hop["label"])) for hop in hops]


def _row(hop: Mapping[str, Any], entry: Mapping[str, Any], dft: Mapping[str, Any] | None) -> dict[str, str]:
    row = {
        "hop": text(hop.get("label")),
        "sites": f"{text(hop.get('first'))} - {text(hop.get('second'))}",
        "length A": number(hop.get("length_A"), 4),
        "in cell": text(hop.get("multiplicity")),
        "path": text(entry.get("path") or "-"),
        "verdict": text(entry.get("verdict", "not computed")).replace("_", " "),
        "forward eV": number(entry.get("forward_eV")),
        "reverse eV": number(entry.get("reverse_eV")),
    }
    if dft is not None:
        row |= {"DFT forward eV": number(dft.get("forward_eV")), "DFT reverse eV": number(dft.get("reverse_eV"))}
    return row | {"calls": text(entry.get("calls"))}


def _network(network: Mapping[str, Any]) -> list[str]:
    if not network:
        return []
    sign = "<= " if network.get("is_bound") else ""
    parts = [
        f"{dimension} {'not connected' if value is None else f'{sign}{number(value)} eV'}"
        for dimension, value in zip(DIMENSIONS, network.get("barriers_eV", ()), strict=False)
    ]
    lines = [f"migration barrier by {text(network.get('level_of_theory'))}: {', '.join(parts)}"]
    return lines + [f"caveat: {caveat}" for caveat in sentences(network.get("caveats"))]


def _kinetics(kinetics: Mapping[str, Any]) -> list[str]:
    if not kinetics:
        return []
    carriers = f"{number(100 * float(kinetics['vacancy_concentration']))} % of sites"
    kind = "vacancies" if kinetics.get("mechanism") == "vacancy" else "interstitial ions"
    lines = [
        f"{number(kinetics.get('temperature_K'), 5)} K, attempt frequency "
        f"{number(kinetics.get('attempt_frequency_Hz'))} Hz, {kind} on {carriers} (an input):",
        f"diffusivity of one carrier, cm2/s: {number(kinetics.get('carrier_diffusivity_cm2_s'))}, principal values "
        + _list(kinetics.get("carrier_principal_cm2_s") or ()),
        f"conductivity of independent carriers, S/m: {number(kinetics.get('conductivity_S_m'))}",
    ]
    if kinetics.get("is_bound"):
        lines.append("hops without a barrier carry nothing here: these are lower bounds")
    if kinetics.get("kmc_conductivity_S_m") is not None:
        lines += [
            f"with exclusion (kinetic Monte Carlo), S/m: {number(kinetics['kmc_conductivity_S_m'])} +- "
            f"{number(kinetics.get('kmc_conductivity_error_S_m'), 2)}",
            f"tracer diffusivity, cm2/s: {number(kinetics.get('kmc_tracer_diffusivity_cm2_s'))} +- "
            f"{number(kinetics.get('kmc_tracer_error_cm2_s'), 2)}",
        ]
    return lines


def _list(values: Sequence[Any]) -> str:
    return ", ".join(number(value) for value in values)
