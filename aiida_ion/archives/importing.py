"""Import an archive from someone else, after the same checks as for opening it."""

from __future__ import annotations

import logging
from pathlib import Path

from aiida import orm
from aiida.tools.archive import import_archive as aiida_import

from aiida_ion.archives.errors import UNREADABLE, ArchiveError, shown
from aiida_ion.archives.open import check_archive


def import_archive(path: str | Path, group: str | None = None, dry_run: bool = False) -> orm.Group | None:
    """Import an archive into the loaded profile; all its nodes are added to one group.

    Existing nodes stay unchanged, with their extras. AiiDA drops saved states of processes, compares every file with
    its hash, and imports everything or nothing. Access to computers is never imported.

    :param group: label of the group, created if necessary; by default AiiDA names it after the time.
    :param dry_run: do everything except writing.
    :returns: the group, ``None`` for a dry run.
    :raises ArchiveError: if the archive cannot or should not be imported.
    """
    from aiida.common.exceptions import AiidaException
    from aiida.common.log import override_log_level
    from aiida.tools.archive.exceptions import ImportTestRun

    check_archive(path)
    failures: tuple[type[Exception], ...] = (AiidaException, *UNREADABLE)
    target = orm.Group.collection.get_or_create(group)[0] if group and not dry_run else None
    try:
        with override_log_level(logging.WARNING):
            pk = aiida_import(Path(path).resolve(), group=target, test_run=dry_run)
    except ImportTestRun:
        return None
    except failures as error:
        raise ArchiveError(f"{path} was not imported: {shown(error)}") from error
    return orm.load_group(pk) if pk is not None else None
