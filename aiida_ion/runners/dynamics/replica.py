"""One run of a batch: a single run in every respect, but that its steps wait for the forces that all share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes

from aiida_ion.runners.dynamics.batch_forces import FrameForces
from aiida_ion.runners.dynamics.coroutine import Coroutine
from aiida_ion.runners.dynamics.segment import finish, read_segment, start
from aiida_ion.runners.dynamics.simulation import Simulation
from aiida_ion.runners.output import RunnerError, is_out_of_memory
from aiida_ion.runners.stops import StopSignal
from aiida_ion.settings.md import MdSettings

#: Where the files of a replica are: a folder of its key in this one.
REPLICAS = Path("replicas")


class Request(NamedTuple):
    """A frame that waits for its forces, and what changed in it since the last one, as ASE says it."""

    frame: Atoms
    system_changes: Any


@dataclass
class BatchState:
    """What a batch tells its replicas.

    :param fingerprint: of the potential.
    :param stop: the signal that was received, if any.
    :param ending: the status with which all end after their current step; empty while they go on.
    :param n_saves: how often all have been told to write their restart files.
    """

    fingerprint: str
    stop: StopSignal
    ending: str = ""
    n_saves: int = 0


class WaitingCalculator(Calculator):  # type: ignore[misc]
    """An ASE calculator whose forces come from outside, while the run that asked for them waits.

    :param own: a calculator that only this run uses; ``None`` where the model of all is asked.
    """

    implemented_properties = ("energy", "free_energy", "forces")

    def __init__(self, own: Any = None) -> None:
        super().__init__()
        self.own = own
        self.request: Request | None = None
        self.answer: FrameForces | None = None
        self.coroutine: Coroutine | None = None

    @property
    def reference(self) -> Any:
        """Positions and cell at which the pair list of its own calculator was made; ``None`` without one."""
        return getattr(self.own, "reference", None)

    @property
    def nl(self) -> Any:
        """The neighbour list of its own calculator; ``None`` without one."""
        return getattr(self.own, "nl", None)

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Any = None,
        system_changes: Any = all_changes,
    ) -> None:
        """Wait for energy (eV) and forces (eV/angstrom).

        :raises Exception: what the potential raised for this frame.
        """
        super().calculate(atoms, properties, system_changes)
        assert atoms is not None and self.coroutine is not None
        if not np.isfinite(atoms.positions).all():
            raise ValueError("positions are not finite")
        self.request, self.answer = Request(atoms.copy(), system_changes), None
        self.coroutine.wait()
        answer = self.answer
        if answer is None or isinstance(answer, Exception):
            raise answer or RuntimeError("the batch gave no forces")
        energy, forces = answer
        self.results = {"energy": energy, "free_energy": energy, "forces": forces}


class Replica:
    """A run of a batch.

    :param key: its name.
    :param inputs: ``md``, ``charges`` and ``closest_allowed_A``.
    :param atoms: its structure.
    :param batch: what the batch tells all.
    """

    def __init__(self, key: str, inputs: Mapping[str, Any], atoms: Atoms, batch: BatchState) -> None:
        self.key, self.n_atoms, self.numbers = key, len(atoms), atoms.numbers
        md = inputs["md"] if isinstance(inputs["md"], Mapping) else {}
        self.n_steps = int(md.get("n_steps") or 0)
        self.restart_every_s = float(md.get("restart_every_seconds") or MdSettings.restart_every_seconds)
        self.results: dict[str, Any] = {"status": "waiting", "message": "The batch ended before this run started."}
        self.first_step = 0
        self._inputs, self._atoms, self._batch = inputs, atoms, batch
        self._calculator = WaitingCalculator()
        self._coroutine: Coroutine | None = None
        self._simulation: Simulation | None = None

    @property
    def step(self) -> int:
        """The step that it has reached; that of its start before it has started."""
        return self._simulation.step if self._simulation is not None else self.first_step

    @property
    def n_steps_done(self) -> int:
        """Steps that it has made in this batch."""
        return self.step - self.first_step

    @property
    def restart_s(self) -> float:
        """The longest time that writing its restart file took, s."""
        return self._simulation.restart_s if self._simulation is not None else 0.0

    @property
    def has_ended(self) -> bool:
        """Whether it needs no more forces."""
        return self._coroutine is not None and self._coroutine.has_ended

    @property
    def request(self) -> Request | None:
        """The frame whose forces it waits for."""
        return self._calculator.request

    @property
    def own(self) -> Any:
        """The calculator that only this run uses; ``None`` where the model of all is asked."""
        return self._calculator.own

    def begin(self, own: Any = None) -> None:
        """Start the run, up to its first wait for forces.

        :param own: a calculator that only this run uses.
        :raises OSError: where its files cannot be written, which ends the batch.
        """
        self._calculator.own = own
        self._coroutine = self._calculator.coroutine = Coroutine(self._run)
        self._coroutine.resume()

    def give(self, forces: FrameForces) -> None:
        """Go on with the forces that it waits for, up to its next wait, or its end.

        :raises OSError: where its files cannot be written, which ends the batch.
        """
        assert self._coroutine is not None
        self._calculator.request, self._calculator.answer = None, forces
        self._coroutine.resume()

    def fail(self, error: RunnerError) -> None:
        """Say why it ended, or never started."""
        self.results |= {"status": error.status, "message": error.message} | error.details

    def _run(self) -> None:
        """Run from the first step to the last: the body of its thread."""
        results = self.results
        results |= {"status": "stopped", "message": "The batch ended in the middle of this run."}
        try:
            segment = read_segment(self._inputs, self._atoms, REPLICAS / self.key)
            if segment.restart is not None:
                self.first_step = int(segment.restart["step"])
            simulation = start(segment, results, self._calculator, self._batch.fingerprint, self._batch.stop)
            self._simulation = simulation
            finish(simulation, results, segment.restart is not None, lambda: self._loop(simulation))
        except RunnerError as error:
            self.fail(error)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            message = f"The run does not fit into memory by itself: give the job more, or a smaller cell ({error})."
            self.fail(RunnerError("out_of_memory", message))

    def _loop(self, simulation: Simulation) -> str:
        """Make steps until the last, or until the batch ends; return the status."""
        n_saves = self._batch.n_saves
        while simulation.step < simulation.settings.n_steps:
            if self._batch.ending:
                return self._batch.ending
            simulation.advance()
            if self._batch.n_saves > n_saves:
                n_saves = self._batch.n_saves
                simulation.save()
        return "finished"
