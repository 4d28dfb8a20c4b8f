"""What an extrapolated conductivity rests on, in lines."""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Real
from typing import Any

from aiida_ion.cli.text.tables import number, text, value_or_bound, with_interval
from aiida_ion.queries.cells import known

#: Parameters of curved laws, and their words.
CURVED = (
    ("vogel_temperature", "K", "T_0 of the Vogel-Fulcher-Tammann law, K"),
    ("vogel_energy", "eV", "energy of the Vogel-Fulcher-Tammann law, eV"),
    ("branch_temperature", "K", "the branches meet at, K"),
    ("low_temperature_activation_energy", "eV", "activation energy below it, eV"),
    ("high_temperature_activation_energy", "eV", "above it, eV"),
)


def extrapolation_lines(said: Mapping[str, Any]) -> list[str]:
    """Return the collective conductivity, the law, what each temperature does, and how far it is to the target.

    :param said: attributes of a conductivity node; those of an older version lack most.
    """
    lines = _collective(said)
    if known(said.get("preferred_law")):
        lines.append(f"law: {text(said['preferred_law']).replace('_', ' ')}{_odds(said)}")
    for name, unit, words in CURVED:
        if known(said.get(f"{name}_{unit}")):
            lines.append(f"{words}: {with_interval(said[f'{name}_{unit}'], said.get(f'{name}_ci95_{unit}'))}")
    span = said.get("leave_one_out_activation_energy_range_eV")
    names = ("most_influential_temperature_K", "largest_shift_decades", "largest_shift_std")
    if isinstance(span, list) and len(span) == 2 and all(map(_is_number, [*span, *map(said.get, names)])):
        most, shift, deviations = (said[name] for name in names)
        lines.append(
            f"without one temperature: activation energy {span[0]:.3f} to {span[1]:.3f} eV; most is moved by "
            f"{most:.0f} K, {shift:+.2f} decades ({abs(deviations):.1f} standard deviations)"
        )
    if known(said.get("extrapolation_factor")):
        factor, leverage = number(said["extrapolation_factor"]), number(said.get("extrapolation_leverage"))
        lines.append(
            f"extrapolation: lowest temperature {factor} times the target, relative errors times {leverage} decades"
        )
    return lines


def _collective(said: Mapping[str, Any]) -> list[str]:
    if "collective_reason" not in said:
        return []
    value = value_or_bound({**said, "verdict": None}, "collective_ionic_conductivity", "mS_cm")
    target = number(said.get("target_temperature_K"), 6)
    why = f" ({text(said['collective_reason'])})" if known(said["collective_reason"]) else ""
    lines = [f"ionic conductivity (collective) at {target} K, mS/cm: {value}{why}"]
    return lines + [f"collective fit: {warning}" for warning in said.get("collective_warnings") or []]


def _odds(said: Mapping[str, Any]) -> str:
    if _is_number(said.get("log_odds_of_curvature")):
        odds = math.exp(min(said["log_odds_of_curvature"], math.log(1e6)))
        return f"; odds of a curved law against a straight line {number(odds)}"
    return f" ({text(said['curvature_reason'])})" if known(said.get("curvature_reason")) else ""


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)
