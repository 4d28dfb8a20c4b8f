"""From the network of hops to diffusivities and conductivities: exact for few carriers, simulated for more."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from aiida_ion.analysis.migration.kinetic_monte_carlo import KmcSettings, simulate
from aiida_ion.analysis.migration.transport import (
    Rates,
    conductivity_S_m,
    diffusion_tensor_A2_s,
    eigenvalues,
    hop_rates,
)
from aiida_ion.settings.migration import TransportSettings
from aiida_ion.units import CM2_S_PER_A2_S


def transport_of(network: Mapping[str, Any], settings: TransportSettings) -> dict[str, Any]:
    """Return transport coefficients.

    :param network: as `ion.percolate_hops` returns it.
    :returns: ``carrier_tensor_cm2_s`` of one carrier, exact; ``conductivity_tensor_S_m`` of independent carriers at the
        concentration of the settings; with kinetic Monte Carlo the same of carriers that exclude each other with
        standard errors (``kmc_...``), and the tracer diffusivity of the ions.
    :raises ValueError: where not one hop has a barrier.
    """
    sites_eV, saddles_eV = (np.array(network[name], dtype=float) for name in ("sites_eV", "saddles_eV"))
    sites_eV, saddles_eV = (np.where(np.isnan(values), np.inf, values) for values in (sites_eV, saddles_eV))
    pairs, vectors = np.array(network["pairs"]), np.array(network["vectors"])
    rates = hop_rates(
        sites_eV,
        saddles_eV,
        pairs,
        vectors,
        np.array(network["steps_A"]),
        settings.temperature_K,
        settings.attempt_frequency_Hz,
    )
    tensor = diffusion_tensor_A2_s(rates)
    sites_A3 = len(sites_eV) / float(network["volume_A3"])
    carriers_A3 = settings.vacancy_concentration * sites_A3
    charge_e = float(network["charge_e"] if settings.charge_e is None else settings.charge_e)
    sigma = conductivity_S_m(tensor, carriers_A3, charge_e, settings.temperature_K)
    result: dict[str, Any] = {
        **settings.to_dict(),
        "charge_e": charge_e,
        "mechanism": network["mechanism"],
        "carrier_tensor_cm2_s": (tensor * CM2_S_PER_A2_S).tolist(),
        "carrier_principal_cm2_s": [value * CM2_S_PER_A2_S for value in eigenvalues(tensor)],
        "carrier_diffusivity_cm2_s": float(np.trace(tensor)) / 3 * CM2_S_PER_A2_S,
        "conductivity_tensor_S_m": sigma.tolist(),
        "conductivity_S_m": float(np.trace(sigma)) / 3,
        "is_bound": bool(network.get("is_bound")),
    }
    return result | (_simulated(rates, network, settings, charge_e) if settings.kinetic_monte_carlo else {})


def _simulated(
    rates: Rates, network: Mapping[str, Any], settings: TransportSettings, charge_e: float
) -> dict[str, Any]:
    n_cell = len(rates.occupancy)
    needed = max(settings.min_sites, math.ceil(1.0 / settings.vacancy_concentration))
    multiples = even_multiples(max(1, math.ceil(needed / n_cell)))
    n_sites = n_cell * math.prod(multiples)
    n_carriers = max(1, round(settings.vacancy_concentration * n_sites))
    if n_carriers >= n_sites:
        raise ValueError(f"{n_carriers} carriers leave no free site among {n_sites}: lower vacancy_concentration")
    is_vacancy = network["mechanism"] == "vacancy"
    run = KmcSettings(
        multiples, n_carriers, settings.n_copies, settings.n_windows, settings.hops_per_window, settings.seed
    )
    found = simulate(rates, run, carriers_are_vacancies=is_vacancy)
    carriers_A3 = n_carriers / math.prod(multiples) / float(network["volume_A3"])
    values, errors = (
        conductivity_S_m(tensor, carriers_A3, charge_e, settings.temperature_K)
        for tensor in (found.collective_A2_s, found.collective_error_A2_s)
    )
    return {
        "kmc_concentration": n_carriers / n_sites,
        "kmc_multiples": list(multiples),
        "kmc_carriers": n_carriers,
        "kmc_carrier_tensor_cm2_s": (found.collective_A2_s * CM2_S_PER_A2_S).tolist(),
        "kmc_carrier_tensor_error_cm2_s": (found.collective_error_A2_s * CM2_S_PER_A2_S).tolist(),
        "kmc_tracer_tensor_cm2_s": (found.tracer_A2_s * CM2_S_PER_A2_S).tolist(),
        "kmc_tracer_tensor_error_cm2_s": (found.tracer_error_A2_s * CM2_S_PER_A2_S).tolist(),
        "kmc_tracer_diffusivity_cm2_s": float(np.trace(found.tracer_A2_s)) / 3 * CM2_S_PER_A2_S,
        "kmc_tracer_error_cm2_s": float(np.linalg.norm(np.diag(found.tracer_error_A2_s))) / 3 * CM2_S_PER_A2_S,
        "kmc_conductivity_tensor_S_m": values.tolist(),
        "kmc_conductivity_S_m": float(np.trace(values)) / 3,
        "kmc_conductivity_error_S_m": float(np.linalg.norm(np.diag(errors))) / 3,
        "simulated_s": found.simulated_s,
        "n_events": found.n_events,
    }


def even_multiples(n_cells: int) -> tuple[int, int, int]:
    """Return repeats along each vector that give that many cells or a little more, as equal as possible."""
    side = max(1, math.floor(n_cells ** (1 / 3) + 1e-9))
    near = (side, side + 1)
    choices = [(a, b, c) for a in near for b in near for c in near if a <= b <= c and a * b * c >= n_cells]
    return min(choices, key=math.prod)
