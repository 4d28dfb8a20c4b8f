"""Which relaxations are used, and how the cell is repeated."""

from __future__ import annotations

import pytest
from aiida import orm
from aiida.common.links import LinkType
from ase import Atoms

from aiida_ion.workchains.conductivity.relaxation import is_relaxed, supercell_settings


@pytest.mark.usefixtures("aiida_profile")
@pytest.mark.parametrize(
    ("exit_status", "has_structure", "is_used"),
    [(0, True, True), (701, True, True), (400, True, False), (120, False, False), (701, False, False)],
)
def test_a_structure_that_is_not_quite_relaxed_is_used(
    aiida_localhost: orm.Computer, exit_status: int, has_structure: bool, is_used: bool
) -> None:
    job = orm.CalcJobNode(computer=aiida_localhost)
    job.set_process_state("finished")
    job.set_exit_status(exit_status)
    job.store()
    if has_structure:
        structure = orm.StructureData(ase=Atoms("Ar", cell=[5.0] * 3, pbc=True))
        structure.base.links.add_incoming(job, LinkType.CREATE, "structure")
        structure.store()
    assert is_relaxed(job) is is_used


def test_multiples_are_used_instead_of_the_rule() -> None:
    rule = {"min_width_A": 10.0, "supercell_rule": "edge"}
    assert supercell_settings(rule | {"jumps": True}) == rule
    assert supercell_settings(rule | {"supercell": [2, 2, 1]}) == {"multiples": [2, 2, 1]}
