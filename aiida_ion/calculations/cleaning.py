"""Scratch: the remote folders of jobs are removed once their results are in the database."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from aiida import orm
from aiida.common.exceptions import AiidaException

from aiida_ion.aiida_private.folders import remove_folder
from aiida_ion.calculations.script import ScriptCalculation

#: Exit codes of jobs whose results are in the database although they did not finish: what was reached is there, and
#: whatever continues does so from nodes.
PARSED = (0, 400)
#: Exit codes from here on are warnings, with results.
WARNINGS = 700


def define_cleaning(spec: Any, default: bool = True) -> None:
    """Declare the input that keeps or removes the remote folders."""
    spec.input(
        "clean_workdir",
        valid_type=bool,
        non_db=True,
        default=default,
        help="Remove the remote folders of jobs whose results were parsed; those of failed ones stay.",
    )


def is_parsed(job: orm.CalcJobNode) -> bool:
    """Whether the results of a job are in the database, and its folder is its own: one from the cache has another's."""
    status = job.exit_status
    ended_well = status is not None and (status in PARSED or status >= WARNINGS)
    return job.is_finished and ended_well and not job.base.caching.is_created_from_cache


def clean_jobs(nodes: Iterable[Any]) -> list[int]:
    """Remove the remote folders of those jobs that were parsed, over one connection for each computer.

    A folder that cannot be removed stays, and nothing fails by it.

    :param nodes: processes; what is not a job is passed over.
    :returns: pks of the jobs whose folder was removed.
    """
    folders: dict[str, list[tuple[int, orm.RemoteData]]] = {}
    for node in nodes:
        if isinstance(node, orm.CalcJobNode) and is_parsed(node) and "remote_folder" in node.outputs:
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
    """A job that removes its own remote folder where that is asked for: one that no work chain cleans up after."""

    @classmethod
    def define(cls, spec: Any) -> None:
        """Declare the input."""
        super().define(spec)
        define_cleaning(spec, default=False)

    def on_terminated(self) -> None:
        """Remove the folder once the results are in the database."""
        super().on_terminated()
        if self.inputs.clean_workdir:
            clean_jobs([self.node])
