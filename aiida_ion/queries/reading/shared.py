"""Shared parts of tables: process types, filters, and named rows."""

from __future__ import annotations

import math
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from aiida import orm
from sqlalchemy.exc import DataError, OperationalError

from aiida_ion.aiida_private.storage import query_statement
from aiida_ion.engine_kinds import ENGINE_PREFIX
from aiida_ion.queries.reading.kinds import FLAGS, is_number, kind_of, read_column
from aiida_ion.queries.reading.lenient import is_lenient, plain_text, read_leniently, without_overflow
from aiida_ion.verdicts import BOUND, MAX_USEFUL_BOUND, is_poorly_known, largest_useful_bound, verdict_of

DIFFUSION_PROCESS = "aiida.calculations:ion.diffusion"
CONDUCTIVITY_PROCESS = "aiida.workflows:ion.conductivity"
ENSEMBLE_PROCESS = "aiida.workflows:ion.ensemble"
#: Processes with a conductivity of a crystal.
CONDUCTIVITY_CHAINS = {"process_type": {"in": [CONDUCTIVITY_PROCESS, ENSEMBLE_PROCESS]}}
#: Start of the process types of the MD work chains, of this package and of others.
MD_CHAINS = f"aiida.workflows:{ENGINE_PREFIX}"
#: Start of the process types of this package's jobs; those of molecular dynamics end in "md".
JOBS = "aiida.calculations:ion."
#: Functions whose results fill tables -> the module that version 0.1 stored as their type instead of an entry point.
_MODULES = {
    "compare_levels": "comparison",
    "fit_conductivity": "conductivity",
    "link_experiment": "experiment",
}


#: Quantities without a verdict of their own, whose tables have an interval.
BESIDE = ("collective_", "all_species_", "green_kubo_")


def of_function(name: str) -> dict[str, Any]:
    """Return the filter for runs of one of this package's calculation functions, in databases of every version.

    :param name: one of the functions whose results fill tables, such as ``fit_conductivity``.
    """
    types = [f"aiida.calculations:ion.{name}", f"aiida_ion.calculations.{_MODULES[name]}.{name}"]
    return {"process_type": {"in": types}}


def attributes(names: Sequence[str]) -> list[Any]:
    """Return the projections of attributes; text attributes are not parsed as JSON."""
    return [as_text(f"attributes.{name}") if name in TEXTS else f"attributes.{name}" for name in names]


def as_text(projection: str) -> dict[str, Any]:
    """Return the projection of a text attribute or extra."""
    return {projection: {"cast": "t"}}


def frame(query: orm.QueryBuilder, columns: list[str], kinds: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Return the rows of a query as a table with named columns, also if there are no rows.

    Each cell is of its column's kind, or missing.

    :param kinds: kinds of columns whose names do not imply it, see `kind_of`.
    """
    cells = list(zip(*rows(query), strict=True)) or [()] * len(columns)
    read = {
        name: read_column(name, values, (kinds or {}).get(name)) for name, values in zip(columns, cells, strict=True)
    }
    return pd.DataFrame({name: pd.Series(values, dtype=_dtype(name, values)) for name, values in read.items()})


def _dtype(name: str, values: list[Any]) -> Any:
    """Return the dtype of a column; seeds keep all digits even if some are missing."""
    return "Int64" if kind_of(name) == "whole" else object if not values else None


def rows(query: orm.QueryBuilder) -> list[tuple[Any, ...]]:
    """Return the rows of a query that projects columns and attributes, no whole nodes.

    ``query.all()`` checks each cell twice for being a node, which dominates the time of large tables, and fails if a
    single attribute cannot be read. Here such a cell is missing, and counted.
    """
    try:
        result, lenient = _executed(query)
    except (ValueError, RecursionError, OperationalError, DataError):  # a value that the database or Python rejects
        result, lenient = _executed(query, careful=True)
    if lenient:
        return [tuple(map(plain_text, row)) for row in result]
    # PostgreSQL has a type for them.
    texts = {place for place, cell in enumerate(result[0]) if isinstance(cell, uuid.UUID)} if result else set()
    if not texts:
        return [tuple(row) for row in result]
    return [tuple(str(cell) if place in texts else cell for place, cell in enumerate(row)) for row in result]


def _executed(query: orm.QueryBuilder, careful: bool = False) -> tuple[Sequence[Any], bool]:
    """Return the raw rows of a query, and whether SQLite read JSON in Python.

    :param careful: make sure that no stored value ends the query.
    """
    with query_statement(query) as (session, statement):
        connection = session.connection().connection.dbapi_connection
        on_sqlite = session.get_bind().dialect.name == "sqlite"
        if careful and on_sqlite:
            read_leniently(connection)
        checked = without_overflow(statement) if careful and not on_sqlite else statement
        return session.execute(checked).all(), is_lenient(connection)


def md_processes() -> list[str]:
    """Return the process types of molecular dynamics in the database.

    An engine ``ion.md.<name>`` of this package runs the job ``ion.<name>_md``; another package may name its job freely,
    so jobs called by such work chains count too.
    """
    kinds = process_types()
    types = {kind for kind in kinds if kind.startswith(JOBS) and kind.endswith("md")}
    foreign = [
        kind for kind in kinds if kind.startswith(MD_CHAINS) and f"{JOBS}{kind.removeprefix(MD_CHAINS)}_md" not in types
    ]
    if foreign:
        query = orm.QueryBuilder().append(orm.WorkChainNode, filters={"process_type": {"in": foreign}}, tag="run")
        query.append(orm.CalcJobNode, with_incoming="run", project=["process_type"])
        types |= set(query.distinct().all(flat=True))
    return sorted(types) or ["none"]


def md_chains() -> list[str]:
    """Return the process types of MD work chains in the database."""
    return [kind for kind in process_types() if kind.startswith(MD_CHAINS)] or ["none"]


def process_types() -> list[str]:
    """Return the process types in the database, sorted; uses their index without reading nodes."""
    query = orm.QueryBuilder().append(orm.Node, filters={"process_type": {"like": "aiida.%"}}, project=["process_type"])
    return sorted(query.distinct().all(flat=True))


def without_twins(table: pd.DataFrame, process: str = "process") -> pd.DataFrame:
    """Return a table without rows that the cache served from the process of another row.

    :param process: name of the column with the uuid of the process; there is also a column ``cached_from``.
    """
    return table[~table["cached_from"].isin(set(table[process]))].drop(columns="cached_from")


def finished(table: pd.DataFrame, order: list[str]) -> pd.DataFrame:
    """Return a sorted table with numeric columns and each interval in two columns.

    An interval ``..._ci95_...`` becomes ``..._ci95_low_...`` and ``..._ci95_high_...``.
    """
    columns: dict[str, Any] = {}
    for name in table.columns:
        if "_ci95" in name:
            for place, end in enumerate(("low", "high")):
                columns[name.replace("_ci95", f"_ci95_{end}")] = edge(table[name], place)
        elif name in FLAGS:
            columns[name] = table[name].astype("boolean")
        elif is_number(name):
            columns[name] = finite(pd.to_numeric(table[name], errors="coerce"))
        else:
            columns[name] = table[name]
    # Results come first, uuids and pks last.
    names = sorted(columns, key=lambda name: name.endswith(("pk", "uuid")) or name == "time")
    return pd.DataFrame(columns)[names].sort_values(order, ignore_index=True)


def edge(intervals: pd.Series[Any], place: int) -> pd.Series[float]:
    """Return the lower (0) or upper (1) ends of intervals."""
    edges = [interval[place] if isinstance(interval, list) else None for interval in intervals]
    return pd.Series(edges, index=intervals.index, dtype=float)


def finite(numbers: pd.Series[Any]) -> pd.Series[Any]:
    """Return numbers without those that overflowed in a sum or product."""
    return numbers.mask(numbers.isin([math.inf, -math.inf])) if numbers.dtype.kind == "f" else numbers


def verdicts(table: pd.DataFrame) -> list[str | None]:
    """Return the verdict of each row; results of earlier versions are judged by the current rule."""
    return [verdict_of({str(name): value for name, value in row.items()}) for row in table.to_dict("records")]


def judged(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of results with their verdicts, and with numbers only where they say something.

    An upper bound is left where it is the result and below what any solid reaches. A quantity beside the one that the
    verdict is about, such as the collective conductivity, keeps only its interval where that is too wide.
    """
    made = table.assign(verdict=pd.Series(verdicts(table), index=table.index, dtype=object))
    is_bound = made["verdict"] == BOUND
    kept: dict[str, Any] = {}
    for name in made.columns:
        quantity, found, unit = name.partition("_upper_bound_")
        if found:
            numbers = pd.to_numeric(made[name], errors="coerce")
            kept[name] = made[name].where(is_bound & (numbers <= _largest(made, unit)))
        quantity, found, unit = name.partition("_ci95_")
        if found and quantity.startswith(BESIDE) and f"{quantity}_{unit}" in made:
            limits = made.get("max_interval_decades", pd.Series(None, index=made.index, dtype=object))
            poor = [_is_poor(*pair) for pair in zip(made[name], limits, strict=True)]
            value = f"{quantity}_{unit}"
            kept[value] = made[value].mask(pd.Series(poor, index=made.index, dtype=bool))
    return made.assign(**kept)


def _largest(table: pd.DataFrame, unit: str) -> pd.Series[float]:
    """Return the largest useful bound of each row, as its fit set it."""
    stated = table.get(MAX_USEFUL_BOUND[unit], pd.Series(None, index=table.index, dtype=object))
    return pd.Series(
        [largest_useful_bound({MAX_USEFUL_BOUND[unit]: limit}, unit) for limit in stated],
        index=table.index,
        dtype=float,
    )


def _is_poor(interval: Any, max_interval_decades: Any) -> bool:
    is_interval = isinstance(interval, (list, tuple)) and len(interval) == 2
    return is_interval and is_poorly_known(interval[0], interval[1], max_interval_decades)


def whole(table: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Return a table with these columns as integers, also if some are missing."""
    return table.astype(dict.fromkeys(names, "Int64"))


#: Text attributes.
TEXTS = frozenset(
    (
        *("formula", "level_of_theory", "reference_level_of_theory", "mobile_species", "name", "model"),
        *("verdict", "grade", "reason", "refused_because", "preferred_law", "summary"),
        *("process_state", "exit_message"),
    )
)
