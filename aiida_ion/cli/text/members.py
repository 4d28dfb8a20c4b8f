"""The members of an ensemble as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida_ion.cli.text.tables import entries, number, text, value_or_bound
from aiida_ion.queries.cells import known

WORDS = {"between_members": "the choice of members: add members", "within_members": "within members: run longer"}


def member_lines(attributes: Mapping[str, Any]) -> list[str]:
    """Return what is known of the members of a pooled conductivity; nothing for that of an ordered crystal."""
    members = entries(attributes.get("members"))
    if not members:
        return []
    lines = [f"members: {number(attributes.get('n_members'), 4)} of {len(members)} pooled"]
    if known(attributes.get("member_std_decades")):
        lines.append(
            f"spread between members: {number(attributes['member_std_decades'], 2)} decades (standard deviation); in "
            f"the mean {number(attributes.get('between_members_std_decades'), 2)} from their choice, "
            f"{number(attributes.get('within_members_std_decades'), 2)} from their own errors"
        )
    if known(attributes.get("between_members_reason")):
        lines.append(text(attributes["between_members_reason"]))
    if attributes.get("dominant_error") in WORDS:
        lines.append(f"the larger error is {WORDS[attributes['dominant_error']]}")
    bound = "at most " if attributes.get("other_means_are_upper_bounds") else ""
    series, medium = (attributes.get(f"{name}_ionic_conductivity_mS_cm") for name in ("series", "effective_medium"))
    if known(series) and known(medium):
        lines.append(f"members in series {bound}{number(series)}, mixed {bound}{number(medium)} mS/cm")
    for member in members:
        value = value_or_bound(member, "ionic_conductivity", "mS_cm")
        why = "" if member.get("pooled") else f"; NOT pooled: {text(member.get('not_pooled_because'))}"
        lines.append(f"  {text(member.get('label'))}: weight {number(member.get('weight'), 3)}, {value} mS/cm{why}")
    return lines
