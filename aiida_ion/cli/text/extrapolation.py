"""The basis of an extrapolated conductivity, as text."""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Real
from typing import Any

from aiida_ion.cli.text.tables import number, text, value_or_bound, with_interval
from aiida_ion.queries.cells import known

#: Parameters of curved laws, and their names.
CURVED = (
    ("vogel_temperature", "K", "T_0 of the Vogel-Fulcher-Tammann law, K"),
    ("vogel_energy", "eV", "energy of the Vogel-Fulcher-Tammann law, eV"),
    ("branch_temperature", "K", "the branches meet at, K"),
    ("low_temperature_activation_energy", "eV", "activation energy below it, eV"),
    ("high_temperature_activation_energy", "eV", "above it, eV"),
)


def extrapolation_lines(attributes: Mapping[str, Any]) -> list[str]:
    """Return the collective conductivity, the law, the effect of each temperature, and the distance of the target.

    :param attributes: attributes of a conductivity node; those of an older version lack most.
    """
    lines = _collective(attributes)
    if known(attributes.get("preferred_law")):
        lines.append(f"law: {text(attributes['preferred_law']).replace('_', ' ')}{_odds(attributes)}")
    for name, unit, words in CURVED:
        if known(attributes.get(f"{name}_{unit}")):
            lines.append(
                f"{words}: {with_interval(attributes[f'{name}_{unit}'], attributes.get(f'{name}_ci95_{unit}'))}"
            )
    span = attributes.get("leave_one_out_activation_energy_range_eV")
    names = ("most_influential_temperature_K", "largest_shift_decades", "largest_shift_std")
    if isinstance(span, list) and len(span) == 2 and all(map(_is_number, [*span, *map(attributes.get, names)])):
        most, shift, deviations = (attributes[name] for name in names)
        lines.append(
            f"without one temperature: activation energy {span[0]:.3f} to {span[1]:.3f} eV; most is moved by "
            f"{most:.0f} K, {shift:+.2f} decades ({abs(deviations):.1f} standard deviations)"
        )
    if known(attributes.get("extrapolation_factor")):
        factor, leverage = number(attributes["extrapolation_factor"]), number(attributes.get("extrapolation_leverage"))
        lines.append(
            f"extrapolation: lowest temperature {factor} times the target, relative errors times {leverage} decades"
        )
    return lines


def _collective(attributes: Mapping[str, Any]) -> list[str]:
    if "collective_reason" not in attributes:
        return []
    value = value_or_bound({**attributes, "verdict": None}, "collective_ionic_conductivity", "mS_cm")
    target = number(attributes.get("target_temperature_K"), 6)
    why = f" ({text(attributes['collective_reason'])})" if known(attributes["collective_reason"]) else ""
    lines = [f"ionic conductivity (collective) at {target} K, mS/cm: {value}{why}"]
    return lines + [f"collective fit: {warning}" for warning in attributes.get("collective_warnings") or []]


def _odds(attributes: Mapping[str, Any]) -> str:
    if _is_number(attributes.get("log_odds_of_curvature")):
        odds = math.exp(min(attributes["log_odds_of_curvature"], math.log(1e6)))
        return f"; odds of a curved law against a straight line {number(odds)}"
    return f" ({text(attributes['curvature_reason'])})" if known(attributes.get("curvature_reason")) else ""


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)
