"""Small crystals on two interpenetrating cubic lattices, and what can go wrong with them."""

from __future__ import annotations

import numpy as np

from aiida_ion.analysis.diffusion.analyse import DiffusionSettings, Segment, analyse_diffusion
from aiida_ion.analysis.trajectories.thermo import Thermo

SITE_A, N_CUBES, FRAME_PS = 3.0, 4, 0.1
CELL = np.eye(3) * SITE_A * N_CUBES


def grid(shift):
    axis = (np.arange(N_CUBES) + shift) * SITE_A
    return np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)


def solid(seed=1, n_frames=400, rattle_A=0.2):
    """Positions of 64 Li and 64 O that vibrate around their sites, (n, 128, 3), and the symbols."""
    sites = np.concatenate([grid(0.0), grid(0.5)])
    noise = np.random.default_rng(seed).normal(0.0, rattle_A, (n_frames, len(sites), 3))
    return sites + noise, ["Li"] * 64 + ["O"] * 64


def liquid(positions, atoms, begins, seed=2, diffusivity_A2_ps=0.5):
    """The same, some atoms diffusing from a part of the run on."""
    changed = positions.copy()
    size = (len(positions), len(atoms), 3)
    steps = np.random.default_rng(seed).normal(0.0, np.sqrt(2.0 * diffusivity_A2_ps * FRAME_PS), size)
    steps[: int(begins * len(positions))] = 0.0
    changed[:, atoms] += np.cumsum(steps, axis=0)
    return changed


def recorded(n_steps=4000, temperature_K=800.0, n_atoms=128, ensemble="nvt", **arrays):
    """A thermo with white noise, as many ps long as :func:`solid` by default."""
    generator = np.random.default_rng(3)
    known = {
        "times_ps": np.arange(n_steps) * 0.01,
        "temperature_K": temperature_K * (1.0 + generator.normal(0.0, 0.07, n_steps)),
        "potential_energy_eV": n_atoms * (-4.0 + generator.normal(0.0, 0.01, n_steps)),
        "conserved_energy_eV": None,
        "max_force_eV_A": np.full(n_steps, 5.0),
        "charge_current_e_A_fs": None,
    }
    return Thermo(**(known | arrays), n_atoms=n_atoms, ensemble=ensemble, timestep_fs=10.0)


def analyse(positions, symbols, *, cell=CELL, thermo=None, **settings):
    segment = Segment(np.asarray(positions), np.arange(len(positions)) * FRAME_PS, cell)
    return analyse_diffusion(
        [[segment]],
        symbols,
        "Li",
        {"Li": 1.0},
        800.0,
        settings=DiffusionSettings(collective=False, **settings),
        thermo=None if thermo is None else [thermo],
        target_temperature_K=800.0,
    )


def checks(result):
    """The checks of a result by their names."""
    return {check["name"]: check for check in result.checks}


def verdicts(result, *chosen):
    results = checks(result)
    return {name: results[name]["verdict"] for name in chosen or results}
