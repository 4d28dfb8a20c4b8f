"""Tables of a profile, or of one or several archives, each read by itself and named in its rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    import pandas as pd

    from aiida_ion.queries import Selection

#: Column of the archive that a row is from, where there are several.
ARCHIVE = "archive"


@dataclass(frozen=True)
class SourceTables:
    """A profile or an archive.

    :param name: what rows call it; None where there is no other.
    :param tables: by name of the function of `aiida_ion.queries` that made them.
    """

    name: str | None
    tables: dict[str, pd.DataFrame]


def read_archives(
    archives: Sequence[Path], names: Sequence[str], selection: Callable[[], Selection]
) -> list[SourceTables]:
    """Read tables of archives, one archive after the other.

    A row that an earlier archive has, too, is left out, and counted on stderr.

    :param names: functions of `aiida_ion.queries`.
    :param selection: returns what is chosen, with the archive loaded; raises click.ClickException for a group that it
        does not have.
    :raises click.ClickException: if no archive has the group.
    """
    from aiida_ion import queries
    from aiida_ion.archives.open import open_archive
    from aiida_ion.archives.several import archive_names

    result, absent = [], []
    for path, label in zip(archives, archive_names(archives), strict=True):
        open_archive(path)
        try:
            chosen = selection()
        except click.ClickException as error:
            absent.append(error)
            continue
        tables = {name: getattr(queries, name)(chosen) for name in names}
        result.append(SourceTables(label if len(archives) > 1 else None, tables))
    if not result:
        raise absent[0]
    return list(_without_repetitions(result))


def _without_repetitions(sources: Sequence[SourceTables]) -> Iterator[SourceTables]:
    seen: dict[str, set[str]] = {}
    n_repeated = 0
    for source in sources:
        new = {name: _new_rows(table, seen.setdefault(name, set())) for name, table in source.tables.items()}
        n_repeated += sum(len(table) - len(new[name]) for name, table in source.tables.items())
        yield SourceTables(source.name, new)
    if n_repeated:
        rows = "1 row is" if n_repeated == 1 else f"{n_repeated} rows are"
        click.echo(f"Note: {rows} in an earlier archive, too, and left out here", err=True)


def _new_rows(table: pd.DataFrame, known: set[str]) -> pd.DataFrame:
    """Return the rows whose uuids are not known, and add these to the known ones."""
    if "uuid" not in table:
        return table
    new = table[~table["uuid"].isin(known)]
    known.update(new["uuid"].dropna())
    return new


def joined(sources: Sequence[SourceTables]) -> dict[str, pd.DataFrame]:
    """Return the tables of all sources together, with the archive as the first column where there are several."""
    import pandas as pd

    if len(sources) == 1 and sources[0].name is None:
        return sources[0].tables
    result = {}
    for name in sources[0].tables:
        parts = [source.tables[name].astype(object).assign(**{ARCHIVE: source.name}) for source in sources]
        filled = [part for part in parts if not part.empty] or parts[:1]
        together = pd.concat(filled, ignore_index=True)
        result[name] = together[[ARCHIVE, *(column for column in together.columns if column != ARCHIVE)]]
    return result
