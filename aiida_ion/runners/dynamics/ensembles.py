"""Integrators of the ensembles: ASE's, with the right degrees of freedom and access to their hidden variables.

Every run keeps the total momentum at zero, so 3N-3 degrees of freedom carry the kinetic energy; ASE's Bussi and
Nose-Hoover thermostats count 3N and would settle N/(N-1) too hot, 9 % for twelve atoms.

NPT is the isotropic Martyna-Tobias-Klein barostat (its own Nose-Hoover chain, no compressibility to guess) with
the particles' thermostat exchanged for the chosen one: any operator that conserves the Maxwell-Boltzmann
distribution may be used there. Sources: Bussi, Donadio, Parrinello, J. Chem. Phys. 126, 014101 (2007);
Martyna, Tobias, Klein, J. Chem. Phys. 101, 4177 (1994); Vanden-Eijnden, Ciccotti, Chem. Phys. Lett. 429, 310 (2006).
"""

from __future__ import annotations

import json
import math
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np
from ase import Atoms, units
from ase.constraints import FixCom
from ase.md.bussi import Bussi
from ase.md.langevin import Langevin
from ase.md.nose_hoover_chain import IsotropicMTKNPT, NoseHooverChainNVT
from ase.md.verlet import VelocityVerlet

from aiida_ion.runners.output import RunnerError
from aiida_ion.runners.run_inputs import require
from aiida_ion.starting_velocities import streams

if TYPE_CHECKING:
    from aiida_ion.settings.md import MdSettings

Array = np.ndarray[Any, Any]
CHAIN_LENGTH = 3
#: A total momentum below this fraction of the thermal momentum is rounding, not drift.
DRIFT_TOLERANCE = 1e-6

HIDDEN: dict[type[Any], tuple[str, ...]] = {
    VelocityVerlet: (),
    Bussi: ("transferred_energy",),
    Langevin: (),
    NoseHooverChainNVT: ("_thermostat._eta", "_thermostat._p_eta"),
    IsotropicMTKNPT: ("_eps", "_p_eps", "_cell0", "_volume0", "_barostat._xi", "_barostat._p_xi"),
}


class Integrator:
    """An ASE dynamics with everything that its next step depends on.

    Positions, momenta and cell live in the atoms and must be set before the integrator is made: ASE's chains
    keep their own copies of positions and momenta, taken then.

    :param dynamics: the ASE dynamics.
    :param generator: its random numbers.
    """

    def __init__(self, dynamics: Any, generator: np.random.Generator) -> None:
        self.dynamics = dynamics
        self.generator = generator
        self._hidden = HIDDEN[type(dynamics)]
        if isinstance(dynamics, IsotropicMTKNPT) and hasattr(dynamics._thermostat, "_eta"):
            self._hidden += HIDDEN[NoseHooverChainNVT]
        # These accept the forces of the last step, which saves a look-up in the calculator's cache.
        self._takes_forces = isinstance(dynamics, (VelocityVerlet, Langevin))
        self._forces: Any = None

    def step(self) -> None:
        """Advance by one time step."""
        if self._takes_forces:
            self._forces = self.dynamics.step(self._forces)
        else:
            self.dynamics.step()

    def get_state(self) -> dict[str, Array]:
        """Return the hidden variables as arrays that need no pickle; the generator's state as JSON."""
        state = {f"hidden{path}": np.array(_attribute(self.dynamics, path)) for path in self._hidden}
        state["rng_state"] = np.array(json.dumps(self.generator.bit_generator.state))
        return state

    def set_state(self, state: dict[str, Array]) -> None:
        """Set the hidden variables.

        :param state: from :meth:`get_state`.
        :raises RunnerError: ``invalid_input`` where a variable is missing.
        """
        for path in self._hidden:
            require(f"hidden{path}" in state, f"restart.npz lacks the thermostat variable {path}")
            value = np.array(state[f"hidden{path}"])
            owner, _, name = path.rpartition(".")
            setattr(_attribute(self.dynamics, owner), name, value if value.ndim else float(value))
        require("rng_state" in state, "restart.npz lacks the state of the random numbers")
        self.generator.bit_generator.state = json.loads(str(state["rng_state"]))


def make_integrator(atoms: Atoms, settings: MdSettings) -> Integrator:
    """Make the integrator of the ensemble.

    :param atoms: with calculator, positions and momenta.
    :param settings: the MD settings.
    :raises RunnerError: ``invalid_input`` for settings that cannot be combined.
    """
    generator = np.random.default_rng(streams(settings.seed)[1])
    timestep, time = settings.timestep_fs * units.fs, settings.thermostat_time_fs * units.fs
    if settings.ensemble == "nve":
        return Integrator(VelocityVerlet(atoms, timestep), generator)
    if settings.ensemble == "npt":
        return Integrator(_npt(atoms, settings, generator), generator)
    temperature = settings.temperature_K
    if settings.thermostat == "nose_hoover":
        dynamics: Any = NoseHooverChainNVT(atoms, timestep, temperature, tdamp=time, tchain=CHAIN_LENGTH)
        _count_without_drift(dynamics._thermostat, len(atoms))
    elif settings.thermostat == "langevin":
        atoms.set_constraint(FixCom())
        dynamics = Langevin(atoms, timestep, temperature_K=temperature, friction=1.0 / time, fixcm=False, rng=generator)
    else:
        require(atoms.get_kinetic_energy() > 1e-12, "csvr needs starting velocities that are not all zero")
        dynamics = Bussi(atoms, timestep, temperature, taut=time, rng=generator)
        dynamics.ndof = degrees_of_freedom(len(atoms))
        dynamics.target_kinetic_energy = 0.5 * dynamics.temp * dynamics.ndof
    return Integrator(dynamics, generator)


def _npt(atoms: Atoms, settings: MdSettings, generator: np.random.Generator) -> Any:
    require(atoms.cell.rank == 3 and bool(atoms.pbc.all()), "npt needs a cell that is periodic in all directions")
    try:
        atoms.get_stress()
    except Exception as error:
        message = f"npt needs stresses, which this potential does not give ({error}); choose nvt."
        raise RunnerError("invalid_input", message) from error
    time = settings.thermostat_time_fs * units.fs
    dynamics: Any = IsotropicMTKNPT(
        atoms,
        settings.timestep_fs * units.fs,
        settings.temperature_K,
        settings.pressure_GPa * units.GPa,
        tdamp=time,
        pdamp=settings.barostat_time_fs * units.fs,
        tchain=CHAIN_LENGTH,
        pchain=CHAIN_LENGTH,
    )
    # 1 + 3/N_f of Martyna, Tobias and Klein, with N_f = 3N - 3.
    dynamics._num_atoms_global = len(atoms) - 1
    if settings.thermostat == "nose_hoover":
        _count_without_drift(dynamics._thermostat, len(atoms))
    else:
        kind = CsvrOperator if settings.thermostat == "csvr" else LangevinOperator
        dynamics._thermostat = kind(atoms.get_masses()[:, None], settings.temperature_K, time, generator)
    return dynamics


def _count_without_drift(thermostat: Any, n_atoms: int) -> None:
    """Make an ASE Nose-Hoover chain count 3N-3 degrees of freedom."""
    thermostat._Q[0] *= degrees_of_freedom(n_atoms) / (3 * n_atoms)
    thermostat._num_atoms_global = n_atoms - 1


class CsvrOperator:
    """Stochastic velocity rescaling over part of a time step (eq. A7 of Bussi et al. 2007).

    :param masses: (N, 1), atomic mass units.
    :param temperature_K: target, K.
    :param time: relaxation time, ASE time units.
    :param generator: random numbers.
    """

    def __init__(self, masses: Array, temperature_K: float, time: float, generator: np.random.Generator) -> None:
        self.masses, self.time, self.generator = masses, time, generator
        self.kT = units.kB * temperature_K
        self.ndof = degrees_of_freedom(len(masses))

    def integrate_nhc(self, momenta: Array, duration: float) -> Array:
        """Return the momenta, (N, 3), after the duration; ASE's barostat calls it by this name."""
        decay = math.exp(-duration / self.time)
        kinetic = 0.5 * float(np.sum(momenta**2 / self.masses))
        share = (1.0 - decay) * 0.5 * self.kT / kinetic
        normal = self.generator.standard_normal()
        others = 2.0 * self.generator.standard_gamma(0.5 * (self.ndof - 1))
        square = decay + share * (others + normal**2) + 2.0 * normal * math.sqrt(decay * share)
        return momenta * math.sqrt(square)


class LangevinOperator(CsvrOperator):
    """Exact Ornstein-Uhlenbeck process of the momenta over part of a time step, at zero total momentum."""

    def integrate_nhc(self, momenta: Array, duration: float) -> Array:
        """Return the momenta, (N, 3), after the duration."""
        decay = math.exp(-duration / self.time)
        noise = self.generator.standard_normal(momenta.shape) * np.sqrt(self.masses * self.kT)
        mixed = decay * momenta + math.sqrt(1.0 - decay**2) * noise
        return without_drift(mixed, self.masses)


def without_drift(momenta: Array, masses: Array) -> Array:
    """Return momenta, (N, 3), whose sum is zero: the velocity of the centre of mass is subtracted.

    :param momenta: (N, 3).
    :param masses: (N, 1).
    """
    drift: Array = masses * (momenta.sum(axis=0) / masses.sum())
    return momenta - drift


def has_drift(momenta: Array) -> bool:
    """Return whether the total momentum is more than rounding.

    :param momenta: (N, 3).
    """
    total = float(np.linalg.norm(momenta.sum(axis=0)))
    return total > DRIFT_TOLERANCE * float(np.abs(momenta).sum())


def degrees_of_freedom(n_atoms: int) -> int:
    """Return the number of degrees of freedom at zero total momentum."""
    return 3 * n_atoms - 3


def _attribute(owner: Any, path: str) -> Any:
    return reduce(getattr, path.split("."), owner) if path else owner
