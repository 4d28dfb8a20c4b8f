from __future__ import annotations

from uuid import uuid4

import pytest

from aiida_ion.queries.reading.uuids import NO_UUID, is_uuid, known_uuid, known_uuids


@pytest.mark.parametrize("value", [None, 3, "nothing", "", "0" * 32, "{" + NO_UUID + "}", [NO_UUID], NO_UUID + "\n"])
def test_what_is_no_uuid_asks_for_no_node(value: object) -> None:
    assert not is_uuid(value) and known_uuid(value) == NO_UUID


def test_uuids_among_values_keep_their_order_and_are_there_once() -> None:
    first, second = str(uuid4()), str(uuid4())
    assert known_uuids([second, "nothing", first, second, None]) == [second, first]
    assert known_uuids([]) == known_uuids(["nothing"]) == [NO_UUID]
