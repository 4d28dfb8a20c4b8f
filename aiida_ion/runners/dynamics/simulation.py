"""The loop of a molecular-dynamics run, its stops and its restart file."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from ase import Atoms, units

from aiida_ion.runners.distances import nearest_pair, radii_A
from aiida_ion.runners.dynamics.endings import ExplodedError, LeftTrainingError
from aiida_ion.runners.dynamics.ensembles import Integrator, degrees_of_freedom
from aiida_ion.runners.dynamics.recorder import Recorder
from aiida_ion.runners.dynamics.restart import RESTART, RunState, write_restart
from aiida_ion.runners.output import Ledger, write_json
from aiida_ion.runners.potentials import neighbour_reference
from aiida_ion.runners.stops import StopSignal
from aiida_ion.training.nearest import closest_below
from aiida_ion.units import FS_PER_PS

if TYPE_CHECKING:
    from aiida_ion.settings.md import MdSettings

Array = np.ndarray[Any, Any]
TICK_S = 1.0
#: A run that was too hot for this many steps in a row has exploded.
HOT_STEPS = 5
#: An npt cell that shrank or grew by this factor in volume is no longer a crystal.
VOLUME_RATIO = 3.0


class Simulation:
    """A segment that is ready to run.

    :param atoms: with calculator, positions, momenta and cell of the starting step.
    :param settings: the MD settings.
    :param integrator: the integrator.
    :param recorder: the arrays.
    :param charges: formal charges, (N,) in e.
    :param step: global step to start at.
    :param potential: the potential's fingerprint.
    :param stop: the signal that was received, if any.
    :param closest_allowed_A: bound of each pair of elements, looked at in each stored frame; empty for none.
    :param folder: where the restart file and the progress go.
    """

    def __init__(
        self,
        atoms: Atoms,
        settings: MdSettings,
        integrator: Integrator,
        recorder: Recorder,
        charges: Array,
        step: int,
        potential: str,
        stop: StopSignal,
        closest_allowed_A: Mapping[str, float] | None = None,
        folder: Path = Path(),
    ) -> None:
        self.atoms, self.settings, self.integrator, self.recorder = atoms, settings, integrator, recorder
        self.step, self.stop = step, stop
        self.restart_s, self._folder = 0.0, folder
        self._potential = potential
        self._calculator: Any = atoms.calc
        self._inverse_masses = 1.0 / atoms.get_masses()[:, None]
        self._charges_fs = charges * units.fs
        self._kelvin_per_eV = 2.0 / (degrees_of_freedom(len(atoms)) * units.kB)
        self._too_hot = settings.max_temperature_ratio * settings.temperature_K
        self._radii = radii_A(atoms.numbers)
        self._hot_steps, self._temperature_K = 0, 0.0
        self._is_npt = settings.ensemble == "npt"
        self._start_volume = float(atoms.cell.volume)
        results = getattr(self._calculator, "results", {})
        self._has_results = {"energy", "forces"} <= set(results)
        self._closest_allowed_A = closest_allowed_A or {}
        self._symbols = list(atoms.symbols)
        self._last_good: RunState | None = None

    def measure(self, writes: bool = True) -> None:
        """Check the current step, and write it.

        :param writes: whether the step belongs to this segment.
        :raises ExplodedError: before the step is written.
        :raises LeftTrainingError: after it is written.
        """
        energy, forces = self._energy_and_forces()
        momenta = self.atoms.arrays["momenta"]
        velocities = momenta * self._inverse_masses
        kinetic = 0.5 * float(np.vdot(momenta, velocities))
        temperature = kinetic * self._kelvin_per_eV
        largest = math.sqrt(np.einsum("ij,ij->i", forces, forces).max())
        self._check(energy, kinetic, temperature, largest)
        if self.step % self.settings.sample_every == 0:
            self._check_distances()
        self._temperature_K = temperature
        if not writes:
            return
        current = self._charges_fs @ velocities
        row: tuple[Any, ...] = (self.step, energy, kinetic, temperature, largest, current)
        if self._is_npt:
            row += self._pressure_and_volume(kinetic)
        self.recorder.thermo(row)
        self.recorder.frame(self.step, self.atoms, velocities, forces)
        if self._closest_allowed_A and self.step % self.settings.sample_every == 0:
            self._check_training_frames()

    def advance(self) -> None:
        """Make one step, check it and write it.

        :raises ExplodedError: with the arrays complete up to the step before.
        :raises LeftTrainingError: with the arrays complete up to this step.
        """
        self.integrator.step()
        self.step += 1
        self.measure()

    def run(self, ledger: Ledger, deadline_s: float) -> str:
        """Run to the last step, or to the deadline or a signal; return the status.

        :param ledger: counts the steps.
        :param deadline_s: monotonic time at which the loop must end, s; infinite for none.
        :raises ExplodedError: with the arrays complete up to the step before.
        """
        last, begin = self.settings.n_steps, time.monotonic()
        first, previous, slowest = self.step, begin, 0.0
        interval = min(TICK_S, self.settings.restart_every_seconds)
        tick, save = begin + interval, begin + self.settings.restart_every_seconds
        advance, clock = self.advance, time.monotonic
        status = "finished"
        try:
            while self.step < last:
                if self.stop.name:
                    return "terminated"
                if previous + 2.0 * max(slowest, self.restart_s) >= deadline_s:
                    return "walltime"
                advance()
                now = clock()
                slowest, previous = max(slowest, now - previous), now
                if now >= tick:
                    self._report(first, now - begin)
                    if now >= save:
                        self.save()
                        save = clock() + self.settings.restart_every_seconds
                    previous = clock()
                    tick = previous + interval
            return status
        finally:
            ledger.n_steps, ledger.loop_wall_s = self.step - first, time.monotonic() - begin

    def save(self) -> None:
        """Write the arrays, then the restart file, which has their lengths."""
        begin = time.monotonic()
        self._write(self._state())
        self.restart_s = max(self.restart_s, time.monotonic() - begin)

    def save_last_good(self) -> None:
        """Write the state of the last frame that had no pair below its bound, where there is one."""
        if self._last_good is not None:
            self._write(self._last_good)

    def _write(self, state: RunState) -> None:
        self.recorder.flush(durable=True)
        write_restart(self._folder / RESTART, state.atoms, self.settings, state.counts, state.hidden)

    def _state(self) -> RunState:
        """Return what the restart file holds of the current step."""
        counts: dict[str, Any] = {
            "step": self.step,
            "start_step": self.recorder.start_step,
            "writes_start": self.recorder.writes_start,
            "n_frames": self.recorder.n_frames,
            "n_thermo": self.recorder.n_thermo,
            "potential": self._potential,
        }
        state = self.integrator.get_state()
        reference = neighbour_reference(self._calculator)
        if reference is not None:
            state |= {"neighbour_positions": np.array(reference[0]), "neighbour_cell": np.array(reference[1])}
        return RunState(self.atoms, counts, state)

    def _energy_and_forces(self) -> tuple[float, Array]:
        """Return the calculator's results for the current positions, without checking its cache again."""
        if self._has_results:
            results = self._calculator.results
            return float(results["energy"]), results["forces"]
        return float(self.atoms.get_potential_energy()), self.atoms.get_forces(apply_constraint=False)

    def _check(self, energy: float, kinetic: float, temperature: float, largest: float) -> None:
        limit = self.settings.max_force_eV_A
        if not (math.isfinite(energy) and math.isfinite(kinetic) and math.isfinite(largest)):
            raise ExplodedError("energy, forces or velocities are not finite")
        if largest > limit:
            raise ExplodedError(f"a force of {largest:.4g} eV/angstrom is above the limit of {limit:g}")
        self._hot_steps = self._hot_steps + 1 if temperature > self._too_hot else 0
        if self._hot_steps >= HOT_STEPS:
            raise ExplodedError(f"the temperature stayed above {self._too_hot:g} K; it is now {temperature:.4g} K")

    def _check_distances(self) -> None:
        ratio, first, second = nearest_pair(self.atoms, self._radii)
        if ratio < self.settings.min_distance_ratio:
            names = [f"{self.atoms.symbols[atom]} {atom}" for atom in (first, second)]
            raise ExplodedError(
                f"{names[0]} and {names[1]} are {ratio:.3g} times the sum of their radii apart, below the limit of "
                f"{self.settings.min_distance_ratio:g}"
            )

    def _check_training_frames(self) -> None:
        """Refuse a stored frame with a pair below its bound; of the others the last one is remembered.

        :raises LeftTrainingError: naming the pair.
        """
        atoms = self.atoms
        seen = closest_below(
            self._symbols, atoms.positions, np.array(atoms.cell), self._closest_allowed_A, atoms.pbc.tolist()
        )
        if seen is not None:
            raise LeftTrainingError(seen, self.step, self.step * self.settings.timestep_fs / FS_PER_PS)
        state = self._state()
        copy = atoms.copy()
        copy.set_constraint()
        self._last_good = state._replace(atoms=copy)

    def _pressure_and_volume(self, kinetic: float) -> tuple[float, float]:
        """Return pressure (GPa) and volume (angstrom^3), and refuse a cell that collapsed or burst."""
        volume = float(self.atoms.cell.volume)
        ratio = volume / self._start_volume
        if not 1.0 / VOLUME_RATIO < ratio < VOLUME_RATIO:
            raise ExplodedError(f"the volume became {ratio:.3g} times that at the start")
        results = getattr(self._calculator, "results", {})
        stress = results["stress"] if "stress" in results else self.atoms.get_stress()
        trace = float(np.trace(stress)) if np.ndim(stress) == 2 else float(stress[0] + stress[1] + stress[2])
        return (2.0 * kinetic / volume - trace) / 3.0 / units.GPa, volume

    def _report(self, first: int, elapsed_s: float) -> None:
        self.recorder.flush()
        rate = (self.step - first) / elapsed_s
        left = self.settings.n_steps - self.step
        progress = {
            "step": self.step,
            "n_steps": self.settings.n_steps,
            "steps_per_s": rate,
            "seconds_left": left / rate,
            "temperature_K": self._temperature_K,
        }
        write_json(self._folder / "progress.json", progress)
