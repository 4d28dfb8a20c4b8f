"""Forces of many runs at once: memory that runs out, frames that cannot be evaluated, batches that are wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from aiida_ion.runners.batches import one_by_one
from aiida_ion.runners.dynamics.batch_forces import BatchForces
from aiida_ion.runners.lennard_jones import PairLennardJones
from aiida_ion.runners.output import RunnerError


def argon(repeat: int) -> Atoms:
    atoms: Atoms = bulk("Ar", "fcc", a=5.3, cubic=True).repeat((repeat, 1, 1))
    atoms.rattle(0.05, seed=repeat)
    return atoms


class Batches:
    """Evaluates frames as a model with batches would, and notes the sizes of what it was given."""

    def __init__(self, most_atoms: int = 10**6, broken: int = -1, offset: float = 0.0) -> None:
        self.calculator = PairLennardJones()
        self.most_atoms, self.broken, self.offset = most_atoms, broken, offset
        self.seen: list[list[int]] = []

    def __call__(self, frames: Sequence[Atoms]) -> Any:
        sizes = [len(frame) for frame in frames]
        self.seen.append(sizes)
        if sum(sizes) > self.most_atoms:
            raise RuntimeError("CUDA out of memory. Tried to allocate 20.00 MiB")
        if self.broken in sizes:
            raise RuntimeError("no neighbours")
        energies, forces = one_by_one(self.calculator, frames)
        return energies + self.offset, forces


def test_frames_go_together_up_to_the_budget() -> None:
    batches = Batches()
    frames = [argon(repeat) for repeat in (1, 2, 3, 1)]
    evaluated = BatchForces(PairLennardJones(), batches, 12).evaluate(frames)
    assert batches.seen == [[4, 8], [12], [4]]
    for frame, (energy, forces) in zip(frames, evaluated, strict=True):  # type: ignore[misc]
        expected = one_by_one(PairLennardJones(), [frame])
        assert energy == pytest.approx(expected[0][0]) and np.allclose(forces, expected[1][0])


def test_the_budget_is_halved_when_memory_runs_out_and_stays_so() -> None:
    batches = Batches(most_atoms=14)
    forces = BatchForces(PairLennardJones(), batches, 100)
    frames = [argon(1), argon(2), argon(1), argon(2)]
    assert not [one for one in forces.evaluate(frames) if isinstance(one, Exception)]
    assert forces.atoms_at_once == 12 and batches.seen == [[4, 8, 4, 8], [4, 8], [4, 8]]
    batches.seen.clear()
    forces.evaluate(frames)
    assert batches.seen == [[4, 8], [4, 8]]


def test_a_frame_that_does_not_fit_by_itself_is_the_only_one_without_forces() -> None:
    forces = BatchForces(PairLennardJones(), Batches(most_atoms=9), 100)
    evaluated = forces.evaluate([argon(1), argon(3), argon(2)])
    assert [isinstance(one, Exception) for one in evaluated] == [False, True, False]
    assert "out of memory" in str(evaluated[1])


def test_a_frame_that_cannot_be_evaluated_is_the_only_one_without_forces() -> None:
    forces = BatchForces(PairLennardJones(), Batches(broken=12), 100)
    evaluated = forces.evaluate([argon(1), argon(2), argon(3), argon(1), argon(2)])
    assert [isinstance(one, Exception) for one in evaluated] == [False, False, True, False, False]
    assert forces.atoms_at_once == 100


def test_batches_that_differ_from_the_calculator_end_all() -> None:
    forces = BatchForces(PairLennardJones(), Batches(offset=0.1), 100)
    with pytest.raises(RunnerError, match="differ from the ASE calculator by 0.1 eV"):
        forces.evaluate([argon(1), argon(2)])


def test_a_frame_that_flies_apart_is_not_what_batches_are_judged_by() -> None:
    wild = argon(2)
    wild.positions[1] = wild.positions[0]
    with np.errstate(all="ignore"):
        evaluated = BatchForces(PairLennardJones(), Batches(), 100).evaluate([argon(1), wild])
    assert not isinstance(evaluated[0], Exception)
