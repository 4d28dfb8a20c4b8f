"""One segment of a molecular-dynamics run, from its working folder to its results."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from ase import Atoms

from aiida_ion.runners.dynamics.endings import ExplodedError, LeftTrainingError
from aiida_ion.runners.dynamics.ensembles import make_integrator
from aiida_ion.runners.dynamics.recorder import UNITS
from aiida_ion.runners.dynamics.restart import RESTART, read_restart, require_same_potential
from aiida_ion.runners.dynamics.simulation import Simulation
from aiida_ion.runners.dynamics.starting import evaluate_start, make_recorder, set_momenta
from aiida_ion.runners.output import Ledger, RunnerError, is_out_of_memory
from aiida_ion.runners.potentials import describe_potential, load_potential
from aiida_ion.runners.run_inputs import (
    atom_charges,
    closest_allowed,
    md_inputs,
    potential_inputs,
    read_inputs,
    read_structure,
)
from aiida_ion.runners.stops import StopSignal, usable_seconds

if TYPE_CHECKING:
    from aiida_ion.settings.md import MdSettings

Array = np.ndarray[Any, Any]
#: Evaluations before the first step, so that just-in-time compilation is finished in every segment.
WARM_UP = 3


@dataclass(frozen=True)
class Segment:
    """What a segment is made of, but for its forces.

    :param atoms: the structure; :func:`start` sets its momenta.
    :param settings: the MD settings.
    :param charges: formal charges, (N,) in e.
    :param closest_allowed_A: bound of each pair of elements that is watched; empty for none.
    :param restart: the restart file of the run that is continued.
    :param folder: where its files are.
    """

    atoms: Atoms
    settings: MdSettings
    charges: Array
    closest_allowed_A: Mapping[str, float]
    restart: dict[str, Array] | None
    folder: Path


def read_segment(inputs: Mapping[str, Any], atoms: Atoms, folder: Path) -> Segment:
    """Read what a segment is made of.

    :param inputs: ``md``, ``charges`` and ``closest_allowed_A``.
    :param folder: where its restart file may be.
    :raises RunnerError: ``invalid_input``.
    """
    settings = md_inputs(inputs)
    restart = read_restart(folder / RESTART, atoms, settings)
    return Segment(atoms, settings, atom_charges(inputs, atoms), closest_allowed(inputs), restart, folder)


def simulate(results: dict[str, Any], ledger: Ledger) -> None:
    """Run the segment that the working folder describes; fill its results.

    :param results: gets status, message, counts, versions.
    :param ledger: gets the costs.
    :raises RunnerError: for anything that keeps the run from starting, or ends it.
    """
    inputs = read_inputs(Path("inputs.json"))
    potential_settings = potential_inputs(inputs)
    deadline_s = ledger.start_s + usable_seconds(inputs.get("max_seconds"))
    segment = read_segment(inputs, read_structure(Path("structure.json")), Path())
    results |= {"n_atoms": len(segment.atoms), "units": UNITS}
    results["engine"] = {
        "potential": potential_settings.name,
        "device": potential_settings.device,
        "threads": potential_settings.threads,
    }
    stop = StopSignal()
    if potential_settings.device.startswith("cuda"):
        ledger.hold_gpu()
    potential = load_potential(potential_settings, segment.atoms.numbers)
    describe_potential(results, potential)
    fingerprint = potential.fingerprint(potential_settings.name)
    n_warm_up = WARM_UP if potential.is_compiled else 0
    simulation = start(segment, results, potential.calculator, fingerprint, stop, n_warm_up)
    finish(simulation, results, segment.restart is not None, lambda: simulation.run(ledger, deadline_s))


def start(
    segment: Segment, results: dict[str, Any], calculator: Any, fingerprint: str, stop: StopSignal, n_warm_up: int = 0
) -> Simulation:
    """Return a segment at its first step, with its forces.

    :param results: gets where the velocities came from.
    :param calculator: an ASE calculator.
    :param fingerprint: of the potential; that of a continuation must be the same.
    :param n_warm_up: evaluations before the first that counts.
    :raises RunnerError: for anything that keeps the run from starting.
    """
    atoms, settings, restart = segment.atoms, segment.settings, segment.restart
    if restart is not None:
        require_same_potential(restart, fingerprint)
    results["initial_velocities"] = set_momenta(atoms, settings, restart, segment.folder)
    evaluate_start(atoms, calculator, restart, n_warm_up)
    integrator = make_integrator(atoms, settings)
    step = 0
    if restart is not None:
        integrator.set_state(restart)
        step = int(restart["step"])
    recorder = make_recorder(settings, len(atoms), step, restart, segment.folder)
    watched = segment.closest_allowed_A
    return Simulation(
        atoms, settings, integrator, recorder, segment.charges, step, fingerprint, stop, watched, segment.folder
    )


def finish(simulation: Simulation, results: dict[str, Any], continues: bool, loop: Callable[[], str]) -> None:
    """Run a segment to its end; fill its results.

    :param continues: whether its first step was written by the segment before.
    :param loop: runs the steps, and returns the status.
    :raises RunnerError: where the potential fails.
    """
    recorder = simulation.recorder
    writes_start = recorder.writes_start and not continues
    try:
        simulation.measure(writes=writes_start)
        simulation.save()
        status = loop()
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
