"""Whether members are added to an ensemble: only where their spread decides the error, and there are more."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiida_ion.analysis.disorder.pooling import BETWEEN
from aiida_ion.workchains.ensemble.parameters import EnsembleParameters


@dataclass(frozen=True)
class Decision:
    """How many members are added, and why."""

    n_more: int
    reason: str


def decide(attributes: Mapping[str, Any], parameters: EnsembleParameters, n_done: int, n_left: int) -> Decision:
    """Return how many members are added.

    The error falls with the square root of their number; no more than as many as there are are added at once.

    :param attributes: of the pooled conductivity.
    :param n_done: members computed so far, those that failed included.
    :param n_left: members that were drawn and not computed.
    """
    target, error = parameters.target_relative_error, relative_error(attributes)
    if target is None:
        return Decision(0, "All members that were asked for are computed.")
    if attributes.get("n_members", 0) < 2:
        return _limited(1, parameters, n_done, n_left, "the spread between members is not measured yet")
    if error is None:
        return Decision(0, "There is no value at the target temperature that more members would improve.")
    state = f"the relative error is {error:.2g}, the target {target:.2g}"
    if error <= target:
        return Decision(0, f"The target is met: {state}.")
    if attributes.get("dominant_error") not in (BETWEEN, None):
        return Decision(0, f"Longer molecular dynamics is needed, more members are not: {state}.")
    wanted = math.ceil(n_done * min((error / target) ** 2, 2.0)) - n_done
    return _limited(max(wanted, 1), parameters, n_done, n_left, state)


def relative_error(attributes: Mapping[str, Any]) -> float | None:
    """Return half the 95 % interval of the conductivity over its value, by its logarithm; ``None`` without a value."""
    value, interval = attributes.get("ionic_conductivity_mS_cm"), attributes.get("ionic_conductivity_ci95_mS_cm")
    if not value or not interval or not interval[0] > 0:
        return None
    return 0.5 * math.log(interval[1] / interval[0])


def _limited(n_more: int, parameters: EnsembleParameters, n_done: int, n_left: int, state: str) -> Decision:
    budget = n_left if parameters.max_members is None else min(n_left, parameters.max_members - n_done)
    if budget < 1:
        why = "max_members is reached" if n_left else "no more distinct cells were drawn: raise n_orderings"
        return Decision(0, f"No members are added, although {state}: {why}.")
    number = min(n_more, budget)
    return Decision(number, f"{number} members are added: {state}.")
