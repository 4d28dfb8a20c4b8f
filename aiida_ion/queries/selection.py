"""Selection of results for tables."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd
from aiida import orm

#: Maximum length of a chain of callers: a comparison calls conductivities, these call runs, and runs call jobs.
DEPTH = 4
_ELEMENT = re.compile(r"[A-Z][a-z]?")


@dataclass(frozen=True)
class Selection:
    """Criteria for the rows of a table; by default all rows.

    :param elements: elements that must all be in the formula.
    :param formula: reduced formula, such as ``Li3N``.
    :param level_of_theory: name of a level of theory, or the hash of its fingerprint.
    :param temperature_K: lowest and highest target temperature, K.
    :param grades: any of these grades.
    :param group: label of a group with the result, its work chain or its structure.
    :param since: earliest time.
    :param until: latest time.
    """

    elements: tuple[str, ...] = ()
    formula: str | None = None
    level_of_theory: str | None = None
    temperature_K: tuple[float, float] | None = None
    grades: tuple[str, ...] = ()
    group: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def filters(self, grade: str | None = None) -> dict[str, Any]:
        """Return the filters of a result node on its attributes and time.

        The temperature is not included: PostgreSQL would abort the query at a number too large for a float.

        :param grade: its attribute of the grade, ``None`` if it has none.
        """
        conditions: list[dict[str, Any]] = []
        if self.formula is not None:
            conditions.append({"attributes.formula": self.formula})
        if self.level_of_theory is not None:
            names = ("level_of_theory", "level_of_theory_sha256")
            conditions.append({"or": [{f"attributes.{name}": self.level_of_theory} for name in names]})
        if self.grades and grade is not None:
            conditions.append({f"attributes.{grade}": {"in": list(self.grades)}})
        for sign, when in ((">=", self.since), ("<=", self.until)):
            if when is not None:
                conditions.append({"ctime": {sign: when}})
        return {"and": conditions} if conditions else {}

    def rest(
        self, table: pd.DataFrame, members: Sequence[str], temperature: str | None = "target_temperature_K"
    ) -> pd.DataFrame:
        """Apply the criteria that cannot be query filters: elements, temperature and group.

        :param table: with the column ``formula``.
        :param members: columns of pks, any of which may be in the group.
        :param temperature: column of the temperature, K; ``None`` if there is none.
        """
        if self.temperature_K is not None and temperature is not None:
            table = table[table[temperature].astype(float).between(*self.temperature_K)]
        if self.elements:
            elements = set(self.elements)
            # An empty list of flags would select columns.
            fits = [elements <= elements_of(formula) for formula in table["formula"]]
            table = table[pd.Series(fits, index=table.index, dtype=bool)]
        if self.group is not None:
            inside = members_of(self.group)
            table = table[table[list(members)].isin(inside).any(axis=1)]
        return table


@functools.lru_cache(maxsize=100_000)
def elements_of(formula: Any) -> frozenset[str]:
    """Return the elements of a formula; empty if it is not a formula."""
    return frozenset(_ELEMENT.findall(formula)) if isinstance(formula, str) else frozenset()


def members_of(label: str) -> set[int]:
    """Return the pks of a group: its nodes, all processes they called, and the outputs of all of these.

    A conductivity that a comparison reused from the database is included.
    """
    members = set(_below(label, 0).all(flat=True))
    for depth in range(1, DEPTH + 1):
        called = {"type": {"in": ["call_calc", "call_work"]}}
        members.update(_below(label, depth, orm.ProcessNode, called).all(flat=True))
        members.update(_below(label, depth, orm.Data, {"type": "return"}).all(flat=True))
    return members


def _below(label: str, depth: int, kind: Any = orm.Node, links: dict[str, Any] | None = None) -> orm.QueryBuilder:
    """Return the query for nodes this many links below the nodes of a group; all links except the last are calls.

    :param kind: class of the last node.
    :param links: filters of the last link.
    """
    query = orm.QueryBuilder()
    query.append(orm.Group, filters={"label": label}, tag="group")
    if depth == 0:
        return query.append(kind, with_group="group", project=["id"])
    query.append(orm.WorkflowNode, with_group="group", tag="0")
    for step in range(1, depth):
        query.append(orm.WorkflowNode, with_incoming=str(step - 1), tag=str(step))
    return query.append(kind, with_incoming=str(depth - 1), edge_filters=links, project=["id"])
