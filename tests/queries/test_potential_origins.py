"""Where the weights of a job are from, and what is cited for its potential."""

from __future__ import annotations

import io
from typing import Any

import pytest
from aiida import orm

from aiida_ion.lammps.potentials import POTENTIALS
from aiida_ion.queries.potentials import potential_origins
from tests.queries.nodes import given, job


@pytest.mark.usefixtures("aiida_profile_clean")
def test_files_of_ones_own_and_citations_are_known() -> None:
    computer = orm.Computer("here", "localhost", "", "core.local", "core.direct").store()

    def run(potential: dict[str, Any], kind: str = "ion.lammps_md", **inputs: Any) -> str:
        made = given(job(kind, computer=computer), potential=orm.Dict(potential), **inputs)
        return str(made.store().uuid)

    name = next(iter(POTENTIALS))
    weights = orm.SinglefileData(io.BytesIO(b"weights"), filename="mine.pth")
    known = {
        run({"name": name}): (False, POTENTIALS[name].citation),
        run({"name": name, "citation": "Ours, 2026"}): (False, "Ours, 2026"),
        run({"commands": "pair_style lj/cut 9"}): (False, None),
        run({"name": ["<b>"], "citation": 7}): (False, None),
        run({"name": "sevenn"}, "ion.mlip_md", checkpoint=weights): (True, None),
        "nothing": (False, None),
    }
    origins = potential_origins(known)
    assert {uuid: (origin["has_file"], origin["citation"]) for uuid, origin in origins.items()} == known
    assert potential_origins([]) == {}
