"""Inputs of ports, as Python gives them: settings of runs, fits, jumps, relaxations, potentials."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.hostile.hostile_input import HostileInput

MD: dict[str, Any] = {"temperature_K": 800, "timestep_fs": 2.0, "n_steps": 1000}
CONDUCTIVITY: dict[str, Any] = {"temperatures_K": [800], "mobile_species": "Li", "charges": {"Li": 1, "O": -2}}
FIT: dict[str, Any] = {"mobile_species": "Li", "charges": {"Li": 1, "O": -2}, "target_temperature_K": 800}
JUMPS: dict[str, Any] = {"mobile_species": "Li", "temperature_K": 800}
#: Port -> good inputs, and changes that spoil them with what the sentence says.
CHANGES: dict[str, tuple[dict[str, Any], list[tuple[dict[str, Any], str]]]] = {
    "md": (
        MD,
        [
            *(({"temperature_K": bad}, "temperature_K must be") for bad in (0, -1, 1e9, "800", True, None, [800])),
            *(({"timestep_fs": bad}, "timestep_fs must be") for bad in (0, 1e-300, 1e300, "2.0", [2.0])),
            *(({"n_steps": bad}, "n_steps must be") for bad in (0, -5, 10.5, 10**12, "1000", True)),
            *(({"seed": bad}, "seed must be") for bad in (-1, 10**23, 1.5, "1", True)),
            *(
                ({"keep": bad}, "keep must be")
                for bad in ("velocities", ["stress"], ["forces", "forces"], 3, [["forces"]])
            ),
            *(({"equilibration_fs": bad}, "equilibration_fs") for bad in (-1, 1e9, 2000.0)),
            ({"ensemble": None}, "ensemble must be"),
            ({"thermostat": ["csvr"]}, "thermostat must be"),
            ({"sample_every": 0}, "sample_every must be"),
            ({"min_distance_ratio": 5}, "min_distance_ratio must be"),
            ({"temperature": 800}, "did you mean temperature_K"),
        ],
    ),
    "conductivity": (
        CONDUCTIVITY,
        [
            *(({"temperatures_K": bad}, "temperatures_K must be") for bad in (800, [], "800", [800, 800], [0], [None])),
            *(({"seeds": bad}, "seeds must be") for bad in ([], [1, 1], [10**23], [1.5], 1, ["1"])),
            *(({"charges": bad}, "charge") for bad in ({}, {"Xx": 1}, {"Li": "1"}, {"Li": 1e9}, [1], {"O": -2})),
            *(({"supercell": bad}, "supercell must be") for bad in ([2, 2], [0, 1, 1], [1, 1, 1.5], 2, "2,2,2")),
            *(({"jumps": bad}, "jumps must be") for bad in (0, "yes", None)),
            *(({"max_concurrent": bad}, "max_concurrent must be") for bad in (0, 2.5, "4")),
            ({"mobile_species": "Lithium"}, "mobile_species must be"),
            ({"formula": "a\nb"}, "formula must be"),
            ({"min_width_A": 1e6}, "min_width_A must be"),
            ({"priors": [1]}, "priors must be"),
            ({"max_rounds": 3}, "give that too"),
            ({"target_relative_error": 0}, "target_relative_error must be"),
            ({"temperature_K": 800}, "did you mean temperatures_K"),
        ],
    ),
    "fit": (
        FIT,
        [
            ({"target_temperature_K": "hot"}, "target_temperature_K must be"),
            ({"charges": {"Li": None}}, "charges: Li must be"),
            ({"n_lags": 1000}, "n_lags must be"),
            ({"collective": 1}, "collective must be"),
            ({"limits": {"hot_ratio": 1}}, "unknown limit hot_ratio"),
            ({"limits": 3}, "limits must be"),
            ({"seed": 10**23}, "seed must be"),
            ({"lags": 30}, "unknown diffusion setting lags"),
        ],
    ),
    "jumps": (
        JUMPS,
        [
            ({"temperature_K": -1}, "temperature_K must be"),
            ({"sites": "all"}, "sites must be"),
            ({"site_radius_A": 0}, "site_radius_A must be"),
            ({"density_background": 1.0}, "density_background must be"),
            ({"max_frames": 3}, "max_frames must be"),
            ({"radius_A": 1}, "did you mean site_radius_A"),
        ],
    ),
    "relax": (
        {},
        [
            ({"max_force_eV_A": 0}, "max_force_eV_A must be"),
            ({"max_steps": 1.5}, "max_steps must be"),
            ({"fmax": 0.1}, "unknown relaxation setting fmax"),
        ],
    ),
    "potential": (
        {"name": "mace"},
        [
            ({"name": "gold"}, "name must be one of"),
            ({"device": "gpu"}, "device must be"),
            ({"dtype": "float16"}, "dtype must be"),
            ({"kwargs": [1]}, "kwargs must be"),
            ({"model": ""}, "model must be"),
            ({"checkpoint_sha256": "abc"}, "checkpoint_sha256 must be"),
            ({"trusted_sha256": "abc"}, "trusted_sha256 must be"),
            ({"modle": "large"}, "did you mean model"),
        ],
    ),
    "samples": (
        {"temperature_K": 800},
        [
            ({"kinds": "displaced"}, "kinds must be"),
            ({"amplitudes_A": {"0.1": 0}}, "amplitudes_A"),
            ({"amplitudes_A": {"wide": 1}}, "amplitude"),
            ({"timestep_fs": 0}, "timestep_fs must be"),
            ({"seed": 10**23}, "seed must be"),
        ],
    ),
}
#: Given as numbers of NumPy or as infinities, which no node can hold, to the classes themselves.
CLASSES: list[tuple[dict[str, Any], str]] = [
    ({"temperature_K": math.nan}, "got NaN"),
    ({"temperature_K": math.inf}, "got Infinity"),
    ({"timestep_fs": np.float64("nan")}, "timestep_fs must be"),
    ({"n_steps": np.bool_(True)}, "n_steps must be"),
    ({"n_steps": 10**400}, "n_steps must be"),
    ({"timestep_fs": 10**400}, "timestep_fs must be"),
    ({"timestep_fs": 2j}, "timestep_fs must be"),
    ({"seed": np.float64(1.5)}, "seed must be"),
    ({"keep": {"velocities"}}, "keep must be"),
    ({"ensemble": b"nvt"}, "ensemble must be"),
]


def inputs(folder: Path) -> list[HostileInput]:
    """Return bad inputs of ports."""
    del folder
    results = []
    for port, (good, changes) in CHANGES.items():
        for index, (change, pattern) in enumerate(changes):
            results.append(HostileInput(f"{port} {index}: {change!r:.60}", _validated(port, good | change), pattern))
    return results + [
        HostileInput(f"settings of a run: {change!r:.60}", _made(MD | change), pattern) for change, pattern in CLASSES
    ]


def _validated(port: str, content: dict[str, Any]) -> Callable[[], object]:
    """Return a call of the validator of a port."""

    def call() -> None:
        from aiida import orm

        from aiida_ion.calculations.diffusion import validate_diffusion_parameters
        from aiida_ion.calculations.jumps import validate_jump_parameters
        from aiida_ion.calculations.md import validate_md_parameters
        from aiida_ion.calculations.mlip.job import validate_potential
        from aiida_ion.calculations.relax import validate_relax_parameters
        from aiida_ion.workchains.conductivity.inputs import validate_parameters
        from aiida_ion.workchains.surrogate_samples.inputs import validate_parameters as validate_samples

        validators: dict[str, Any] = {
            "md": validate_md_parameters,
            "conductivity": validate_parameters,
            "fit": validate_diffusion_parameters,
            "jumps": validate_jump_parameters,
            "relax": validate_relax_parameters,
            "potential": validate_potential,
            "samples": validate_samples,
        }
        problem = validators[port](orm.Dict(content), None)
        if problem is not None:
            raise ValueError(problem)

    return call


def _made(content: dict[str, Any]) -> Callable[[], object]:
    """Return a call that makes settings of a run."""

    def call() -> None:
        from aiida_ion.settings.md import MdSettings

        MdSettings.from_dict(content)

    return call
