"""The label of a material: the logarithm of the slope of the mean squared displacement in its simulation."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from aiida import orm

from aiida_ion.units import CM2_S_PER_A2_PS
from aiida_ion.verdicts import WITH_POSTERIOR

#: MSD = 6 D t in three dimensions.
DIMENSIONS_FACTOR = 6.0
#: Standard deviations between the ends of a 95 % interval of a Gaussian.
CI95_STANDARD_DEVIATIONS = 2 * 1.959964
#: A posterior with a smaller fraction of positive draws than this has no meaningful logarithm.
MIN_POSITIVE_PART = 0.95
#: Why a fit whose estimates disagree is not a label.
INCONSISTENT = "kinisi and least squares disagree wildly on the same window"


class LabelRefusedError(ValueError):
    """A diffusion that cannot be a label; the message says why."""


@dataclass(frozen=True)
class Label:
    """What the surrogate learns for a material.

    :param log10_slope: log10 of the slope of the mean squared displacement of the mobile ions, angstrom^2/ps.
    :param std: its standard deviation; zero for a bound.
    :param censored: whether it is an upper bound.
    :param replicas: the same of each single replica, NaN where it has no positive slope.
    """

    log10_slope: float
    std: float
    censored: bool
    replicas: list[float] = field(default_factory=list)


def log10_slope(diffusivity_cm2_s: float) -> float:
    """Return log10 of the slope of the mean squared displacement in angstrom^2/ps; NaN unless D is positive."""
    if not diffusivity_cm2_s > 0:
        return math.nan
    return math.log10(DIMENSIONS_FACTOR * diffusivity_cm2_s / CM2_S_PER_A2_PS)


def diffusivity_cm2_s(log10_slope_A2_ps: float) -> float:
    """Return the tracer diffusivity, cm^2/s: the inverse of :func:`log10_slope`."""
    return float(10.0**log10_slope_A2_ps * CM2_S_PER_A2_PS / DIMENSIONS_FACTOR)


def label_of(diffusion: orm.ArrayData) -> Label:
    """Return the label of a diffusion result.

    :raises LabelRefusedError: if its checks failed, or it has no information about the diffusivity.
    """
    attributes = diffusion.base.attributes.all
    if attributes.get("refused_because"):
        raise LabelRefusedError(str(attributes["refused_because"]))
    if attributes.get("fit_consistent") is False:
        raise LabelRefusedError(INCONSISTENT)
    replicas = [log10_slope(value or 0.0) for value in attributes.get("replica_diffusivities_cm2_s") or []]
    if attributes.get("verdict") in WITH_POSTERIOR:
        return Label(_finite(attributes.get("tracer_diffusivity_cm2_s")), _std(diffusion, attributes), False, replicas)
    return Label(_finite(attributes.get("tracer_diffusivity_upper_bound_cm2_s")), 0.0, True, replicas)


def _finite(diffusivity_cm2_s: float | None) -> float:
    label = log10_slope(diffusivity_cm2_s or 0.0)
    if not math.isfinite(label):
        raise LabelRefusedError("it has neither a positive diffusivity nor an upper bound")
    return label


def _std(diffusion: orm.ArrayData, attributes: dict[str, Any]) -> float:
    """Return the standard deviation of log10 D, from the posterior's draws or the 95 % interval."""
    name = "tracer_diffusivity_samples_cm2_s"
    if name in diffusion.get_arraynames():
        draws = diffusion.get_array(name)
        positive = draws[draws > 0]
        if len(positive) > max(1, MIN_POSITIVE_PART * len(draws)):
            return float(np.std(np.log10(positive), ddof=1))
    low, high = attributes.get("tracer_diffusivity_ci95_cm2_s") or (0.0, 0.0)
    if not 0 < low < high:
        raise LabelRefusedError("its interval reaches down to no diffusion at all")
    return (math.log10(high) - math.log10(low)) / CI95_STANDARD_DEVIATIONS
