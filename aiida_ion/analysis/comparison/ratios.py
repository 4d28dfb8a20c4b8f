"""Ratios and differences of quantities with uncertainties between two levels of theory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from aiida_ion.analysis.diffusion.result import Interval, interval95

FloatArray = npt.NDArray[np.float64]

#: Draws of each side, all pairs of which are combined; more are thinned to this number.
MAX_DRAWS = 1000

ONE_SIDED = "there is only an upper bound of {}, so the ratio has a bound but no value"
BOTH_BOUNDS = "both levels have only an upper bound, so nothing follows for the ratio"
NOTHING = "there is neither a value nor a bound of {}"


@dataclass(frozen=True)
class Quantity:
    """A quantity at one level of theory; any part may be missing.

    :param value: the number.
    :param ci95: its 95 % interval.
    :param samples: posterior draws, shape (n,); where given they are used instead of value and interval.
    :param upper_bound: 95 % upper bound, where there is no value.
    """

    value: float | None = None
    ci95: Interval | None = None
    samples: FloatArray | None = None
    upper_bound: float | None = None

    @property
    def is_known(self) -> bool:
        """Whether there is a value rather than a bound or nothing."""
        return self.samples is not None or self.value is not None


@dataclass(frozen=True)
class Ratio:
    """A level of theory divided by the reference. Undetermined parts are ``None``, and ``reason`` says why.

    ``ratio`` is ten to the power of ``log10_difference``, the mean difference of the logarithms.
    """

    ratio: float | None = None
    ci95: Interval | None = None
    log10_difference: float | None = None
    log10_difference_ci95: Interval | None = None
    upper_bound: float | None = None
    lower_bound: float | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Difference:
    """A level of theory minus the reference, in the unit of both; ``reason`` says why there is none."""

    value: float | None = None
    ci95: Interval | None = None
    reason: str | None = None


class _Estimate(NamedTuple):
    value: float
    ci95: Interval | None
    samples: FloatArray | None


def ratio(quantity: Quantity, reference: Quantity) -> Ratio:
    """Divide a positive quantity of one level of theory by that of the reference.

    The two posteriors are independent. With draws on both sides the interval is the central 95 % of all pairs;
    otherwise the distances from value to edge are added in quadrature in log10, the upper of one with the lower of the
    other (Barlow, arXiv:physics/0306138, which shows that this is approximate for strongly asymmetric intervals). An
    upper bound on one side is combined with the far edge of the other side's interval.
    """
    sides = ((quantity, "this level"), (reference, "the reference"))
    for side, name in sides:
        if side.is_known and not _is_positive(side):
            return Ratio(reason=f"the value of {name} is not a positive number")
        if not side.is_known and side.upper_bound is None:
            return Ratio(reason=NOTHING.format(name))
    if quantity.is_known and reference.is_known:
        log10 = _subtract(_log10_estimate(quantity), _log10_estimate(reference))
        edges = None if log10.ci95 is None else (10 ** log10.ci95[0], 10 ** log10.ci95[1])
        return Ratio(10**log10.value, edges, log10.value, log10.ci95)
    if quantity.is_known:
        return _bounded(lower=10 ** _edges(quantity)[0] / _positive(reference.upper_bound), name="the reference")
    if reference.is_known:
        return _bounded(upper=_positive(quantity.upper_bound) / 10 ** _edges(reference)[0], name="this level")
    return Ratio(reason=BOTH_BOUNDS)


def difference(quantity: Quantity, reference: Quantity) -> Difference:
    """Subtract the reference's value; intervals as in :func:`ratio`, but linear."""
    for side, name in ((quantity, "this level"), (reference, "the reference")):
        if not side.is_known:
            return Difference(reason=f"there is no value of {name}")
    pair = _subtract(_estimate(quantity), _estimate(reference))
    return Difference(pair.value, pair.ci95)


def mean_log10_difference(ratios: Sequence[Ratio], are_independent: bool = True) -> Difference:
    """Average the differences of logarithms over ratios, such as those at several temperatures.

    Distances from value to edge are added in quadrature; there is an interval only if every ratio has one.

    :param are_independent: else distances are added as they are, which makes the interval as wide as it can be.
    """
    known = [entry for entry in ratios if entry.log10_difference is not None]
    values = np.array([entry.log10_difference for entry in known], dtype=float)
    if not known:
        return Difference(reason="there are no ratios")
    mean = float(values.mean())
    edges = [entry.log10_difference_ci95 for entry in known if entry.log10_difference_ci95 is not None]
    if len(edges) < len(known):
        return Difference(mean)
    distances = np.abs(np.array(edges) - values[:, None])
    below, above = (np.sqrt((distances**2).sum(axis=0)) if are_independent else distances.sum(axis=0)) / len(known)
    return Difference(mean, (mean - float(below), mean + float(above)))


def _bounded(name: str, upper: float | None = None, lower: float | None = None) -> Ratio:
    return replace(Ratio(reason=ONE_SIDED.format(name)), upper_bound=upper, lower_bound=lower)


def _positive(bound: float | None) -> float:
    if bound is None or not (np.isfinite(bound) and bound > 0):
        raise ValueError(f"an upper bound must be positive and finite, got {bound!r}")
    return bound


def _is_positive(side: Quantity) -> bool:
    given = side.samples if side.samples is not None else [side.value, *(side.ci95 or ())]
    values = np.asarray(given, dtype=float)
    return bool(values.size and np.all(np.isfinite(values) & (values > 0)))


def _estimate(side: Quantity) -> _Estimate:
    if side.samples is not None:
        samples = np.asarray(side.samples, dtype=float)
        return _Estimate(float(samples.mean()), interval95(samples), samples)
    return _Estimate(float(side.value or 0.0), side.ci95, None)


def _log10_estimate(side: Quantity) -> _Estimate:
    samples = None if side.samples is None else np.log10(np.asarray(side.samples, dtype=float))
    edges = None if side.ci95 is None else (float(np.log10(side.ci95[0])), float(np.log10(side.ci95[1])))
    value = None if side.value is None else float(np.log10(side.value))
    return _estimate(Quantity(value, edges, samples))


def _edges(side: Quantity) -> Interval:
    """log10 of the interval, or of the value twice where there is none."""
    log10 = _log10_estimate(side)
    return log10.ci95 or (log10.value, log10.value)


def _subtract(left: _Estimate, right: _Estimate) -> _Estimate:
    value = left.value - right.value
    if left.samples is not None and right.samples is not None:
        pairs = np.subtract.outer(_thinned(left.samples), _thinned(right.samples)).ravel()
        return _Estimate(value, interval95(pairs), None)
    if left.ci95 is None or right.ci95 is None:
        return _Estimate(value, None, None)
    below = np.hypot(left.value - left.ci95[0], right.ci95[1] - right.value)
    above = np.hypot(left.ci95[1] - left.value, right.value - right.ci95[0])
    return _Estimate(value, (value - float(below), value + float(above)), None)


def _thinned(samples: FloatArray) -> FloatArray:
    """At most :data:`MAX_DRAWS` of the draws, at evenly spaced ranks."""
    if len(samples) <= MAX_DRAWS:
        return samples
    ranks = (np.arange(MAX_DRAWS) + 0.5) / MAX_DRAWS
    thinned: FloatArray = np.quantile(samples, ranks)
    return thinned
