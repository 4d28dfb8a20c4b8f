"""Diffusivity against the concentration of carriers: a line through the perfect cell's value, and the mobility from it.

In the dilute limit D* = D*_perfect + s x, with x carriers for each site of the mobile ion: s is the tracer diffusivity
that one carrier on every site would give if carriers did not see each other. Where the line fits, the cells are dilute
enough for it; where it does not, that is said, and no limit is meant by the slope.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from aiida_ion.analysis.defects.carriers import mobility_cm2_V_s
from aiida_ion.analysis.defects.measured import Measured, counted, pooled

FloatArray = npt.NDArray[np.float64]

#: A line that is this improbable is not one.
IMPROBABLE = 0.05
#: What is said of a perfect crystal without a value.
OF_PERFECT = {
    "assumed zero": ["the perfect crystal was not computed: it is assumed not to conduct"],
    "bound": ["no diffusion was detected in the perfect crystal: its bound widens the interval"],
}
NORMAL_95 = float(stats.norm.ppf(0.975))


@dataclass(frozen=True)
class Line:
    """D* against x at one temperature; errors are standard errors, intervals of 95 %.

    :param slope_cm2_s: dD*/dx, cm^2/s; ``None`` where no cell with carriers showed diffusion.
    :param slope_upper_bound_cm2_s: bound of the slope where there is none, cm^2/s.
    :param perfect_cm2_s: D* of the perfect crystal that the line goes through, cm^2/s.
    :param perfect_is: ``measured``, ``bound`` (taken as zero, the bound widens the interval), or ``assumed zero``.
    :param chi2: of the points about the line; ``None`` with one concentration, which says nothing of a line.
    :param p_value: probability of a larger one.
    :param mobility_cm2_V_s: s abs(q) / kT, cm^2/(V s): of tracers, correlation of their jumps included.
    """

    temperature_K: float
    concentrations: tuple[float, ...]
    slope_cm2_s: float | None
    slope_error_cm2_s: float | None
    slope_ci95_cm2_s: tuple[float, float] | None
    slope_upper_bound_cm2_s: float | None
    perfect_cm2_s: float
    perfect_is: str
    chi2: float | None
    n_free: int
    p_value: float | None
    mobility_cm2_V_s: float | None
    mobility_ci95_cm2_V_s: tuple[float, float] | None
    remarks: tuple[str, ...]

    def attributes(self) -> dict[str, Any]:
        """Return everything, ready for JSON."""
        content = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}
        return content | {"is_line": self.is_line}

    @property
    def is_line(self) -> bool | None:
        """Whether D* is proportional to x within the errors; ``None`` where that cannot be told."""
        return None if self.p_value is None else self.p_value >= IMPROBABLE


def fit_line(cells: Sequence[Measured], temperature_K: float, charge_e: float) -> Line:
    """Fit D* = D*_perfect + s x by generalised least squares; the error of the perfect cell is common to all points.

    Several cells of one concentration are pooled first, their spread included. Errors are widened by the scatter about
    the line where it is larger than expected, with Student's t of the points that are left.

    :param cells: with carriers, and the perfect one, of concentration 0, if it was computed.
    :param charge_e: of the mobile ion, e.
    :raises ValueError: without a cell with carriers.
    """
    if not any(cell.concentration > 0 for cell in cells):
        raise ValueError("no cell with carriers: a line needs at least one concentration above zero")
    perfect_cm2_s, perfect_error, perfect_bound, perfect_is = _perfect(cells)
    x, y, errors, remarks = _points([cell for cell in cells if cell.concentration > 0])
    remarks += OF_PERFECT.get(perfect_is, [])
    if not len(x):
        return _only_bounds(cells, temperature_K, perfect_cm2_s, perfect_is, remarks)
    slope, error, chi2 = _slope(x, y - perfect_cm2_s, errors, perfect_error)
    n_free = len(x) - 1
    quantile, p_value = NORMAL_95, None
    if n_free:
        p_value = float(stats.chi2.sf(chi2, n_free))
        if chi2 > n_free:
            error *= float(np.sqrt(chi2 / n_free))
            quantile = float(stats.t.ppf(0.975, n_free))
        if p_value < IMPROBABLE:
            remarks.append(
                f"the points are not on a line through the perfect crystal (p = {p_value:.2g}): carriers see each "
                "other, or are bound to dopants; the slope is no dilute limit"
            )
    else:
        remarks.append("one concentration: whether D* is proportional to it is not known")
    lowest = slope if perfect_bound is None else _slope(x, y - perfect_bound, errors, 0.0)[0]
    low, high = lowest - quantile * error, slope + quantile * error
    return Line(
        temperature_K=temperature_K,
        concentrations=tuple(sorted({cell.concentration for cell in cells})),
        slope_cm2_s=slope,
        slope_error_cm2_s=error,
        slope_ci95_cm2_s=(low, high),
        slope_upper_bound_cm2_s=None,
        perfect_cm2_s=perfect_cm2_s,
        perfect_is=perfect_is,
        chi2=chi2 if n_free else None,
        n_free=n_free,
        p_value=p_value,
        mobility_cm2_V_s=mobility_cm2_V_s(slope, charge_e, temperature_K),
        mobility_ci95_cm2_V_s=(
            mobility_cm2_V_s(low, charge_e, temperature_K),
            mobility_cm2_V_s(high, charge_e, temperature_K),
        ),
        remarks=tuple(remarks),
    )


def _perfect(cells: Sequence[Measured]) -> tuple[float, float, float | None, str]:
    """Return value, error and bound of the perfect crystal, cm^2/s, and what they are."""
    perfect = [cell for cell in cells if cell.concentration == 0]
    known = [cell for cell in perfect if cell.diffusivity_cm2_s is not None]
    if known:
        return *pooled(known), None, "measured"
    bounds = [cell.upper_bound_cm2_s for cell in perfect if cell.upper_bound_cm2_s is not None]
    if bounds:
        return 0.0, 0.0, min(bounds), "bound"
    return 0.0, 0.0, None, "assumed zero"


def _points(cells: Sequence[Measured]) -> tuple[FloatArray, FloatArray, FloatArray, list[str]]:
    """Return concentrations, diffusivities and errors (cm^2/s) with carriers, and what was left out."""
    x, y, errors, remarks = [], [], [], []
    for concentration in sorted({cell.concentration for cell in cells}):
        own = [cell for cell in cells if cell.concentration == concentration]
        known = [cell for cell in own if cell.diffusivity_cm2_s is not None]
        if len(known) < len(own):
            remarks.append(
                f"at {concentration:.4g} no diffusion was detected in {len(own) - len(known)} of {len(own)} cells"
                + ("" if not known else ": they count as zero with their bound as error")
            )
        if not known:
            continue
        mean, error = pooled(counted(own))
        if not error > 0:
            raise ValueError(f"the diffusivity at {concentration:.4g} has no error: give one")
        x.append(concentration)
        y.append(mean)
        errors.append(error)
    return np.array(x), np.array(y), np.array(errors), remarks


def _slope(x: FloatArray, y: FloatArray, errors: FloatArray, common: float) -> tuple[float, float, float]:
    """Return slope through the origin, its standard error, and chi squared; ``common`` is an error of all points."""
    covariance = np.diag(errors**2) + common**2
    weighted = np.linalg.solve(covariance, x)
    curvature = float(x @ weighted)
    slope = float(weighted @ y) / curvature
    rest = y - slope * x
    return slope, curvature**-0.5, float(rest @ np.linalg.solve(covariance, rest))


def _only_bounds(
    cells: Sequence[Measured],
    temperature_K: float,
    perfect_cm2_s: float,
    perfect_is: str,
    remarks: list[str],
) -> Line:
    """Return what is known where no cell with carriers showed diffusion: a line below every bound."""
    bounds = [
        cell.upper_bound_cm2_s / cell.concentration
        for cell in cells
        if cell.concentration > 0 and cell.upper_bound_cm2_s is not None
    ]
    if not bounds:
        remarks.append("no cell with carriers has a diffusivity or a bound")
    return Line(
        temperature_K=temperature_K,
        concentrations=tuple(sorted({cell.concentration for cell in cells})),
        slope_cm2_s=None,
        slope_error_cm2_s=None,
        slope_ci95_cm2_s=None,
        slope_upper_bound_cm2_s=min(bounds, default=None),
        perfect_cm2_s=perfect_cm2_s,
        perfect_is=perfect_is,
        chi2=None,
        n_free=0,
        p_value=None,
        mobility_cm2_V_s=None,
        mobility_ci95_cm2_V_s=None,
        remarks=tuple(remarks),
    )
