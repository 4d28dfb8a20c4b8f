"""Computations that need energies, of several materials at a time, so that every batch of the potential is full.

A computation is a generator: it yields a :class:`Request` and is sent the energies. While the first material still
needs some, points of the next ones fill the rest of the batch.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from ase import Atoms

from aiida_ion.analysis.energy_maps.frozen.compute import Request
from aiida_ion.runners.energies import EnergyEvaluator

Computation = Generator[Request, Any, Any]


@dataclass
class _Open:
    """A computation that has begun."""

    computation: Computation
    request: Request | None = None
    energies: list[float] = field(default_factory=list)
    result: Any = None
    error: Exception | None = None
    wall_s: float = 0.0
    cpu_s: float = 0.0
    n_evaluated: int = 0

    @property
    def is_done(self) -> bool:
        return self.request is None

    def advance(self, energies: Any) -> None:
        """Go on to the next request, or to the end."""
        wall, cpu = time.perf_counter(), time.process_time()
        self.energies = []
        try:
            self.request = self.computation.send(energies)
        except StopIteration as stop:
            self.request, self.result = None, stop.value
        except Exception as error:
            self.request, self.error = None, error
        self.wall_s += time.perf_counter() - wall
        self.cpu_s += time.process_time() - cpu

    def fail(self, error: Exception) -> None:
        """End with an error."""
        self.request, self.error = None, error

    def frames(self, most_atoms: int) -> list[Atoms]:
        """Return the next frames, no more than have so many atoms, but one at least."""
        if self.request is None:
            return []
        rest = self.request.positions_A[len(self.energies) :]
        return [frame_of(self.request, place) for place in rest[: max(1, most_atoms // self.n_atoms)]]

    @property
    def n_atoms(self) -> int:
        """Atoms of its frames."""
        return 0 if self.request is None else len(self.request.host.numbers) + 1

    def take(self, energies: Sequence[float], wall_s: float, cpu_s: float) -> None:
        """Take energies, and what they cost."""
        assert self.request is not None
        self.energies += energies
        self.wall_s, self.cpu_s = self.wall_s + wall_s, self.cpu_s + cpu_s
        self.n_evaluated += len(energies)
        if len(self.energies) == len(self.request.positions_A):
            self.advance(np.array(self.energies))


@dataclass(frozen=True)
class Outcome:
    """What a computation returned, and its own share of the cost.

    :param value: what it returned.
    :param cost: ``wall_s`` and ``cpu_s``, s, and ``n_energies``.
    """

    value: Any
    cost: dict[str, float]


class Lookahead:
    """Computations in a row, whose requests share batches.

    :param evaluator: computes energies.
    :param computations: labels and what begins each computation, in the order in which they will be asked for.
    """

    def __init__(
        self, evaluator: EnergyEvaluator, computations: Sequence[tuple[str, Callable[[], Computation]]]
    ) -> None:
        self._evaluator = evaluator
        self._waiting: Iterator[tuple[str, Callable[[], Computation]]] = iter(computations)
        self._open: dict[str, _Open] = {}

    def outcome(self, label: str) -> Outcome:
        """Return the outcome of a computation, after as many batches as it needs.

        :raises Exception: what the computation, or the potential for one of its frames, raised.
        """
        while label not in self._open:
            self._begin()
        wanted = self._open[label]
        while not wanted.is_done:
            self._evaluate(wanted)
        del self._open[label]
        if wanted.error is not None:
            raise wanted.error
        cost = {"wall_s": wanted.wall_s, "cpu_s": wanted.cpu_s, "n_energies": wanted.n_evaluated}
        return Outcome(wanted.result, cost)

    def _begin(self) -> None:
        label, begin = next(self._waiting)
        one = _Open(begin())
        one.advance(None)
        self._open[label] = one

    def _evaluate(self, wanted: _Open) -> None:
        """Evaluate one batch; a frame that the potential cannot evaluate is the fault of its own computation."""
        parts = self._gather(wanted)
        try:
            self._evaluate_together(parts)
        except Exception as error:
            if len(parts) == 1:
                parts[0][0].fail(error)
                return
            for part in parts:
                try:
                    self._evaluate_together([part])
                except Exception as own:
                    part[0].fail(own)

    def _gather(self, wanted: _Open) -> list[tuple[_Open, list[Atoms]]]:
        """Return the frames of a batch: of the wanted computation, then of those that come after it."""
        room = self._evaluator.atoms_at_once if self._evaluator.uses_batches else 1
        parts = [(wanted, wanted.frames(room))]
        room -= wanted.n_atoms * len(parts[0][1])
        seen = {id(wanted)}
        while room > 0 and self._evaluator.uses_batches:
            following = next((one for one in self._open.values() if id(one) not in seen), None)
            if following is None and not self._begin_next():
                break
            if following is None:
                continue
            seen.add(id(following))
            if not following.is_done and following.n_atoms <= room:
                parts.append((following, following.frames(room)))
                room -= following.n_atoms * len(parts[-1][1])
        return parts

    def _begin_next(self) -> bool:
        """Begin one more computation; ``False`` where none is left."""
        try:
            self._begin()
        except StopIteration:
            return False
        return True

    def _evaluate_together(self, parts: Sequence[tuple[_Open, list[Atoms]]]) -> None:
        """Evaluate frames of several computations, and give each its energies and its share of the cost."""
        wall, cpu = time.perf_counter(), time.process_time()
        energies = self._evaluator.energies([frame for _, frames in parts for frame in frames])
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        n_atoms = sum(len(frame) for _, frames in parts for frame in frames)
        start = 0
        for one, frames in parts:
            share = sum(map(len, frames)) / n_atoms
            own = energies[start : start + len(frames)].tolist()
            start += len(frames)
            one.take(own, share * wall, share * cpu)


def frame_of(request: Request, position_A: Any) -> Atoms:
    """Return the host with the ion as its last atom; all in the cell, where single precision is finest."""
    host = request.host
    positions = np.vstack([host.fractions @ host.cell, position_A])
    frame = Atoms(numbers=[*host.numbers, request.moved], positions=positions, cell=host.cell, pbc=True)
    frame.wrap()
    return frame
