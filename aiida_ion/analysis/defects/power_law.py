"""Conductivity against the concentration of carriers as a power: sigma - sigma_perfect = A x^n.

Carriers that do not see each other give n = 1. Below one they bind to dopants, get into each other's way, or are drawn
to the same sites; a negative power between two concentrations means that more carriers conduct less.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

FloatArray = npt.NDArray[np.float64]

NORMAL_95 = float(stats.norm.ppf(0.975))
#: A single power that is this improbable is not one.
IMPROBABLE = 0.05


@dataclass(frozen=True)
class ConductivityPoint:
    """The conductivity at one concentration and temperature, pooled over its cells.

    :param concentration: carriers for each site of the mobile ion; 0 of the perfect crystal.
    :param diffusivity_cm2_s: tracer diffusivity, cm^2/s; ``None`` where no cell showed diffusion.
    :param conductivity_mS_cm: ionic conductivity by Nernst and Einstein from it, mS/cm.
    :param relative_error: standard error of both over the value, the spread between cells included.
    :param upper_bound_mS_cm: where there is no value, mS/cm.
    :param n_cells: cells that were pooled.
    """

    concentration: float
    diffusivity_cm2_s: float | None
    conductivity_mS_cm: float | None
    relative_error: float | None
    upper_bound_mS_cm: float | None
    n_cells: int

    @property
    def ci95_mS_cm(self) -> tuple[float, float] | None:  # noqa: N802
        """Return the 95 % interval of the conductivity, mS/cm, of a normal distribution of its logarithm."""
        if self.conductivity_mS_cm is None or self.relative_error is None:
            return None
        factor = float(np.exp(NORMAL_95 * self.relative_error))
        return self.conductivity_mS_cm / factor, self.conductivity_mS_cm * factor

    def attributes(self) -> dict[str, Any]:
        """Return everything, ready for JSON."""
        ci95 = self.ci95_mS_cm
        return {
            "concentration": self.concentration,
            "tracer_diffusivity_cm2_s": self.diffusivity_cm2_s,
            "ionic_conductivity_mS_cm": self.conductivity_mS_cm,
            "ionic_conductivity_ci95_mS_cm": None if ci95 is None else list(ci95),
            "ionic_conductivity_upper_bound_mS_cm": self.upper_bound_mS_cm,
            "relative_error": self.relative_error,
            "n_cells": self.n_cells,
        }


@dataclass(frozen=True)
class PowerLaw:
    """The power of the concentration that the conductivity grows with.

    :param exponent: n of all points; ``None`` with fewer than two.
    :param exponent_ci95: its 95 % interval.
    :param p_value: probability of points that are as far from one power; ``None`` with fewer than three.
    :param steps: between neighbours: ``from``, ``to``, ``exponent``, ``exponent_ci95``.
    :param largest_at: concentration of the largest conductivity.
    :param remarks: what was left out.
    """

    exponent: float | None
    exponent_ci95: tuple[float, float] | None
    p_value: float | None
    steps: tuple[dict[str, Any], ...]
    largest_at: float | None
    remarks: tuple[str, ...]

    def attributes(self) -> dict[str, Any]:
        """Return everything, ready for JSON."""
        return {
            "exponent": self.exponent,
            "exponent_ci95": None if self.exponent_ci95 is None else list(self.exponent_ci95),
            "p_value": self.p_value,
            "is_power": None if self.p_value is None else self.p_value >= IMPROBABLE,
            "steps": list(self.steps),
            "largest_at": self.largest_at,
            "remarks": list(self.remarks),
        }


def fit_power_law(points: Sequence[ConductivityPoint]) -> PowerLaw:
    """Fit ln(sigma - sigma_perfect) = ln A + n ln x by least squares weighted with the errors.

    The interval is widened by the scatter about the line where it is larger than the errors, with Student's t of the
    points that are left. A perfect crystal with a bound, or none, is taken as zero.

    :param points: of one temperature, the perfect crystal's among them if it was computed.
    """
    perfect = [point for point in points if point.concentration == 0]
    of_perfect = perfect[0].conductivity_mS_cm if perfect else None
    floor = of_perfect or 0.0
    floor_error = floor * (perfect[0].relative_error or 0.0) if of_perfect else 0.0
    used, remarks = [], []
    for point in sorted((one for one in points if one.concentration > 0), key=lambda one: one.concentration):
        added, error = _added(point, floor, floor_error)
        if added is None:
            why = "no diffusion was detected" if point.conductivity_mS_cm is None else "it is not above the perfect one"
            remarks.append(f"{point.concentration:.4g} is left out of the power: {why}")
        else:
            used.append((point.concentration, added, error))
    if len(used) < 2:
        return PowerLaw(None, None, None, (), used[0][0] if used else None, tuple(remarks))
    x, sigma, relative = np.array(used).T
    exponent, half, p_value = _line(np.log(x), np.log(sigma), relative)
    steps = tuple(_step(x[i : i + 2], sigma[i : i + 2], relative[i : i + 2]) for i in range(len(x) - 1))
    return PowerLaw(
        exponent,
        (exponent - half, exponent + half),
        p_value,
        steps,
        float(x[int(np.argmax(sigma))]),
        tuple(remarks),
    )


def _added(point: ConductivityPoint, floor: float, floor_error: float) -> tuple[float | None, float]:
    """Return what carriers add to the perfect crystal, mS/cm, and its relative error."""
    value, error = point.conductivity_mS_cm, point.relative_error
    if value is None or error is None or not value > floor:
        return None, 0.0
    return value - floor, float(np.hypot(error * value, floor_error)) / (value - floor)


def _step(x: FloatArray, sigma: FloatArray, relative: FloatArray) -> dict[str, Any]:
    exponent, half, _ = _line(np.log(x), np.log(sigma), relative)
    ends = [exponent - half, exponent + half]
    return {"from": float(x[0]), "to": float(x[1]), "exponent": exponent, "exponent_ci95": ends}


def _line(x: FloatArray, y: FloatArray, errors: FloatArray) -> tuple[float, float, float | None]:
    """Return slope, half of its 95 % interval, and the probability of points that are as far from the line."""
    weights = errors**-2
    centre = float(weights @ x / weights.sum())
    spread = float(weights @ (x - centre) ** 2)
    slope = float(weights @ ((x - centre) * y)) / spread
    rest = y - slope * (x - centre)
    chi2 = float(weights @ (rest - weights @ rest / weights.sum()) ** 2)
    n_free = len(x) - 2
    if not n_free:
        return slope, NORMAL_95 * spread**-0.5, None
    quantile = float(stats.t.ppf(0.975, n_free)) if chi2 > n_free else NORMAL_95
    error = spread**-0.5 * max(1.0, float(np.sqrt(chi2 / n_free)))
    return slope, quantile * error, float(stats.chi2.sf(chi2, n_free))
