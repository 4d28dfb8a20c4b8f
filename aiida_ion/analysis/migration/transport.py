"""Diffusion on a network of hops, in the limit of few carriers: exact, from the master equation.

One carrier (a vacancy, or an interstitial ion) on a periodic network hops from site i to site j with the rate
k_ij = nu exp(-(E_ij - E_i) / kT), where E_ij is the energy of the saddle. In equilibrium it is at site i with
p_i ~ exp(-E_i / kT), and c_ij = p_i k_ij is the same in both directions. With the corrections chi of the steps d_ij
that solve sum_j c_ij (d_ij + chi_j - chi_i) = 0 for each i, the diffusion tensor is

    D = 1/2 sum_ij c_ij (d_ij + chi_j - chi_i) (d_ij + chi_j - chi_i)^T

over all directed hops of a cell (e.g. Trinkle, Philos. Mag. 97, 2514 (2017)): no noise, no length of a run. Rates that
differ by many orders of magnitude would ruin a solution in floating point, so that this one is in decimal numbers with
as many digits as the spread of the rates needs.
"""

from __future__ import annotations

import decimal
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt

from aiida_ion.units import (
    BOLTZMANN_EV_K,
    BOLTZMANN_J_K,
    CM2_S_PER_A2_S,
    ELEMENTARY_CHARGE_C,
    M2_S_PER_CM2_S,
    M3_PER_A3,
)

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
#: Attempt frequency where none is known, Hz.
ATTEMPT_FREQUENCY_HZ = 1e13
#: More sites than this in a cell are not solved in decimal numbers.
MAX_SITES = 150


@dataclass(frozen=True)
class Rates:
    """Rates of a carrier on a periodic network.

    :param occupancy: (n,), equilibrium probability of each site of a cell.
    :param first, second: (2 m,), sites of directed hops: m in one direction, then the same in the other.
    :param rates_Hz: (2 m,).
    :param steps_A: (2 m, 3), angstrom.
    :param vectors: (2 m, 3), cell of the second site.
    """

    occupancy: FloatArray
    first: IntArray
    second: IntArray
    rates_Hz: FloatArray
    steps_A: FloatArray
    vectors: IntArray


def hop_rates(
    sites_eV: FloatArray,
    saddles_eV: FloatArray,
    pairs: IntArray,
    vectors: IntArray,
    steps_A: FloatArray,
    temperature_K: float,
    attempt_frequency_Hz: float = ATTEMPT_FREQUENCY_HZ,
) -> Rates:
    """Return the rates of all hops, in both directions.

    :param sites_eV: (n,), energies of the sites; sites at infinity are never visited.
    :param saddles_eV: (m,), energies of the saddles on the same scale; infinite ones are left out.
    :param pairs: (m, 2), sites of each hop, in one direction.
    :param vectors: (m, 3), cell of the second site.
    :param steps_A: (m, 3), angstrom.
    :raises ValueError: where no hop is left, or a saddle is below its ends.
    """
    ends_eV = sites_eV[pairs]
    kept = np.isfinite(saddles_eV) & np.isfinite(ends_eV).all(axis=1)
    if not kept.any():
        raise ValueError("not one hop has a barrier")
    pairs, vectors, steps, saddles = pairs[kept], vectors[kept], steps_A[kept], saddles_eV[kept]
    beta = 1.0 / (BOLTZMANN_EV_K * temperature_K)
    barriers = saddles[:, None] - sites_eV[pairs]
    if barriers.min() < -1e-9:
        raise ValueError("a saddle is below one of its ends")
    rates = attempt_frequency_Hz * np.exp(-beta * barriers)
    weights = np.exp(-beta * (sites_eV - sites_eV[np.isfinite(sites_eV)].min()))
    return Rates(
        weights / weights.sum(),
        np.concatenate([pairs[:, 0], pairs[:, 1]]),
        np.concatenate([pairs[:, 1], pairs[:, 0]]),
        np.concatenate([rates[:, 0], rates[:, 1]]),
        np.concatenate([steps, -steps]),
        np.concatenate([vectors, -vectors]),
    )


def diffusion_tensor_A2_s(rates: Rates) -> FloatArray:  # noqa: N802
    """Return the diffusion tensor of a single carrier, (3, 3), in square angstrom per second.

    :raises ValueError: for a network of more than :data:`MAX_SITES` sites.
    """
    n_sites = len(rates.occupancy)
    if n_sites > MAX_SITES:
        raise ValueError(f"{n_sites} sites in a cell are more than {MAX_SITES}: use the primitive cell")
    with decimal.localcontext() as context:
        context.prec = _digits(rates)
        flows = _flows(rates)
        steps = [[Decimal(float(x)) for x in step] for step in rates.steps_A]
        chi = _corrections(n_sites, rates.first, rates.second, flows, steps)
        total = [[Decimal(0)] * 3 for _ in range(3)]
        for i, j, flow, step in zip(rates.first, rates.second, flows, steps, strict=True):
            corrected = [step[x] + chi[j][x] - chi[i][x] for x in range(3)]
            for x in range(3):
                for y in range(3):
                    total[x][y] += flow * corrected[x] * corrected[y] / 2
    return np.array([[float(value) for value in row] for row in total])


def _flows(rates: Rates) -> list[Decimal]:
    """Return c_ij of each directed hop, per second: to the last digit the same in both directions."""
    forward = len(rates.rates_Hz) // 2
    flows = [
        Decimal(float(rates.occupancy[i])) * Decimal(float(rate))
        for i, rate in zip(rates.first[:forward], rates.rates_Hz[:forward], strict=True)
    ]
    return flows + flows


def _digits(rates: Rates) -> int:
    """Return how many digits keep the slowest rates beside the fastest, with thirty to spare."""
    flows = rates.occupancy[rates.first] * rates.rates_Hz
    flows = flows[flows > 0]
    return 40 + 2 * int(np.ceil(np.log10(flows.max() / flows.min()))) if len(flows) else 40


def _corrections(
    n_sites: int, first: IntArray, second: IntArray, flows: Sequence[Decimal], steps: Sequence[Sequence[Decimal]]
) -> list[list[Decimal]]:
    """Solve for chi, (n, 3): the flows of corrected steps balance at each site; one site of each component has 0."""
    matrix = [[Decimal(0)] * n_sites for _ in range(n_sites)]
    right = [[Decimal(0)] * 3 for _ in range(n_sites)]
    for i, j, flow, step in zip(first, second, flows, steps, strict=True):
        matrix[i][i] += flow
        matrix[i][j] -= flow
        for x in range(3):
            right[i][x] += flow * step[x]
    for site in _one_of_each_component(n_sites, first, second):
        matrix[site] = [Decimal(int(site == other)) for other in range(n_sites)]
        right[site] = [Decimal(0)] * 3
    return _solve(matrix, right)


def _one_of_each_component(n_sites: int, first: IntArray, second: IntArray) -> list[int]:
    parent = list(range(n_sites))

    def root(site: int) -> int:
        while parent[site] != site:
            site = parent[site]
        return site

    for i, j in zip(first, second, strict=True):
        a, b = sorted((root(int(i)), root(int(j))))
        parent[b] = a
    return sorted({root(site) for site in range(n_sites)})


def _solve(matrix: list[list[Decimal]], right: list[list[Decimal]]) -> list[list[Decimal]]:
    """Gaussian elimination; a grounded Laplacian is diagonally dominant, so that no pivot is needed."""
    n = len(matrix)
    for k in range(n):
        for row in range(k + 1, n):
            factor = matrix[row][k] / matrix[k][k]
            if factor:
                matrix[row] = [a - factor * b for a, b in zip(matrix[row], matrix[k], strict=True)]
                right[row] = [a - factor * b for a, b in zip(right[row], right[k], strict=True)]
    solution: list[list[Decimal]] = [[Decimal(0)] * 3 for _ in range(n)]
    for k in reversed(range(n)):
        for x in range(3):
            known = sum((matrix[k][other] * solution[other][x] for other in range(k + 1, n)), Decimal(0))
            solution[k][x] = (right[k][x] - known) / matrix[k][k]
    return solution


def conductivity_S_m(  # noqa: N802
    tensor_A2_s: npt.NDArray[Any], carriers_A3: float, charge_e: float, temperature_K: float
) -> FloatArray:
    """Return the conductivity tensor of independent carriers, (3, 3), S/m: n q^2 D / kT (Nernst-Einstein, exact here).

    :param tensor_A2_s: diffusion tensor of a carrier, square angstrom per second.
    :param carriers_A3: carriers per cubic angstrom.
    :param charge_e: charge that a hop moves, e.
    """
    density_m3 = carriers_A3 / M3_PER_A3
    coefficient_m2_s = np.asarray(tensor_A2_s, dtype=float) * CM2_S_PER_A2_S * M2_S_PER_CM2_S
    mobility: FloatArray = coefficient_m2_s * (charge_e * ELEMENTARY_CHARGE_C) ** 2 / (BOLTZMANN_J_K * temperature_K)
    return density_m3 * mobility


def eigenvalues(tensor: npt.NDArray[Any]) -> list[float]:
    """Return the principal values of a symmetric tensor, ascending."""
    return [float(value) for value in np.linalg.eigvalsh(np.asarray(tensor, dtype=float))]
