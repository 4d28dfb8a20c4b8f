"""Does the Green-Kubo conductivity agree with the one from the summed displacements?"""

from __future__ import annotations

from aiida_ion.analysis.checks.check import Check, not_applicable
from aiida_ion.analysis.diffusion.result import DiffusionResult


def green_kubo_check(result: DiffusionResult) -> Check:
    """Compare two estimates of the collective conductivity; warn when their 95 % intervals do not overlap.

    Both come from the same run, so they are not independent: disjoint intervals mean that one estimate is wrong.
    """
    green_kubo = getattr(result, "green_kubo_ionic_conductivity_mS_cm", None)
    interval = getattr(result, "green_kubo_ionic_conductivity_ci95_mS_cm", None)
    collective = result.collective_ionic_conductivity_mS_cm
    other = result.collective_ionic_conductivity_ci95_mS_cm
    if green_kubo is None or interval is None or collective is None or other is None:
        return not_applicable("green_kubo", "", "There are no two collective conductivities to compare.")
    ratio = green_kubo / collective
    message = f"Green-Kubo gives {green_kubo:.3g} mS/cm, the summed displacements {collective:.3g} mS/cm"
    if interval[1] >= other[0] and interval[0] <= other[1]:
        return Check("green_kubo", ratio, "", None, "pass", f"{message}.")
    return Check("green_kubo", ratio, "", None, "warn", f"{message}: their 95 % intervals do not overlap.")
