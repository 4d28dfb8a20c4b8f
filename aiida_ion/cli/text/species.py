"""Mobile species as text: the diffusivity or bound of each, and the conductivity of all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida_ion.cli.text.tables import entries, sentences, text, value_or_bound
from aiida_ion.queries.cells import known


def species_lines(attributes: Mapping[str, Any]) -> list[str]:
    """Return a line for each species if there are more than the mobile one.

    :param attributes: attributes of a diffusion or conductivity node; those of an older version have none.
    """
    rows = entries(attributes.get("species"))
    lines = []
    if known(attributes.get("framework_species")):
        why = f" ({text(attributes['framework_reason'])})" if known(attributes.get("framework_reason")) else ""
        lines.append(f"framework: {', '.join(sentences(attributes['framework_species']))}{why}")
    limit = {"max_interval_decades": attributes.get("max_interval_decades")}
    others = [row for row in rows if row.get("role") != "mobile"] if "n_eff" in attributes else rows[1:]
    lines += [_line({**row, **limit}) for row in others]
    counted = sentences(attributes.get("all_species_ionic_conductivity_species"))
    total = value_or_bound({**attributes, "verdict": None}, "all_species_ionic_conductivity", "mS_cm")
    if len(counted) > 1 or (counted and counted != [attributes.get("mobile_species")]):
        lines.append(f"ionic conductivity of {' and '.join(counted)} (Nernst-Einstein), mS/cm: {total}")
    elif known(attributes.get("all_species_ionic_conductivity_reason")):
        lines.append(
            f"ionic conductivity of all species: none. {text(attributes['all_species_ionic_conductivity_reason'])}"
        )
    return lines


def _line(row: Mapping[str, Any]) -> str:
    """Return one species: role, hops, diffusivity; of a conductivity node, its conductivity at the target."""
    if "role" not in row:
        sigma = value_or_bound(row, "ionic_conductivity", "mS_cm")
        why = f" ({text(row['reason'])})" if known(row.get("reason")) else ""
        return f"ionic conductivity of {text(row.get('element'))}, mS/cm: {sigma}{why}"
    if row.get("verdict") == "unknown":
        return f"{text(row.get('element'))}, {text(row['role'])}: not analysed. {text(row.get('reason'))}"
    diffusivity = value_or_bound(row, "tracer_diffusivity", "cm2_s")
    return (
        f"{text(row.get('element'))}, {text(row['role'])}: tracer diffusivity, cm2/s: {diffusivity}; "
        f"{text(row.get('n_hops'))} hops of {text(row.get('n_ions_hopped'))} ions"
    )
