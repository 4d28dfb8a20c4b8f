"""Energies of several materials in one batch, and what becomes of a frame that cannot be evaluated."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from functools import partial
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.calculator import Calculator, all_changes

from aiida_ion.analysis.energy_maps.frozen.compute import Request
from aiida_ion.analysis.energy_maps.frozen.grid import Host
from aiida_ion.runners.energies import EnergyEvaluator
from aiida_ion.runners.lennard_jones import PairLennardJones
from aiida_ion.runners.screening.lookahead import Lookahead, frame_of

TOY = {"sigma": 1.9, "epsilon": 0.05, "rc": 5.0}
TOO_NEAR_A = 0.3


class NearFails(PairLennardJones):
    """A toy that raises where two atoms are on top of each other."""

    def calculate(self, atoms: Atoms | None = None, properties: Any = None, system_changes: Any = all_changes) -> None:
        assert atoms is not None
        if len(atoms) > 1 and atoms.get_all_distances(mic=True)[np.triu_indices(len(atoms), 1)].min() < TOO_NEAR_A:
            raise RuntimeError("two atoms are one")
        super().calculate(atoms, properties, system_changes)


class Batches:
    """Evaluates frames one by one, and keeps how many there were at a time."""

    def __init__(self, calculator: Calculator, off_by: float = 0.0, memory_atoms: int = 10**6) -> None:
        self.calculator, self.off_by, self.memory_atoms = calculator, off_by, memory_atoms
        self.sizes: list[int] = []

    def __call__(self, frames: Sequence[Atoms]) -> Any:
        self.sizes.append(len(frames))
        if sum(map(len, frames)) > self.memory_atoms:
            raise MemoryError("no room")
        return np.array([energy(self.calculator, frame) + self.off_by for frame in frames])


def energy(calculator: Calculator, frame: Atoms) -> float:
    atoms = frame.copy()
    atoms.calc = calculator
    return float(atoms.get_potential_energy())


def request(a: float, n: int) -> Request:
    """Return a request for n places of an ion in a cubic cell of one atom."""
    atoms = bulk("Ar", "sc", a=a)
    one, none = np.eye(3, dtype=np.int64)[None], np.zeros((1, 3))
    host = Host(atoms.cell.array, atoms.numbers, atoms.get_scaled_positions(), one, none, 1e-3)
    return Request(host, 3, np.linspace([0.4, 0.4, 0.4], [0.6, 0.6, 0.7], n) @ host.cell)


def twice(first: Request, second: Request) -> Generator[Request, Any, list[list[float]]]:
    """Return the energies of two requests, the second of which is made when the first is answered."""
    energies = yield first
    more = yield second
    return [energies.tolist(), more.tolist()]


def expected(one: Request) -> list[float]:
    return [energy(PairLennardJones(**TOY), frame_of(one, place)) for place in one.positions_A]


@pytest.mark.parametrize("has_batches", [True, False])
def test_each_computation_gets_its_own_energies(has_batches: bool) -> None:
    batches = Batches(PairLennardJones(**TOY))
    evaluator = EnergyEvaluator(batches.calculator, batches if has_batches else None, 16)
    requests = {
        label: (request(3.0 + 0.1 * number, 5), request(3.1 + 0.1 * number, 3)) for number, label in enumerate("abc")
    }
    lookahead = Lookahead(evaluator, [(label, partial(twice, *pair)) for label, pair in requests.items()])
    for label, (first, second) in requests.items():
        outcome = lookahead.outcome(label)
        assert outcome.value == [pytest.approx(expected(first)), pytest.approx(expected(second))]
        assert outcome.cost["n_energies"] == 8 and outcome.cost["wall_s"] > 0
    assert evaluator.n_evaluated == 24
    if has_batches:  # 8 frames of two atoms at a time: the next materials fill what the first leaves
        assert batches.sizes[0] == 8 and len(batches.sizes) <= 5


def test_a_frame_that_cannot_be_evaluated_fails_its_own_material() -> None:
    batches = Batches(NearFails(**TOY))
    evaluator = EnergyEvaluator(batches.calculator, batches, 64)
    near = request(3.0, 4)
    near.positions_A[2] = near.host.fractions[0] @ near.host.cell + [0.0, 0.0, 0.1]
    good = request(3.2, 4)
    lookahead = Lookahead(evaluator, [("near", partial(twice, near, near)), ("good", partial(twice, good, good))])
    with pytest.raises(RuntimeError, match="two atoms are one"):
        lookahead.outcome("near")
    assert lookahead.outcome("good").value[0] == pytest.approx(expected(good))
    assert evaluator.uses_batches


def test_a_batch_that_does_not_fit_is_halved() -> None:
    batches = Batches(PairLennardJones(**TOY), memory_atoms=6)
    evaluator = EnergyEvaluator(batches.calculator, batches, 32)
    one = request(3.0, 11)
    energies = evaluator.energies([frame_of(one, place) for place in one.positions_A])
    assert energies == pytest.approx(expected(one))
    assert batches.sizes == [11, 5, 2, 3, 6, 3, 3] and evaluator.atoms_at_once == 4


def test_a_model_that_differs_from_its_calculator_is_not_used() -> None:
    batches = Batches(PairLennardJones(**TOY), off_by=0.01)
    evaluator = EnergyEvaluator(batches.calculator, batches, 32)
    one = request(3.0, 5)
    energies = evaluator.energies([frame_of(one, place) for place in one.positions_A])
    assert energies == pytest.approx(expected(one)) and not evaluator.uses_batches
    assert "differ from the ASE calculator by 0.01 eV" in evaluator.warnings[0]
