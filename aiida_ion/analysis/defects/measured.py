"""Diffusivities of cells of one concentration at one temperature, and their mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Measured:
    """A diffusivity of one cell at one temperature.

    :param concentration: carriers for each site of the mobile ion; 0 of the perfect crystal.
    :param diffusivity_cm2_s: tracer diffusivity, cm^2/s; ``None`` where no diffusion was detected.
    :param error_cm2_s: its standard error, cm^2/s.
    :param upper_bound_cm2_s: bound where no diffusion was detected, cm^2/s.
    :param weight: of the cell among those of its concentration.
    :param number_density_A3: mobile ions in a cubic angstrom; 0 where it is not known.
    """

    concentration: float
    diffusivity_cm2_s: float | None
    error_cm2_s: float | None = None
    upper_bound_cm2_s: float | None = None
    weight: float = 1.0
    number_density_A3: float = 0.0


def pooled(cells: Sequence[Measured]) -> tuple[float, float]:
    """Return the weighted mean of the diffusivities of cells and its standard error, cm^2/s.

    Var = sum w^2 s^2 + tau^2 sum w^2, with the variance between cells tau^2 = max(0, [sum w (D - mean)^2 - sum w (1 -
    w) s^2] / (1 - sum w^2)) (the moment estimator of DerSimonian and Laird, Control. Clin. Trials 7, 177 (1986), for
    given weights).
    """
    values = np.array([float(cell.diffusivity_cm2_s or 0.0) for cell in cells])
    errors = np.array([float(cell.error_cm2_s or 0.0) for cell in cells])
    weights = np.array([cell.weight for cell in cells], dtype=float)
    weights = weights / weights.sum()
    mean = float(weights @ values)
    squares = float(weights @ weights)
    between = 0.0
    if len(cells) > 1:
        scatter = float(weights @ (values - mean) ** 2 - (weights * (1.0 - weights)) @ errors**2)
        between = max(0.0, scatter / (1.0 - squares))
    return mean, float(np.sqrt(weights**2 @ errors**2 + between * squares))


def counted(cells: Sequence[Measured]) -> list[Measured]:
    """Return the cells of one concentration that count; those without diffusion as zero, with their bound as error.

    A cell that holds its carriers fast is one of the material, too: leaving it out would bias the mean.
    """
    return [
        cell
        if cell.diffusivity_cm2_s is not None
        else replace(cell, diffusivity_cm2_s=0.0, error_cm2_s=cell.upper_bound_cm2_s)
        for cell in cells
        if cell.diffusivity_cm2_s is not None or cell.upper_bound_cm2_s is not None
    ]
