"""One segment of a molecular-dynamics run, from its working folder to its results."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from ase import Atoms, units

from aiida_ion.runners.dynamics.endings import ExplodedError, LeftTrainingError
from aiida_ion.runners.dynamics.ensembles import has_drift, make_integrator, without_drift
from aiida_ion.runners.dynamics.recorder import UNITS, Recorder, own_counts
from aiida_ion.runners.dynamics.restart import RESTART, read_restart, require_same_potential
from aiida_ion.runners.dynamics.simulation import Simulation
from aiida_ion.runners.output import Ledger, RunnerError, is_out_of_memory
from aiida_ion.runners.potentials import Potential, describe_potential, load_potential, restore_neighbours
from aiida_ion.runners.run_inputs import (
    atom_charges,
    closest_allowed,
    md_inputs,
    potential_inputs,
    read_inputs,
    read_structure,
    require,
)
from aiida_ion.runners.stops import StopSignal, usable_seconds
from aiida_ion.starting_velocities import starting_velocities

if TYPE_CHECKING:
    from aiida_ion.settings.md import MdSettings

Array = np.ndarray[Any, Any]
#: Evaluations before the first step, so that just-in-time compilation is finished in every segment.
WARM_UP = 3


def simulate(results: dict[str, Any], ledger: Ledger) -> None:
    """Run the segment that the working folder describes; fill its results.

    :param results: gets status, message, counts, versions.
    :param ledger: gets the costs.
    :raises RunnerError: for anything that keeps the run from starting, or ends it.
    """
    inputs = read_inputs(Path("inputs.json"))
    settings, potential_settings = md_inputs(inputs), potential_inputs(inputs)
    deadline_s = ledger.start_s + usable_seconds(inputs.get("max_seconds"))
    atoms = read_structure(Path("structure.json"))
    charges = atom_charges(inputs, atoms)
    restart = read_restart(RESTART, atoms, settings)
    results |= {"n_atoms": len(atoms), "units": UNITS}
    results["engine"] = {
        "potential": potential_settings.name,
        "device": potential_settings.device,
        "threads": potential_settings.threads,
    }
    stop = StopSignal()
    if potential_settings.device.startswith("cuda"):
        ledger.hold_gpu()
    potential = load_potential(potential_settings, atoms.numbers)
    describe_potential(results, potential)
    fingerprint = potential.fingerprint(potential_settings.name)
    if restart is not None:
        require_same_potential(restart, fingerprint)
    results["initial_velocities"] = _set_momenta(atoms, settings, restart)
    _evaluate(atoms, potential, restart)
    integrator = make_integrator(atoms, settings)
    step = 0
    if restart is not None:
        integrator.set_state(restart)
        step = int(restart["step"])
    recorder = _recorder(settings, len(atoms), step, restart)
    watched = closest_allowed(inputs)
    simulation = Simulation(atoms, settings, integrator, recorder, charges, step, fingerprint, stop, watched)
    _run(simulation, results, ledger, deadline_s, continues=restart is not None)


def _run(simulation: Simulation, results: dict[str, Any], ledger: Ledger, deadline_s: float, continues: bool) -> None:
    recorder = simulation.recorder
    writes_start = recorder.writes_start and not continues
    try:
        simulation.measure(writes=writes_start)
        simulation.save()
        status = simulation.run(ledger, deadline_s)
        simulation.save()
        results |= {"status": status, "message": _message(status, simulation)}
    except ExplodedError as error:
        results |= {"status": "exploded", "message": _explosion(str(error), simulation)}
    except LeftTrainingError as error:
        simulation.save_last_good()
        results |= {"status": "left_training", "message": str(error)}
    except RunnerError:
        raise
    except Exception as error:
        if is_out_of_memory(error) or isinstance(error, OSError):
            raise
        raise _engine_failure(error, simulation) from error
    finally:
        recorder.finish()
        results |= {"start_step": recorder.start_step, "last_step": simulation.step}
        if results.get("status") == "exploded":
            results["last_step"] = max(simulation.step - 1, recorder.start_step)
        results |= {"n_frames": recorder.n_frames, "n_thermo": recorder.n_thermo}


def _message(status: str, simulation: Simulation) -> str:
    step, total = simulation.step, simulation.settings.n_steps
    if status == "finished":
        return f"All {total} steps are done."
    cause = "max_seconds ran out" if status == "walltime" else f"signal {simulation.stop.name} was received"
    return f"The run stopped at step {step} of {total} because {cause}; continue it from restart.npz."


def _explosion(reason: str, simulation: Simulation) -> str:
    advice = "relax the structure first" if simulation.step == 0 else "try a smaller timestep_fs"
    return f"The run exploded at step {simulation.step}: {reason}; {advice}, or check that the potential suits it."


def _engine_failure(error: Exception, simulation: Simulation) -> RunnerError:
    """Return what an error inside the potential means; often the atoms had flown apart."""
    where = f"step {simulation.step + 1}"
    momenta, positions = simulation.atoms.arrays["momenta"], simulation.atoms.positions
    if not (np.isfinite(momenta).all() and np.isfinite(positions).all()):
        return RunnerError("exploded", f"The run exploded at {where}: positions or velocities are not finite.")
    advice = "its traceback, if any, is in the error output; restart.npz holds the last good state"
    return RunnerError("engine_failed", f"The potential failed at {where} ({type(error).__name__}: {error}); {advice}.")


def _set_momenta(atoms: Atoms, settings: MdSettings, restart: dict[str, Array] | None) -> str:
    """Set positions, cell and momenta of the starting step; return where the velocities came from."""
    masses = atoms.get_masses()[:, None]
    if restart is not None:
        atoms.set_positions(restart["positions"])
        atoms.set_cell(restart["cell"], scale_atoms=False)
        atoms.set_momenta(restart["momenta"])
        return "restart"
    given = Path("initial_velocities.npy")
    if not given.exists():
        velocities = starting_velocities(masses[:, 0], settings.temperature_K, settings.seed)
        atoms.set_momenta(velocities / units.fs * masses)
        return "maxwell_boltzmann"
    try:
        velocities = np.load(given, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise RunnerError("invalid_input", f"{given.name} cannot be read: {error}") from error
    require(velocities.shape == atoms.positions.shape, f"{given.name} must have the shape {atoms.positions.shape}")
    require(bool(np.isfinite(velocities).all()), f"{given.name} has velocities that are not finite")
    momenta = velocities.astype(float) / units.fs * masses
    drifts = has_drift(momenta)
    atoms.set_momenta(without_drift(momenta, masses) if drifts else momenta)
    return "file, its drift removed" if drifts else "file"


def _evaluate(atoms: Atoms, potential: Potential, restart: dict[str, Array] | None) -> None:
    """Attach the calculator and evaluate it, with the pair list that the uninterrupted run would have.

    :raises RunnerError: if the potential cannot evaluate this structure.
    """
    calculator = potential.calculator
    try:
        atoms.calc = calculator
        if potential.is_compiled:
            for _ in range(WARM_UP):
                calculator.calculate(atoms.copy(), ["energy", "forces"])
        if restart is not None and "neighbour_positions" in restart:
            reference = (restart["neighbour_positions"], restart["neighbour_cell"])
            restore_neighbours(calculator, atoms, reference)
        atoms.get_forces()
    except Exception as error:
        if is_out_of_memory(error) or isinstance(error, RunnerError):
            raise
        message = f"The potential cannot evaluate this structure ({type(error).__name__}: {error})."
        raise RunnerError("engine_failed", message) from error


def _recorder(settings: MdSettings, n_atoms: int, step: int, restart: dict[str, Array] | None) -> Recorder:
    counts = own_counts(Path(), restart, settings) if restart is not None else None
    if restart is None or counts is None:
        return Recorder(Path(), settings, n_atoms, step, restart is None, None)
    start_step, writes_start = int(restart["start_step"]), bool(restart["writes_start"])
    return Recorder(Path(), settings, n_atoms, start_step, writes_start, counts)
