"""What the Arrhenius fit is told beside the fits of the temperatures."""

from __future__ import annotations

import pytest
from aiida import orm

from aiida_ion.workchains.conductivity.result import arrhenius_parameters


@pytest.mark.usefixtures("aiida_profile")
def test_refused_temperatures_are_named_in_rising_order() -> None:
    inputs = {
        "parameters": orm.Dict({"target_temperature_K": 300.0}),
        "diffusion": {"parameters": orm.Dict({})},
        "md": {"engine": {}},
    }
    refused = [{"temperature_K": 900.0, "reason": "exploded"}, {"temperature_K": 700.0, "reason": "no window"}]
    assert arrhenius_parameters(inputs, refused) == {
        "target_temperature_K": 300.0,
        "priors": {},
        "failed": [refused[1], refused[0]],
    }


@pytest.mark.usefixtures("aiida_profile")
def test_the_limit_of_intervals_is_that_of_the_fits() -> None:
    parameters = {"target_temperature_K": 300.0, "priors": {"max_activation_energy_eV": 1.0}}
    limits = {"max_interval_decades": 1.5, "max_useful_bound_mS_cm": 9.0}
    inputs = {
        "parameters": orm.Dict(parameters),
        "diffusion": {"parameters": orm.Dict(limits | {"min_n_eff": 5.0})},
        "md": {"engine": {}},
    }
    assert arrhenius_parameters(inputs, []) == parameters | limits | {"failed": []}
