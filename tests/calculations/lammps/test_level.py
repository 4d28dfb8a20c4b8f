"""A classical potential is known by its commands and its files."""

from __future__ import annotations

import hashlib
import io

import pytest
from aiida import orm
from aiida.common.links import LinkType

from aiida_ion.calculations.lammps.job import lammps_fingerprint


def job(content: bytes | None) -> orm.CalcJobNode:
    node = orm.CalcJobNode()
    potential = orm.Dict({"commands": "pair_style table linear 10", "level_of_theory": "mine", "files": ["x.table"]})
    node.base.links.add_incoming(potential.store(), LinkType.INPUT_CALC, "potential")
    if content is not None:
        file = orm.SinglefileData(io.BytesIO(content), filename="x.table").store()
        node.base.links.add_incoming(file, LinkType.INPUT_CALC, "files__x")
    return node


@pytest.mark.usefixtures("aiida_profile_clean")
def test_files_of_a_potential_are_in_its_fingerprint() -> None:
    kept = lammps_fingerprint(job(b"1 2 3").inputs)
    facts = kept["level_of_theory_fingerprint"]
    assert facts["files_sha256"] == {"x.table": hashlib.sha256(b"1 2 3").hexdigest()}
    assert facts["commands"] == "pair_style table linear 10"
    hashes = {lammps_fingerprint(job(one).inputs)["level_of_theory_sha256"] for one in (b"1 2 3", b"1 2 4", None)}
    assert len(hashes) == 3 and kept["level_of_theory_sha256"] in hashes
