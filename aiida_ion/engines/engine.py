"""An engine as it is registered: an AiiDA code, and what belongs to it beyond its program.

The latter is the extra ``ion`` of its code: the MD work chain that uses it, its potential, its checkpoint, its jobs,
and the result of its last test. What decides a result goes into the inputs of each job.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from aiida import orm
from aiida.common import exceptions

from aiida_ion.engine_kinds import engine_class
from aiida_ion.engines.requests import JobRequest
from aiida_ion.places.limits import ENGINE_EXTRA
from aiida_ion.queries import engine_table


@dataclass(frozen=True)
class Engine:
    """An engine as it is registered.

    :param code: its program on a computer.
    :param entry_point: the MD work chain that uses it.
    :param potential: the job input of that name; empty where each run names one.
    :param checkpoint: the file of weights, where it is kept in the database.
    :param files: the files that the potential's LAMMPS commands read, by their names in the job.
    :param choices: its other inputs, such as families of pseudopotentials, cut-offs, settings.
    :param jobs: cores, queue, account, ... of each job, where the user chose them.
    :param max_jobs: how many of its jobs may run at a time; None for as many as its computer has room for.
    :param tested: results of the last test: versions, checkpoint, steps per second.
    :param trained: of a potential that was trained here: its parent, dataset and report, and its held-out error.
    """

    code: orm.InstalledCode
    entry_point: str
    potential: dict[str, Any] = field(default_factory=dict)
    checkpoint: orm.SinglefileData | None = None
    files: dict[str, orm.SinglefileData] = field(default_factory=dict)
    choices: dict[str, Any] = field(default_factory=dict)
    jobs: JobRequest = field(default_factory=JobRequest)
    max_jobs: int | None = None
    tested: dict[str, Any] = field(default_factory=dict)
    trained: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Label of the code."""
        return str(self.code.label)

    @property
    def md(self) -> Any:
        """The MD work chain, which has the facts of this kind of engine.

        :raises ValueError: if the package that has it is not installed.
        """
        return engine_class(self.entry_point)

    @property
    def job(self) -> str:
        """Entry point of the MD job."""
        return str(self.md.md_job())

    def save(self) -> None:
        """Store what belongs to the engine in the extra of its code."""
        self.code.base.extras.set(
            ENGINE_EXTRA,
            {
                "entry_point": self.entry_point,
                "potential": self.potential,
                "checkpoint": None if self.checkpoint is None else self.checkpoint.uuid,
                "files": {name: node.uuid for name, node in self.files.items()},
                "choices": self.choices,
                "resources": self.jobs.counts,
                "job_options": self.jobs.job_options or {},
                "max_jobs": self.max_jobs,
                "tested": self.tested,
                "trained": self.trained,
            },
        )


def load_engine(name: str) -> Engine:
    """Return a registered engine.

    :param name: its name, with ``@computer`` where two computers have one of that name.
    :raises ValueError: if there is none, or more than one; the message lists the registered names.
    """
    try:
        code: Any = orm.load_code(name)
    except exceptions.MultipleObjectsError as error:
        raise ValueError(f"more than one engine is called {name!r}: add @computer") from error
    except exceptions.NotExistent as error:
        raise ValueError(f"there is no engine {name!r}; {_known()}") from error
    about = code.base.extras.get(ENGINE_EXTRA, None)
    if not about:
        raise ValueError(f"the code {name!r} is not an engine; {_known()}")
    checkpoint: Any = orm.load_node(about["checkpoint"]) if about.get("checkpoint") else None
    files: dict[str, Any] = {key: orm.load_node(uuid) for key, uuid in (about.get("files") or {}).items()}
    jobs = JobRequest(**about.get("resources") or {}, job_options=about.get("job_options"))
    rest = {name: about.get(name) or {} for name in ("potential", "choices", "tested", "trained")}
    max_jobs = about.get("max_jobs")
    return Engine(code, about["entry_point"], checkpoint=checkpoint, files=files, jobs=jobs, max_jobs=max_jobs, **rest)


def _known() -> str:
    names = sorted(set(engine_table()["name"]))
    return f"choose from {', '.join(names)}" if names else "make one with 'aiida-ion engine install sevenn'"


def remember_test(engine: Engine, versions: Mapping[str, Any], cost: Mapping[str, Any]) -> Engine:
    """Store the results of a test, and pin the checkpoint that it loaded for later runs."""
    sha256 = (versions.get("checkpoint") or {}).get("sha256")
    potential = engine.potential | ({"checkpoint_sha256": sha256} if sha256 else {})
    tested = {
        "versions": dict(versions),
        "steps_per_s": cost.get("steps_per_s"),
        "n_atoms": cost.get("n_atoms"),
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    after = replace(engine, potential=potential, tested=tested)
    after.save()
    return after
