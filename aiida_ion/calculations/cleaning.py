"""Scratch: the remote folders of jobs are removed when their results are in the database."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from aiida import orm
from aiida.common.exceptions import AiidaException

from aiida_ion import exit_codes
from aiida_ion.aiida_private.folders import remove_folder
from aiida_ion.calculations.script import ScriptCalculation


def define_cleaning(spec: Any, default: bool = True) -> None:
    """Declare the input that keeps or removes the remote folders."""
    spec.input(
        "clean_workdir",
        valid_type=bool,
        non_db=True,
        default=default,
        help="Remove the remote folders of jobs whose results were parsed; those of failed ones stay.",
    )


def has_results(job: orm.CalcJobNode) -> bool:
    """Whether a job was parsed and its folder is its own: a job from the cache has the folder of another."""
    return exit_codes.is_parsed(job.exit_status) and not job.base.caching.is_created_from_cache


def clean_jobs(nodes: Iterable[Any]) -> list[int]:
    """Remove the remote folders of those jobs that were parsed, over one connection for each computer.

    A folder that cannot be removed stays; that is not an error.

    :param nodes: processes; those that are not jobs are skipped.
    :returns: pks of the jobs whose folder was removed.
    """
    folders: dict[str, list[tuple[int, orm.RemoteData]]] = {}
    for node in nodes:
        if isinstance(node, orm.CalcJobNode) and has_results(node) and "remote_folder" in node.outputs:
            folder = node.outputs.remote_folder
            if not folder.is_cleaned:
                folders.setdefault(str(folder.computer.uuid), []).append((int(node.pk or 0), folder))
    cleaned: list[int] = []
    for entries in folders.values():
        try:
            with entries[0][1].get_authinfo().get_transport() as transport:
                for pk, folder in entries:
                    remove_folder(folder, transport)
                    cleaned.append(pk)
        except (AiidaException, OSError, ValueError):
            continue
    return cleaned


class CleaningCalculation(ScriptCalculation):
    """A job that can remove its own remote folder, for jobs that no work chain cleans up after."""

    @classmethod
    def define(cls, spec: Any) -> None:
        """Declare the input."""
        super().define(spec)
        define_cleaning(spec, default=False)

    def on_terminated(self) -> None:
        """Remove the folder when the results are in the database."""
        super().on_terminated()
        if self.inputs.clean_workdir:
            clean_jobs([self.node])
