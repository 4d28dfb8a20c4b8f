"""Was there enough motion, was it diffusion, and do independent estimates of it agree?"""

from __future__ import annotations

from aiida_ion.analysis.checks.check import Check, graded, not_applicable
from aiida_ion.analysis.checks.limits import CheckLimits
from aiida_ion.analysis.checks.sampled_frames import SampledFrames
from aiida_ion.analysis.crystals.cell import image_room_A
from aiida_ion.analysis.diffusion.result import DiffusionResult

BOUND = "Nothing was measured; the reason says why."


def motion_checks(result: DiffusionResult, limits: CheckLimits) -> list[Check]:
    """Log-log slope, effective hops, ions that hopped, and the fit against least squares."""
    if not result.moved:
        names = ("log_log_slope", "effective_hops", "ions_hopped", "fit_consistent")
        return [not_applicable(name, "", BOUND) for name in names]
    n_ions = result.n_mobile_ions * result.n_replicas
    part = result.n_ions_hopped / n_ions
    return [
        _slope(result, limits),
        graded(
            "effective_hops",
            result.n_eff,
            "",
            warn=limits.effective_hops_warn,
            below=True,
            message=f"The diffusivity is based on {result.n_eff:.3g} effective hops",
        ),
        graded(
            "ions_hopped",
            part,
            "",
            warn=limits.ions_hopped_warn,
            below=True,
            message=f"{result.n_ions_hopped} of {n_ions} ions hopped at all",
        ),
        _fit(result),
    ]


def spacing_check(sampled: SampledFrames, limits: CheckLimits) -> Check:
    """Largest step of a mobile ion between two frames, relative to half the narrowest width of the cell."""
    half_width = image_room_A(sampled.cell)
    longest = sampled.longest_step_A
    return graded(
        "frame_spacing",
        longest / half_width,
        "",
        warn=limits.frame_spacing_warn,
        message=f"The longest step of an ion between two frames is {longest:.3g} angstrom, "
        f"{longest / half_width:.2g} of half the cell",
    )


def _slope(result: DiffusionResult, limits: CheckLimits) -> Check:
    slope, interval = result.log_log_slope, result.log_log_slope_ci95
    if slope is None or interval is None:
        return not_applicable("log_log_slope", "", BOUND)
    off = abs(slope - 1.0)
    sure = 0.0 if interval[0] <= 1.0 <= interval[1] else off
    return graded(
        "log_log_slope",
        sure,
        "",
        warn=limits.log_log_slope_warn,
        message=f"The log-log slope of the MSD is {slope:.3g} [{interval[0]:.3g}, {interval[1]:.3g}]",
    )


def _fit(result: DiffusionResult) -> Check:
    """The verdict is that of ``fit_consistent``; the number is the difference relative to least squares."""
    fitted, plain = result.tracer_diffusivity_cm2_s, result.least_squares_diffusivity_cm2_s
    if result.fit_consistent is None or fitted is None or not plain:
        return not_applicable("fit_consistent", "", "There is no second fit to compare with.")
    off = abs(fitted - plain) / abs(plain)
    errors = result.least_squares_difference_errors
    apart = "" if errors is None else f", {errors:.2g} standard errors of their difference"
    message = f"kinisi and least squares differ by {off:.2g} of the latter on the same window{apart}"
    if result.fit_consistent:
        return Check("fit_consistent", off, "", None, "pass", f"{message}.")
    return Check("fit_consistent", off, "", None, "fail", f"{message}: neither is reliable.")
