"""Which potentials are trusted: those that a job of this profile made, on its computer, and unchanged."""

from __future__ import annotations

import hashlib
import pickle
from typing import Any

import pytest
from aiida import orm
from aiida.common.links import LinkType

from aiida_ion.calculations.training.trained import made_here, potential_settings
from aiida_ion.engines.trained import members_of

pytestmark = pytest.mark.usefixtures("aiida_profile_clean")
CODE = pickle.dumps(print)
WEIGHTS = (2).to_bytes(8, "little") + b"{}"


def potential(
    computer: orm.Computer, content: bytes = CODE, process_type: str = "aiida.calculations:ion.train", **changes: Any
) -> orm.SinglefileData:
    """Return a potential as a job on a computer leaves it."""
    job = orm.CalcJobNode(computer=computer, process_type=process_type)
    job.set_option("resources", {"num_machines": 1, "num_mpiprocs_per_machine": 1})
    job.store()
    node = orm.SinglefileData.from_bytes(content, filename="potential.model")
    attributes = {"sha256": hashlib.sha256(content).hexdigest(), "potential": "mace"}
    node.base.attributes.set_many(attributes | changes)
    node.base.links.add_incoming(job, LinkType.CREATE, "potential")
    return node.store()


def test_a_file_of_a_job_of_this_profile_is_trusted(aiida_localhost: orm.Computer) -> None:
    node = potential(aiida_localhost)
    assert made_here(node, aiida_localhost)
    settings = potential_settings(node, aiida_localhost)
    assert settings["trusted_sha256"] == [settings["checkpoint_sha256"]] == [node.base.attributes.get("sha256")]


def test_weights_need_no_trust(aiida_localhost: orm.Computer) -> None:
    assert "trusted_sha256" not in potential_settings(potential(aiida_localhost, WEIGHTS), aiida_localhost)


@pytest.mark.parametrize("case", ["another computer", "imported", "another job", "changed", "no job"])
def test_code_of_a_stranger_is_refused(aiida_localhost: orm.Computer, case: str) -> None:
    elsewhere = orm.Computer("elsewhere", "elsewhere", "", "core.local", "core.direct", workdir="/tmp").store()
    node = {
        "another computer": lambda: potential(elsewhere),
        "imported": lambda: potential(elsewhere),
        "another job": lambda: potential(aiida_localhost, process_type="aiida.calculations:core.shell"),
        "changed": lambda: potential(aiida_localhost, sha256="0" * 64),
        "no job": lambda: orm.SinglefileData.from_bytes(CODE, filename="potential.model"),
    }[case]()
    if case == "no job":
        node.base.attributes.set("sha256", hashlib.sha256(CODE).hexdigest())
    computer = elsewhere if case == "imported" else aiida_localhost  # it was never set up for this user
    with pytest.raises(ValueError, match="was not made by a job of this profile"):
        potential_settings(node, computer)


def test_a_process_that_is_not_a_training(aiida_localhost: orm.Computer) -> None:
    job = potential(aiida_localhost).creator
    with pytest.raises(ValueError, match="has not ended"):
        members_of(job)  # type: ignore[arg-type]
