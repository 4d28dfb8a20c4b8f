"""What a stored result says of the quantity that a stage judges."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from aiida import orm

from aiida_ion.screening.decisions import Reading
from aiida_ion.screening.quantities import BARRIERS
from aiida_ion.verdicts import BOUND, NOT_MEASURABLE, verdict_of

FINISHED = "finished"
#: Quantity of a conductivity or a prediction -> its 95 % interval.
INTERVALS = {
    "ionic_conductivity_mS_cm": "ionic_conductivity_ci95_mS_cm",
    "activation_energy_eV": "activation_energy_ci95_eV",
    "tracer_diffusivity_cm2_s": "tracer_diffusivity_ci95_cm2_s",
}


def reading_of(node: orm.Node, quantity: str | None) -> Reading:
    """Return what a result says of a quantity.

    :param node: of a job of many materials, an `ion.barrier`, an `ion.conductivity`, or a prediction.
    :param quantity: with its unit; ``None`` where only a result is asked for.
    """
    attributes = node.base.attributes.all
    if "ionic_conductivity_mS_cm" in attributes:
        return _of_conductivity(attributes, quantity)
    if "model_sha256" in attributes:
        return _of_prediction(attributes, quantity)
    core_s = _core_seconds(attributes.get("cost"))
    if attributes.get("status", FINISHED) != FINISHED:
        return Reading(reason=str(attributes.get("message") or attributes["status"]), failed=True, core_s=core_s)
    if quantity is None:
        return Reading(core_s=core_s)
    if quantity in BARRIERS:
        return _of_barrier(attributes, BARRIERS.index(quantity), core_s)
    return _of_number(attributes, quantity, core_s)


def _of_barrier(attributes: Mapping[str, Any], index: int, core_s: float | None) -> Reading:
    """Return a percolation barrier with its interval, an end of which may be open.

    The barrier of a network in which some hops have none is an upper bound; `least_barriers_eV` is the lower one.
    """
    value, edges, least = (
        (attributes.get(name) or [None] * 3)[index]
        for name in ("barriers_eV", "barriers_interval_eV", "least_barriers_eV")
    )
    if value is None and least is None and edges is None:
        reason = f"pathways reach through the crystal in fewer than {index + 1} dimensions"
        return Reading(None, math.inf, math.inf, reason, core_s=core_s)
    known = [number for number in (value, least, *(edges or ())) if number is not None]
    is_open = value is None or (edges is not None and edges[1] is None)
    high = math.inf if is_open else max(known)
    return Reading(value, min(known), high, str(attributes.get("message") or ""), core_s=core_s)


def _of_number(attributes: Mapping[str, Any], quantity: str, core_s: float | None) -> Reading:
    value = attributes.get(quantity, (attributes.get("descriptors") or {}).get(quantity))
    if not isinstance(value, int | float) or not math.isfinite(value):
        return Reading(reason=f"the result has no {quantity}", failed=True, core_s=core_s)
    edges = attributes.get(f"{quantity}_interval") or (value, value)
    return Reading(float(value), min(edges[0], value), max(edges[1], value), core_s=core_s)


def _of_conductivity(attributes: Mapping[str, Any], quantity: str | None) -> Reading:
    verdict, reason = verdict_of(attributes), str(attributes.get("reason") or "")
    if quantity is None or verdict == NOT_MEASURABLE or verdict is None:
        return Reading(reason=reason)
    if verdict == BOUND:
        bound = attributes.get("ionic_conductivity_upper_bound_mS_cm")
        if quantity != "ionic_conductivity_mS_cm" or bound is None:
            return Reading(reason=reason)
        return Reading(None, 0.0, float(bound), reason)
    value, edges = attributes.get(quantity), attributes.get(INTERVALS[quantity])
    if value is None or edges is None:
        return Reading(reason=reason or f"the result has no {quantity}")
    return Reading(float(value), float(edges[0]), float(edges[1]), reason)


def _of_prediction(attributes: Mapping[str, Any], quantity: str | None) -> Reading:
    """Return what a surrogate says of its only material; nothing of one unlike those it learnt from."""
    entry = attributes["materials"][0]
    if quantity is None or not entry["in_domain"]:
        return Reading(reason=str(entry.get("reason") or ""))
    value, edges = entry.get(quantity), entry.get(INTERVALS[quantity])
    if value is None or edges is None:
        return Reading(reason=f"the prediction has no {quantity}")
    return Reading(float(value), float(edges[0]), float(edges[1]))


def _core_seconds(cost: Any) -> float | None:
    """Return the core seconds of a result, where its cost is known."""
    seconds = cost.get("cpu_s") if isinstance(cost, Mapping) else None
    return float(seconds) if isinstance(seconds, int | float) else None
