"""One check: a number, its limit, a verdict and a sentence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

Verdict = Literal["pass", "warn", "fail", "not_applicable"]
SEVERITY: dict[Verdict, int] = {"not_applicable": 0, "pass": 1, "warn": 2, "fail": 3}


@dataclass(frozen=True)
class Check:
    """Result of one check.

    :param name: in lower case, the same in all results.
    :param value: the number judged; ``None`` if there is none.
    :param unit: of value and limit; empty for a ratio.
    :param limit: the limit that was crossed, else the first that would be; ``None`` without a limit.
    :param verdict: ``pass``, ``warn``, ``fail`` or ``not_applicable``.
    :param message: one sentence with the number and, if known, the time of onset.
    """

    name: str
    value: float | None
    unit: str
    limit: float | None
    verdict: Verdict
    message: str

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-serialisable mapping; a number that is not finite becomes ``None``."""
        finite = self.value if self.value is None or math.isfinite(self.value) else None
        return asdict(self) | {"value": finite}


def graded(
    name: str,
    value: float,
    unit: str,
    *,
    warn: float | None = None,
    fail: float | None = None,
    below: bool = False,
    message: str,
) -> Check:
    """Judge a number against its limits.

    :param warn: limit of a warning; ``None`` for none.
    :param fail: limit of a failure; a number that is not finite is beyond every limit.
    :param below: whether values below the limits, instead of above them, cross them.
    :param message: the sentence, without its full stop; a verdict other than ``pass`` adds the limit.
    """
    verdict: Verdict = "pass"
    limit = warn if warn is not None else fail
    for grade, bound in (("warn", warn), ("fail", fail)):
        if bound is not None and _beyond(value, bound, below):
            verdict, limit = ("warn" if grade == "warn" else "fail"), bound
    if verdict != "pass":
        message += f"; the limit is {limit:.3g}{f' {unit}' if unit else ''}"
    return Check(name, float(value), unit, limit, verdict, f"{message}.")


def not_applicable(name: str, unit: str, why: str) -> Check:
    """Return a check that could not be done; ``why`` is a sentence."""
    return Check(name, None, unit, None, "not_applicable", why)


def worst(checks: Sequence[Check], names: Sequence[str] = ()) -> Check:
    """Return the worst of several checks of the same kind, the first of equals.

    :param checks: of the replicas of a run, or of the elements of a framework; at least one.
    :param names: what each check applies to, put before the message if there are several.
    """
    chosen = max(range(len(checks)), key=lambda k: SEVERITY[checks[k].verdict])
    check = checks[chosen]
    if len(checks) == 1 or not names or check.verdict == "not_applicable":
        return check
    return replace(check, message=f"{names[chosen]}: {check.message}")


def _beyond(value: float, bound: float, below: bool) -> bool:
    return not math.isfinite(value) or (value < bound if below else value > bound)
