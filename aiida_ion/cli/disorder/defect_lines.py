"""Cells with defects in words."""

from __future__ import annotations

from typing import Any

from aiida_ion.messages import one_line


def stored_defect_lines(node: Any) -> list[str]:
    """Return the cells of a process that made cells with defects, in words; nothing of any other."""
    made = str(node.process_type).endswith((":ion.make_defects", ":ion.defects"))
    if not made or "ensemble" not in node.outputs or "members" not in node.outputs:
        return []
    try:
        return defect_lines(node)
    except (KeyError, TypeError, ValueError, AttributeError):  # of an archive that somebody else wrote
        return [f"their description, node {node.outputs.ensemble.pk}, cannot be read"]


def defect_lines(process: Any) -> list[str]:
    """Return the cells of a job or work chain, a line each, with formation energy and remarks."""
    ensemble = process.outputs.ensemble.get_dict()
    members = process.outputs.members
    perfect = process.outputs.perfect.pk if "perfect" in process.outputs else "not relaxed"
    cells = f"{ensemble['n_orderings']} cells of {ensemble['n_atoms']} atoms"
    lines = [f"{ensemble['n_draws']} draws gave {cells}; perfect cell: {perfect}"]
    for number, member in enumerate(ensemble["members"]):
        lines.append(f"  {members[f'o{number:03d}'].pk}: {_member_words(member)}")
    if "formation_energy_eV" in ensemble:
        lines.append(f"  {_formation_words(ensemble)}")
    remarks = [*ensemble["draw_remarks"], *ensemble.get("energy_remarks", [])]
    return lines + [f"  {one_line(remark)}" for remark in remarks]


def _member_words(member: dict[str, Any]) -> str:
    sites: dict[str, int] = {}
    for defect in member["defects"]:
        name = f"{defect['kind']} {defect['site']}"
        sites[name] = sites.get(name, 0) + 1
    parts = [
        f"weight {member['weight']:.3f}",
        ", ".join(f"{number} x {name}" if number > 1 else name for name, number in sites.items()),
    ]
    closest = member["closest_defects_A"]
    parts += [] if closest is None else [f"closest defects {closest:.2f} angstrom"]
    above = member.get("energy_above_lowest_eV")
    parts += [] if above is None else [f"{above:.3f} eV above the lowest"]
    formation = member.get("formation_energy_eV")
    parts += [] if formation is None else [f"formation energy {formation:.3f} eV"]
    if member.get("is_recombined"):
        parts.append("recombined")
    return "; ".join(parts)


def _formation_words(ensemble: dict[str, Any]) -> str:
    value = ensemble["formation_energy_eV"]
    if value is None:
        return f"no formation energy: {ensemble['formation_energy_missing']}"
    sites = ", ".join(ensemble["formation_energy_sites"])
    what = f"formation energy of {ensemble['formation_energy_of']}"
    return f"{what}: {value:.3f} eV ({sites}), {ensemble['level_of_theory']}"
