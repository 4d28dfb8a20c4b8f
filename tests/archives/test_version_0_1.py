"""An archive that version 0.1 wrote fills every table.

``version_0_1.aiida``: argon at two levels of theory, in LAMMPS and in ASE, through the work chains of that version;
forces, a comparison, and a measurement linked to the crystal. Its calculation functions have no entry points.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiida import orm
from aiida.manage import get_manager

from aiida_ion import queries
from aiida_ion.archives.open import open_archive
from aiida_ion.archives.selection import choose
from aiida_ion.queries.reuse import compared_conductivities

ARCHIVE = Path(__file__).with_name("version_0_1.aiida")


@pytest.fixture(scope="module")
def archive(aiida_profile: Any) -> Iterator[None]:
    """Open the archive, and go back to the test's own profile afterwards."""
    profile = get_manager().get_profile()
    open_archive(ARCHIVE)
    yield
    get_manager().load_profile(profile, allow_switch=True)


@pytest.mark.usefixtures("archive")
def test_every_table_is_filled() -> None:
    types = orm.QueryBuilder().append(orm.CalcFunctionNode, project="process_type").all(flat=True)
    assert {kind.partition(":")[0].partition(".")[0] for kind in types} == {"aiida_ion"}
    tables = {
        "comparison": 1,
        "conductivity": 2,
        "cost": 2,
        "diffusion": 2,
        "experiments": 1,
        "materials": 1,
        "potentials": 2,
        "process_table": 10,
        "runs": 2,
    }
    assert {name: len(getattr(queries, name)()) for name in tables} == tables


@pytest.mark.usefixtures("archive")
def test_the_values_are_those_that_were_stored() -> None:
    (comparison,) = queries.comparison().to_dict("records")
    assert (comparison["level_of_theory"], comparison["reference_level_of_theory"]) == (
        "Lennard-Jones",
        "classical/Lennard-Jones",
    )
    assert comparison["force_n_frames"] == 20
    (experiment,) = queries.experiments().to_dict("records")
    assert (experiment["entry_id"], experiment["ionic_conductivity_mS_cm"]) == ("e1", 0.012)
    assert len(compared_conductivities()) == 2


@pytest.mark.usefixtures("archive")
def test_a_measurement_goes_along_when_a_result_is_exported() -> None:
    (pk, *_) = orm.QueryBuilder().append(orm.WorkChainNode, project="id").all(flat=True)
    (link,) = queries.experiments()["pk"]
    assert link in choose([str(pk)]).pks
