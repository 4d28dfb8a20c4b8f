"""The node of a pooled temperature: the attributes of a diffusion, and how its members differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from aiida import orm

from aiida_ion.analysis.conductivity import ionic_conductivity_mS_cm
from aiida_ion.analysis.disorder.pooling import LARGE_RATIO, MemberPoint, PooledPoint, pool
from aiida_ion.analysis.disorder.spread import Sampling
from aiida_ion.analysis.species.every import MOBILE, OTHER
from aiida_ion.calculations.conductivity.collective import left_out
from aiida_ion.calculations.conductivity.member_arrays import (
    FREEDOM,
    SHARE,
    TRACER,
    WEIGHTS,
    pooled_arrays,
)
from aiida_ion.calculations.conductivity.points import arrhenius_point, has_moved
from aiida_ion.calculations.disorder.pooled_collective import collective, green_kubo, lacking, tensor
from aiida_ion.calculations.functions import conductivity_arrays
from aiida_ion.fingerprints import FINGERPRINT_SHA256
from aiida_ion.verdicts import (
    BOUND,
    MAX_INTERVAL_DECADES,
    MOVED,
    NOT_MEASURABLE,
    POORLY_KNOWN,
    is_poorly_known,
    too_wide,
)

#: What is missing where no member diffuses.
COLLECTIVE_WORDS = "collective diffusivity"
#: Grades from best to worst.
GRADES = ("A", "B", "C", "bound", "D")


@dataclass(frozen=True)
class PooledTemperature:
    """What a temperature is pooled from.

    :param nodes: diffusion nodes of the members.
    :param sampling: how the members stand for the crystal.
    :param labels: of the members, in the order of the nodes; empty where the temperature is not used.
    :param about: of the ensemble: `members`, `kind`, `max_interval_decades`, and the `cells_A` of members by label.
    """

    nodes: Sequence[orm.ArrayData]
    sampling: Sampling
    labels: Sequence[str]
    about: Mapping[str, Any]
    refused_because: str | None = None

    def cell_of(self, label: str) -> Any:
        """Return the vectors of the cell of a member, angstrom; ``None`` where they are not known."""
        return (self.about.get("cells_A") or {}).get(label)

    def mean(self, name: str) -> float | None:
        """Return the weighted mean of an attribute; ``None`` where a member lacks it."""
        values = [node.base.attributes.get(name, None) for node in self.nodes]
        if any(value is None for value in values):
            return None
        weights = self.sampling.weights if self.labels else np.full(len(values), 1.0 / len(values))
        return float(weights @ np.array(values, dtype=float))


def pooled_node(given: PooledTemperature) -> orm.ArrayData:
    """Return the node of a temperature, not stored."""
    attributes = _shared(given)
    if given.refused_because is not None:
        attributes |= {"verdict": NOT_MEASURABLE, "grade": "D", "refused_because": given.refused_because}
        attributes |= {"reason": given.refused_because}
        node = conductivity_arrays({})
        node.base.attributes.set_many(attributes)
        return node
    density = given.mean("number_density_A3")
    point = pool([_member_point(node, density) for node in given.nodes], given.sampling)
    arrays: dict[str, Any] = {WEIGHTS: given.sampling.weights}
    members = (given.nodes, given.labels, given.sampling)
    attributes |= _numbers(point, attributes, arrays)
    if point.value_cm2_s is None:
        attributes["collective_reason"] = lacking(
            given.labels, [left_out(node) for node in given.nodes], COLLECTIVE_WORDS
        )
    else:
        attributes |= collective(*members, attributes, point, arrays) | green_kubo(*members)
        attributes |= tensor(*members, [given.cell_of(label) for label in given.labels])
    node = conductivity_arrays(arrays)
    node.base.attributes.set_many(attributes)
    return node


def _shared(given: PooledTemperature) -> dict[str, Any]:
    """Return what does not depend on the draws."""
    each = [node.base.attributes.all for node in given.nodes]
    largest = each[int(np.argmax(given.sampling.weights))] if given.labels else each[0]
    names = ("mobile_species", "formula", "level_of_theory", "charge_e", "target_temperature_K", "jump_distance_A")
    attributes: dict[str, Any] = {name: largest.get(name) for name in names}
    hashes = {str(one.get(FINGERPRINT_SHA256) or "") for one in each} - {""}
    if hashes:
        attributes[FINGERPRINT_SHA256] = ", ".join(sorted(hashes))
    others = sorted({row["element"] for one in each for row in one.get("species") or [] if row["role"] == OTHER})
    reason = "It diffuses in members, and is not pooled over them."
    species = [{"element": largest.get("mobile_species"), "role": MOBILE}]
    formulas = sorted({str(one.get("formula")) for one in each})
    warnings = [f"The members differ in composition: {', '.join(formulas)}."] if len(formulas) > 1 else []
    return attributes | {
        "temperature_K": given.mean("temperature_K"),
        "temperature_mean_K": given.mean("temperature_K"),
        "number_density_A3": given.mean("number_density_A3"),
        "volume_A3": given.mean("volume_A3"),
        "n_mobile_ions": int(sum(one.get("n_mobile_ions") or 0 for one in each)),
        "n_replicas": int(sum(one.get("n_replicas") or 0 for one in each)),
        "msd_passes_20_A2": all(one.get("msd_passes_20_A2") is True for one in each),
        "n_eff": min((one["n_eff"] for one in each if one.get("n_eff") is not None), default=None),
        "analysed_time_ps": min((one["analysed_time_ps"] for one in each if one.get("analysed_time_ps")), default=None),
        "grade": _worst([str(node.base.attributes.get("grade", None)) for node in given.nodes if has_moved(node)]),
        "fit_consistent": None,
        "refused_because": None,
        "max_interval_decades": given.about.get("max_interval_decades") or MAX_INTERVAL_DECADES,
        "species": species + [{"element": element, "role": OTHER, "reason": reason} for element in others],
        "checks": [],
        "warnings": warnings,
        "members": given.about["members"],
        "ensemble_kind": given.about["kind"],
        "n_inequivalent_arrangements": given.about.get("n_inequivalent_arrangements"),
        "members_pooled": list(given.labels),
        "members_with_bound": _without_diffusion(given),
        "n_members": len(given.labels),
        "k_effective": given.sampling.k_effective if given.labels else None,
        SHARE: given.sampling.share,
        FREEDOM: given.sampling.freedom,
    }


def _without_diffusion(given: PooledTemperature) -> list[str]:
    """Return the members that have only a bound."""
    if not given.labels:
        return []
    return [label for label, node in zip(given.labels, given.nodes, strict=True) if not has_moved(node)]


def _worst(grades: Sequence[str]) -> str:
    """Return the worst grade of the members that diffuse; where none does, that of a bound."""
    return max(grades, key=lambda grade: GRADES.index(grade) if grade in GRADES else len(GRADES)) if grades else "bound"


def _member_point(node: orm.ArrayData, density: float | None) -> MemberPoint:
    """Return what a member has, scaled so that the mean of D belongs to the mean conductivity."""
    own = node.base.attributes.get("number_density_A3", None)
    scale = float(own) / density if own and density else 1.0
    point = arrhenius_point(node)
    if point.samples_cm2_s is not None:
        return MemberPoint(samples_cm2_s=scale * np.asarray(point.samples_cm2_s, dtype=float))
    bounds = (point.upper_bound_cm2_s, point.detection_bound_cm2_s)
    upper, detection = (None if bound is None else scale * bound for bound in bounds)
    return MemberPoint(upper_bound_cm2_s=upper, detection_bound_cm2_s=detection)


def _numbers(point: PooledPoint, shared: Mapping[str, Any], arrays: dict[str, Any]) -> dict[str, Any]:
    """Return the diffusivity of the mobile species, its conductivity, and how its members differ."""
    numbers: dict[str, Any] = {
        "n_members_with_bound": point.n_bounds,
        "max_over_min_of_members": point.max_over_min,
        "dominant_error": point.dominant,
        "tracer_diffusivity_cm2_s": point.value_cm2_s,
        "tracer_diffusivity_ci95_cm2_s": None if point.ci95_cm2_s is None else list(point.ci95_cm2_s),
        "within_members_std_cm2_s": point.within_std_cm2_s,
        "between_members_std_cm2_s": point.between_std_cm2_s,
        "member_std_cm2_s": point.member_std_cm2_s,
        "series_diffusivity_cm2_s": point.series_cm2_s,
        "effective_medium_diffusivity_cm2_s": point.effective_medium_cm2_s,
    }
    ions = (shared["charge_e"], shared["number_density_A3"], shared["temperature_K"])
    warnings = list(shared["warnings"])
    if point.max_over_min > LARGE_RATIO:
        warnings.append(
            f"Members differ by a factor of {point.max_over_min:.3g} at {shared['temperature_K']:.0f} K: a larger cell "
            "averages within itself what is averaged here over cells."
        )
    numbers["warnings"] = warnings
    if point.value_cm2_s is None or point.samples_cm2_s is None or point.ci95_cm2_s is None:
        bound = point.upper_bound_cm2_s
        reason = f"No diffusion detected in any of {shared['n_members']} members."
        numbers |= {"verdict": BOUND, "reason": reason, "grade": "bound"}
        numbers |= {"tracer_diffusivity_upper_bound_cm2_s": bound}
        numbers |= {"detection_bound_cm2_s": point.detection_bound_cm2_s}
        return numbers | {"ionic_conductivity_upper_bound_mS_cm": _conductivity(bound, *ions)}
    low, high = point.ci95_cm2_s
    decades = shared["max_interval_decades"]
    poorly = is_poorly_known(low, high, decades)
    arrays |= pooled_arrays(TRACER, point)
    edges = [_conductivity(edge, *ions) for edge in (low, high)]
    return numbers | {
        "verdict": POORLY_KNOWN if poorly else MOVED,
        "reason": too_wide(float(np.log10(high / low)), decades) if poorly else None,
        "tracer_diffusivity_std_cm2_s": float(np.std(np.clip(point.samples_cm2_s, low, high), ddof=1)),
        "ionic_conductivity_mS_cm": _conductivity(point.value_cm2_s, *ions),
        "ionic_conductivity_ci95_mS_cm": None if None in edges else edges,
    }


def _conductivity(
    diffusivity_cm2_s: float | None, charge_e: float | None, density_A3: float | None, temperature_K: float | None
) -> float | None:
    if diffusivity_cm2_s is None or not charge_e or not density_A3 or not temperature_K:
        return None
    return float(ionic_conductivity_mS_cm(diffusivity_cm2_s, charge_e, density_A3, temperature_K))
