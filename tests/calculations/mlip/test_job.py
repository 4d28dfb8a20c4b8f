"""How a potential and its checkpoint are handed to the runner."""

from __future__ import annotations

import io
from typing import Any

import pytest
from aiida import orm

from aiida_ion.calculations.mlip.job import checkpoint_name, validate_potential


@pytest.mark.parametrize(
    ("given", "staged"),
    [
        ("mace-mpa-0-medium.model", "checkpoint.model"),
        ("tiny.nequip.pt2", "checkpoint.nequip.pt2"),
        ("bestF1_store.pth.tar", "checkpoint.pth.tar"),
        ("weights", "checkpoint"),
        ("odd.na me", "checkpoint"),
    ],
)
@pytest.mark.usefixtures("aiida_profile")
def test_a_checkpoint_keeps_the_endings_that_say_its_format(given: str, staged: str) -> None:
    assert checkpoint_name(orm.SinglefileData(io.BytesIO(b"w"), filename=given)) == staged


@pytest.mark.parametrize(
    ("potential", "message"),
    [
        ({"name": "m3gnet"}, "name must be one of sevenn, mace, "),
        ({}, "potential settings lack name"),
        ({"name": "sevenn", "dype": "float32"}, "unknown potential setting dype: did you mean dtype?"),
        ({"name": "import", "model": "no_colon"}, "package.module:Class"),
    ],
)
@pytest.mark.usefixtures("aiida_profile")
def test_a_potential_that_cannot_be_used_is_refused(potential: dict[str, Any], message: str) -> None:
    assert message in str(validate_potential(orm.Dict(potential), None))
