"""What the conductivity of an ensemble says of its members, beside what every conductivity says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from aiida import orm

from aiida_ion.analysis.arrhenius.fit import ArrheniusResult
from aiida_ion.analysis.disorder.pooling import BETWEEN, WITHIN
from aiida_ion.calculations.conductivity.member_arrays import FREEDOM, SHARE
from aiida_ion.calculations.conductivity.points import refusal
from aiida_ion.units import BOLTZMANN_EV_K

NOT_MEASURED = "not measured"
#: Diffusivities of a pooled temperature -> what their lines give at the target.
OTHER_MEANS = {
    "series_diffusivity_cm2_s": "series_ionic_conductivity_mS_cm",
    "effective_medium_diffusivity_cm2_s": "effective_medium_ionic_conductivity_mS_cm",
}


def is_pooled(nodes: Sequence[orm.ArrayData]) -> bool:
    """Whether diffusion nodes are those of an ensemble."""
    return nodes[0].base.attributes.get("members", None) is not None


def member_attributes(nodes: Sequence[orm.ArrayData], result: ArrheniusResult) -> dict[str, Any]:
    """Return the attributes of an ensemble, ready for JSON, and add its warnings to the result.

    :param nodes: pooled diffusion nodes.
    :param result: the fit over their temperatures.
    """
    used = [node.base.attributes.all for node in nodes if refusal(node.base.attributes.all) is None]
    first = used[0] if used else nodes[0].base.attributes.all
    spread: Mapping[str, Any] = result.members or {}
    members = first["members"]
    reason = _between_reason(first, members)
    attributes = {
        "members": members,
        "ensemble_kind": first["ensemble_kind"],
        "n_members": first["n_members"],
        "n_members_given": len(members),
        "members_pooled": first["members_pooled"],
        "members_with_bound": sorted({label for one in used for label in one.get("members_with_bound") or []}),
        "k_effective": first["k_effective"],
        SHARE: first.get(SHARE),
        FREEDOM: first.get(FREEDOM),
        "pooled_weight": sum(one["weight"] for one in members if one["label"] in first["members_pooled"]),
        "max_over_min_of_members": max((one["max_over_min_of_members"] for one in used), default=None),
        "between_members": NOT_MEASURED if first["n_members"] < 2 else "measured",
        "between_members_reason": reason,
        "within_members_std_decades": spread.get("within_members_std_decades"),
        "between_members_std_decades": spread.get("between_members_std_decades"),
        "member_std_decades": spread.get("member_std_decades"),
    }
    attributes["dominant_error"] = _dominant(attributes, used)
    attributes |= _other_means(used, result)
    result.warnings += _warnings(attributes, members, used)
    return attributes


def _between_reason(first: Mapping[str, Any], members: Sequence[Mapping[str, Any]]) -> str | None:
    """Return why the spread between members is not known; ``None`` if it is."""
    if first["n_members"] > 1:
        return None
    if len(members) == 1 and first.get("n_inequivalent_arrangements") == 1:
        return "This cell has only one arrangement, so that nothing can differ between members."
    what = "ordering" if first["ensemble_kind"] == "ordering" else "member"
    return f"Between-{what} spread: not measured, because {first['n_members']} of {len(members)} members is pooled."


def _dominant(attributes: Mapping[str, Any], used: Sequence[Mapping[str, Any]]) -> str | None:
    """Return which error decides that of the result: at the target, or without a line at most temperatures."""
    between, within = attributes["between_members_std_decades"], attributes["within_members_std_decades"]
    if between is not None and within is not None and np.isfinite(within):
        return BETWEEN if between > within else WITHIN
    known = [one["dominant_error"] for one in used if one.get("dominant_error")]
    return max(sorted(set(known)), key=known.count) if known else None


def _other_means(used: Sequence[Mapping[str, Any]], result: ArrheniusResult) -> dict[str, Any]:
    """Return the conductivities at the target, mS/cm, of lines through the series and effective-medium values.

    Each is the estimate times what the straight line through the ratios to the arithmetic means gives at the target;
    an upper bound of it where a member has only a bound at some temperature.
    """
    values: dict[str, Any] = dict.fromkeys(OTHER_MEANS.values())
    rows = [one for one in used if one.get("tracer_diffusivity_cm2_s")]
    values["other_means_are_upper_bounds"] = any(one["n_members_with_bound"] for one in rows)
    if result.log10_ionic_conductivity_mS_cm is None or len(rows) < 2:
        return values
    x = np.array([1.0 / (BOLTZMANN_EV_K * one["temperature_K"]) for one in rows])
    target = 1.0 / (BOLTZMANN_EV_K * result.target_temperature_K)
    for theirs, ours in OTHER_MEANS.items():
        ratios = np.log([one[theirs] / one["tracer_diffusivity_cm2_s"] for one in rows])
        slope, middle = np.polyfit(x - target, ratios, 1)
        del slope
        # A mean that is never above the arithmetic one is not extrapolated above it.
        values[ours] = float(10.0**result.log10_ionic_conductivity_mS_cm * np.exp(min(float(middle), 0.0)))
    return values


def _warnings(
    attributes: Mapping[str, Any], members: Sequence[Mapping[str, Any]], used: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Return what a reader of the number must know, one sentence each."""
    sentences = []
    if attributes["between_members_reason"]:
        sentences.append(str(attributes["between_members_reason"]))
    left = [one for one in members if not one["pooled"]]
    if left:
        each = "; ".join(f"{one['label']}: {str(one['not_pooled_because']).rstrip('.')}" for one in left)
        sentences.append(f"{len(left)} of {len(members)} members are not pooled: {each}.")
    if attributes["members_with_bound"]:
        names = ", ".join(attributes["members_with_bound"])
        sentences.append(f"No diffusion was detected at some temperature in {names}: zero to the bound is pooled.")
    sentences += list(dict.fromkeys(sentence for one in used for sentence in one["warnings"]))
    return sentences
