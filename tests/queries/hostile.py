"""Attributes that nobody should store: any JSON at any place, past AiiDA's checks, as an archive could hold them."""

from __future__ import annotations

import json
import random
from typing import Any

from aiida.manage import get_manager
from sqlalchemy import text

#: JSON texts, as PostgreSQL and SQLite take them.
VALUES = (
    *("1e23", "100000000000000000000000", "9223372036854775808", "-9223372036854775809", "9007199254740993"),
    *("0", "-5", "-0.0", "1e-320", "1.7e308", "3.5", "true", "false", "null", "1" + "0" * 400),
    *('"5"', '"nan"', '""', '"1e999"', '"2026-13-45T99:99:99"', '"not-a-uuid"', '"Li3N"', '"%s %d {0} $x"'),
    *(r'"\u001b[31m\u202e\t\r\n|<b>"', json.dumps("x" * 20_000), '"=cmd()"'),
    *("[]", "[null]", "[1, 2]", "[1e23, {}]", '["a", 1, null, [2]]', "{}", '{"a": [1]}', '{"temperature_K": "x"}'),
    *("-1e308", '{"a": {"b": [{"c": {}}]}}', '"<script>alert(1)</script> **x** [y](javascript:z)"'),
    *('[{"temperature_K": {}, "reason": []}]', '{"label": null, "name": [], "versions": 1}', "[" * 50 + "]" * 50),
)
#: Not for PostgreSQL, which refuses them itself.
ON_SQLITE = ("1e999", "-1e999", r'"\ud800"', r'"a\u0000b"')


def poison(seed: int, share: float = 0.3) -> int:
    """Replace a share of all attributes of all nodes, nested ones too, and some extras, by hostile values.

    Processes keep their types and links. Call it on a profile that nobody else needs.

    :returns: how many values were replaced.
    """
    draw = random.Random(seed)
    session, dialect = _session()
    values = [*VALUES, *(ON_SQLITE if dialect == "sqlite" else ())]
    written = ":value" if dialect == "sqlite" else "CAST(:value AS jsonb)"
    n_replaced = 0
    for column in ("attributes", "extras"):
        read = f"CAST({column} AS TEXT)"
        result = session.execute(text(f"SELECT id, {read} FROM db_dbnode ORDER BY id")).all()
        for pk, content in result:
            changed, n = _poisoned(json.loads(content or "{}"), draw, values, share)
            if n:
                statement = text(f"UPDATE db_dbnode SET {column} = {written} WHERE id = :pk")
                session.execute(statement, {"value": changed, "pk": pk})
            n_replaced += n
    session.commit()
    session.expire_all()
    return n_replaced


def poison_all(name: str, value: str, most: int | None = None) -> int:
    """Give every node that has an attribute of this name, the first `most`, the same JSON text; return how many."""
    session, dialect = _session()
    n_replaced = 0
    written = ":value" if dialect == "sqlite" else "CAST(:value AS jsonb)"
    for pk, content in session.execute(text("SELECT id, CAST(attributes AS TEXT) FROM db_dbnode")).all():
        values = json.loads(content or "{}")
        if name in values and n_replaced != most:
            n_replaced += 1
            parts = [f"{json.dumps(key)}: {value if key == name else json.dumps(one)}" for key, one in values.items()]
            statement = text(f"UPDATE db_dbnode SET attributes = {written} WHERE id = :pk")
            session.execute(statement, {"value": "{" + ", ".join(parts) + "}", "pk": pk})
    session.commit()
    session.expire_all()
    return n_replaced


def label_some(words: str, every: int = 20) -> None:
    """Give every so many nodes, and all groups, this label and description; those of groups begin with their id."""
    session, _ = _session()
    given = {"words": words, "every": every}
    session.execute(text("UPDATE db_dbnode SET label = :words, description = :words WHERE id % :every = 0"), given)
    session.execute(text("UPDATE db_dbgroup SET label = id || :words, description = :words"), {"words": words})
    session.commit()
    session.expire_all()


def read_nodes() -> list[dict[str, Any]]:
    """Return attributes and extras of all nodes as they are stored, for `write_nodes`."""
    session, _ = _session()
    read = text("SELECT id, CAST(attributes AS TEXT) AS attributes, CAST(extras AS TEXT) AS extras FROM db_dbnode")
    return [dict(row) for row in session.execute(read).mappings()]


def write_nodes(rows: list[dict[str, Any]]) -> None:
    """Give nodes the attributes and extras that they had."""
    session, dialect = _session()
    values = (f":{name}" if dialect == "sqlite" else f"CAST(:{name} AS jsonb)" for name in ("attributes", "extras"))
    attributes, extras = values
    session.execute(text(f"UPDATE db_dbnode SET attributes = {attributes}, extras = {extras} WHERE id = :id"), rows)
    session.commit()
    session.expire_all()


def _session() -> tuple[Any, str]:
    """Return the session of the profile and the name of its database's dialect."""
    storage: Any = get_manager().get_profile_storage()
    session = storage.get_session()
    return session, session.get_bind().dialect.name


def _poisoned(content: Any, draw: random.Random, values: list[str], share: float) -> tuple[str, int]:
    """Return JSON text with some of its values replaced, and how many."""
    n = 0
    if isinstance(content, dict):
        parts = []
        for key, value in content.items():
            if draw.random() < share:
                n += 1
                if draw.random() < 0.1:
                    continue  # missing
                parts.append(f"{json.dumps(key)}: {draw.choice(values)}")
                continue
            inner, more = _poisoned(value, draw, values, share / 2)
            n += more
            parts.append(f"{json.dumps(key)}: {inner}")
        return "{" + ", ".join(parts) + "}", n
    if isinstance(content, list) and content and isinstance(content[0], dict):
        items = [_poisoned(one, draw, values, share / 2) for one in content]
        return "[" + ", ".join(one for one, _ in items) + "]", sum(more for _, more in items)
    return json.dumps(content), 0
