"""The decision on a material at a stage, from what was computed and the cut."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from aiida_ion.screening.plan import Cut

PASS, FAIL, UNSURE, ERROR = "pass", "fail", "unsure", "error"
VERDICTS = (PASS, UNSURE, FAIL, ERROR)


@dataclass(frozen=True)
class Reading:
    """What a result says of a quantity.

    :param value: the number; ``None`` for a bound, or where there is none.
    :param low: lower edge of its interval; minus infinity where there is none.
    :param high: upper edge; infinity where there is none.
    :param reason: why there is no number, or what it means.
    :param refusal: why the material is not one that is looked for.
    :param failed: whether nothing at all follows from the result.
    :param core_s: core seconds that it cost.
    """

    value: float | None = None
    low: float = -math.inf
    high: float = math.inf
    reason: str = ""
    refusal: str = ""
    failed: bool = False
    core_s: float | None = None


@dataclass(frozen=True)
class Decision:
    """A decision on a material.

    :param verdict: ``pass``, ``fail``, ``unsure`` or ``error``.
    :param goes_on: whether it reaches the next stage.
    :param value: that was judged, ``None`` without one.
    :param low: lower edge of its interval, ``None`` without one.
    :param high: upper edge, ``None`` without one.
    :param reason: in a sentence.
    :param core_s: core seconds of the result, ``None`` if unknown.
    """

    verdict: str
    goes_on: bool
    value: float | None
    low: float | None
    high: float | None
    reason: str
    core_s: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-serialisable mapping."""
        return asdict(self)


def decide(reading: Reading, cut: Cut) -> Decision:
    """Judge a reading.

    An interval that lies within the limits passes, one outside fails, one that holds a limit is unsure.

    :param reading: of the cut's quantity; its interval holds its value.
    """
    if reading.refusal:
        return _decision(FAIL, False, reading, reading.refusal)
    if reading.failed:
        return _decision(ERROR, cut.errors_pass, reading, reading.reason or "there is no result")
    if cut.maximum is None and cut.minimum is None:
        return _decision(PASS, True, reading, reading.reason)
    low, high = reading.low, reading.high
    above = cut.maximum is not None and low > cut.maximum
    below = cut.minimum is not None and high < cut.minimum
    if above or below:
        return _decision(FAIL, False, reading, _sentence(reading, cut, "above" if above else "below"))
    inside = (cut.maximum is None or high <= cut.maximum) and (cut.minimum is None or low >= cut.minimum)
    if inside:
        return _decision(PASS, True, reading, _sentence(reading, cut, "within"))
    return _decision(UNSURE, cut.unsure_passes, reading, _sentence(reading, cut, "not clearly within"))


def _decision(verdict: str, goes_on: bool, reading: Reading, reason: str) -> Decision:
    low, high = (edge if math.isfinite(edge) else None for edge in (reading.low, reading.high))
    return Decision(verdict, goes_on, reading.value, low, high, reason, reading.core_s)


def _sentence(reading: Reading, cut: Cut, where: str) -> str:
    limits = [] if cut.minimum is None else [f"at least {cut.minimum:g}"]
    limits += [] if cut.maximum is None else [f"at most {cut.maximum:g}"]
    low, high = f"{reading.low:.3g}", f"{reading.high:.3g}"
    number = low if low == high else f"{low} to {high}"
    relation = {"above": "is above", "below": "is below", "within": "is within", "not clearly within": "may be within"}
    text = f"{cut.quantity} {number} {relation[where]} the cut, {' and '.join(limits)}"
    return f"{text}: {reading.reason}" if reading.reason else text
