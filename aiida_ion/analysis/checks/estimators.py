"""Had the slope of the mean squared displacement converged where it was fitted?"""

from __future__ import annotations

from aiida_ion.analysis.checks.check import Check, graded, not_applicable
from aiida_ion.analysis.checks.limits import CheckLimits
from aiida_ion.analysis.diffusion.result import DiffusionResult


def systematic_error_check(result: DiffusionResult, limits: CheckLimits) -> Check:
    """Relative error of D from a slope that is still changing."""
    name, error, window = "systematic_error", result.systematic_relative_error, result.fit_window_ps
    if not result.moved or error is None or window is None:
        return not_applicable(name, "", "Nothing was measured; the reason says why.")
    return graded(
        name,
        error,
        "",
        warn=limits.systematic_error_warn,
        message=f"Where the fit starts, at {window[0]:.3g} ps, the slope of the MSD may differ from its final value by "
        f"{error:.2g} of it",
    )
