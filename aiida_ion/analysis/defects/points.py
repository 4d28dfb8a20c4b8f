"""Cells of several concentrations at one temperature -> a conductivity for each concentration."""

from __future__ import annotations

from collections.abc import Sequence

from aiida_ion.analysis.conductivity import ionic_conductivity_mS_cm
from aiida_ion.analysis.defects.measured import Measured, counted, pooled
from aiida_ion.analysis.defects.power_law import ConductivityPoint


def conductivity_points(cells: Sequence[Measured], temperature_K: float, charge_e: float) -> list[ConductivityPoint]:
    """Return the conductivity at each concentration, the lowest first.

    It is that of Nernst and Einstein, with the ions that the cells hold: dopants take their sites, too. A concentration
    without detected diffusion has the weighted mean of the bounds of its cells as bound.

    :param cells: of one temperature, the perfect one, of concentration 0, among them if it was computed.
    :param charge_e: of the mobile ion, e.
    """
    points = []
    for concentration in sorted({cell.concentration for cell in cells}):
        own = [cell for cell in cells if cell.concentration == concentration]
        factor = _factor(own, temperature_K, charge_e)
        if any(cell.diffusivity_cm2_s is not None for cell in own):
            used = counted(own)
            mean, error = pooled(used)
            points.append(ConductivityPoint(concentration, mean, factor * mean, error / mean, None, len(used)))
            continue
        bounds = [cell for cell in own if cell.upper_bound_cm2_s is not None]
        total = sum(cell.weight for cell in bounds)
        bound = sum(cell.weight * float(cell.upper_bound_cm2_s or 0.0) for cell in bounds) / total if total else None
        limit = None if bound is None else factor * bound
        points.append(ConductivityPoint(concentration, None, None, None, limit, len(bounds)))
    return points


def _factor(cells: Sequence[Measured], temperature_K: float, charge_e: float) -> float:
    """Return the conductivity of a tracer diffusivity of one, mS/cm over cm^2/s."""
    density = sum(cell.number_density_A3 for cell in cells) / len(cells)
    return float(ionic_conductivity_mS_cm(1.0, charge_e, density, temperature_K))
