"""Diffusion nodes of ions whose law is known."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from aiida import orm

from aiida_ion.units import BOLTZMANN_EV_K

S0, E_M, E_F = 2e-3, 0.35, 0.9


def diffusion(temperature_K: float, x: float, factor: float = 1.0, **changes: Any) -> orm.ArrayData:
    """Return what a fit stores of ions whose diffusivity is exactly proportional to the carriers."""
    value = S0 * math.exp(-E_M / (BOLTZMANN_EV_K * temperature_K)) * x * factor
    node = orm.ArrayData()
    node.set_array("tracer_diffusivity_samples_cm2_s", np.array([value]))
    attributes: dict[str, Any] = {
        "mobile_species": "Li",
        "charge_e": 1.0,
        "level_of_theory": "toy",
        "target_temperature_K": temperature_K,
        "temperature_K": temperature_K,
        "tracer_diffusivity_cm2_s": value,
        "tracer_diffusivity_std_cm2_s": 0.05 * value,
        "tracer_diffusivity_upper_bound_cm2_s": None,
        "fit_consistent": True,
    }
    node.base.attributes.set_many(attributes | changes)
    return node
