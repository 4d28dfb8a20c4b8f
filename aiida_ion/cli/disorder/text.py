"""Ensembles of ordered cells as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aiida_ion.units import MEV_PER_EV


def ensemble_lines(ensemble: Mapping[str, Any], pks: Sequence[int]) -> list[str]:
    """Return an ensemble in words: a line for each member, then its remarks.

    :param ensemble: of ``ion.order_structure`` or ``ion.rank_orderings``.
    :param pks: of the cells, in the order of the members.
    """
    lines = [
        f"{ensemble['n_draws']} draws gave {ensemble['n_orderings']} cells ({ensemble['n_frameworks']} frameworks):"
    ]
    for pk, member in zip(pks, ensemble["members"], strict=True):
        about = _relaxed(member, ensemble["n_atoms"]) if "energy_eV" in member else _drawn(member)
        closest = member["closest_mobile_A"]
        distance = "" if closest is None else f", closest {ensemble['mobile_species']} {closest:.2f} angstrom"
        lines.append(f"  {pk}: weight {member['weight']:.3f}, {about}{distance}")
    return [*lines, *_summary(ensemble), *(f"  {remark}" for remark in _remarks(ensemble))]


def stored_ensemble_lines(outputs: Mapping[str, Any]) -> list[str]:
    """Return the ordered cells among the outputs of a process in words; nothing where it made none.

    :param outputs: nodes by link label.
    """
    cells = [node.pk for label, node in sorted(outputs.items()) if label.startswith("orderings__")]
    if "ensemble" not in outputs or not cells:
        return []
    try:
        return ensemble_lines(dict(outputs["ensemble"].base.attributes.all), cells)
    except (KeyError, TypeError, ValueError, AttributeError):  # of an archive that somebody else wrote
        return [f"their description, node {outputs['ensemble'].pk}, cannot be read"]


def _drawn(member: Mapping[str, Any]) -> str:
    return f"{member['ewald_energy_eV']:.2f} eV of point charges"


def _relaxed(member: Mapping[str, Any], n_atoms: int) -> str:
    moved = f"moved by up to {member['max_displacement_A']:.2f} angstrom"
    if member["rank"] is None:
        return f"not relaxed (forces up to {member['max_force_eV_A']:.2g} eV/angstrom), not ranked, {moved}"
    above = member["energy_above_lowest_eV"]
    energy = "lowest" if member["rank"] == 1 else f"{above:.3f} eV above ({above / n_atoms * MEV_PER_EV:.1f} meV/atom)"
    pressure = member["pressure_GPa"]
    stress = "" if pressure is None else f", {pressure:+.2f} GPa"
    return f"{energy}, {moved}{stress}"


def _summary(ensemble: Mapping[str, Any]) -> list[str]:
    """Return what the ranking of all members says; nothing for cells that were not relaxed."""
    k_boltzmann = ensemble.get("k_effective_boltzmann")
    if k_boltzmann is None:
        return []
    line = (
        f"  effective number of cells {ensemble['k_effective']:.1f}; {k_boltzmann:.1f} with Boltzmann weights at "
        f"{ensemble['boltzmann_temperature_K']:g} K"
    )
    correlation = ensemble["ewald_rank_correlation"]
    return [line if correlation is None else f"{line}; rank correlation with point charges {correlation:.2f}"]


def _remarks(ensemble: Mapping[str, Any]) -> list[str]:
    return [*ensemble["draw_remarks"], *ensemble.get("rank_remarks", ())]
