"""Write chosen results to one file that plain AiiDA can read."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from aiida_ion.archives.readme import readme
from aiida_ion.archives.selection import Choice, choose
from aiida_ion.archives.sizes import Sizes, weigh
from aiida_ion.archives.writing import README, SharedFormat


@dataclass(frozen=True)
class ExportPlan:
    """What an export will write.

    :param choice: nodes and groups.
    :param left_out: nodes whose files are left out.
    :param sizes: bytes of files, before compression.
    """

    choice: Choice
    left_out: frozenset[int]
    sizes: Sizes


def plan(
    names: Sequence[str], trajectories: bool = True, retrieved: bool = True, potentials: bool = True
) -> ExportPlan:
    """Choose nodes and determine sizes; nothing is written.

    :param names: labels of groups, PKs, UUIDs.
    :param trajectories: whether to include the frames.
    :param retrieved: whether to include the retrieved files of jobs.
    :param potentials: whether to include the files of trained potentials and of checkpoints.
    :raises ValueError: if a name is unknown, or something is still running.
    """
    choice = choose(names)
    none: frozenset[int] = frozenset()
    left_out = (none if trajectories else choice.trajectories) | (none if retrieved else choice.retrieved)
    left_out |= none if potentials else choice.potentials
    return ExportPlan(choice, left_out, weigh(choice, left_out))


def export(planned: ExportPlan, path: Path, licence: str | None = None, overwrite: bool = False) -> Path:
    """Write an archive and, next to it, a copy of its README.

    :param licence: licence of the data, if any.
    :returns: the path of the README next to the archive.
    :raises ValueError: if the file exists and must not be overwritten.
    """
    from aiida.common.log import override_log_level
    from aiida.tools.archive import create_archive

    if path.exists() and not overwrite:
        raise ValueError(f"{path} exists: name another file, or give --overwrite")
    text = readme(planned.choice, path.name, licence, planned.left_out)
    with override_log_level(logging.WARNING):
        create_archive(
            [*planned.choice.groups, *planned.choice.nodes],
            filename=path,
            archive_format=SharedFormat(text, planned.left_out),
            overwrite=overwrite,
            call_calc_backward=False,
            call_work_backward=False,
        )
    beside = readme_path(path)
    beside.write_text(text, encoding="utf-8")
    return beside


def readme_path(path: Path) -> Path:
    """Return the path of the README next to an archive."""
    return path.with_name(f"{path.stem}.{README}")
