"""Levels of theory of the synthetic database, and their codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aiida import orm


@dataclass(frozen=True)
class Level:
    """One level of theory.

    :param name: as the results carry it.
    :param engine: label of its code.
    :param kind: engine family in entry points: ``mlip`` or ``quantumespresso``.
    :param potential: input of that name.
    :param versions: what each job says of its versions.
    :param steps_per_s: of a cell of 100 atoms.
    """

    name: str
    engine: str
    kind: str
    computer: str
    potential: dict[str, Any]
    versions: dict[str, Any]
    steps_per_s: float
    cores: int = 1
    n_steps: int = 50_000

    @property
    def job(self) -> str:
        """Entry point of its job of molecular dynamics."""
        return f"ion.{self.kind}_md"

    @property
    def workchain(self) -> str:
        """Entry point of its work chain."""
        return f"ion.md.{self.kind}"

    @property
    def process_label(self) -> str:
        """Name of the class of its job."""
        return {"mlip": "MlipMdCalculation", "quantumespresso": "QuantumEspressoMdCalculation"}[self.kind]


def _mlip(name: str, engine: str, model: str, package: str, version: str, computer: str, steps_per_s: float) -> Level:
    sha256 = (f"{engine}{model}".encode().hex() * 8)[:64]
    potential = {"name": engine, "model": model, "device": "cuda", "checkpoint_sha256": sha256}
    versions = {package: version, "ase": "3.29.0", "numpy": "2.3.1", "torch": "2.7.1", "python": "3.11.2"}
    checkpoint = {"name": model, "sha256": sha256}
    return Level(
        name, engine, "mlip", computer, potential, versions | {"checkpoint": checkpoint}, steps_per_s=steps_per_s
    )


#: The first is the reference of the comparisons.
LEVELS = (
    Level(
        "PBE",
        "quantumespresso",
        "quantumespresso",
        "cluster",
        {},
        {"pw.x": "7.4.1", "pseudo_family": "SSSP/1.3/PBEsol/efficiency"},
        steps_per_s=0.02,
        cores=64,
    ),
    _mlip("SevenNet 7net-0", "sevenn", "7net-0", "sevenn", "0.11.2", "cluster", 40.0),
    _mlip("MACE medium-mpa-0", "mace", "medium-mpa-0", "mace-torch", "0.3.13", "cluster", 25.0),
    _mlip("CHGNet 0.3.0", "chgnet", "0.3.0", "chgnet", "0.4.0", "localhost", 15.0),
)


def store_codes() -> dict[str, int]:
    """Store computers and codes, or find them.

    :returns: engine label (and ``kinisi``) -> negative pk of its code, ``computer <label>`` -> pk of the computer.
    """
    result: dict[str, int] = {}
    for label in ("localhost", "cluster"):
        _, computer = orm.Computer.collection.get_or_create(
            label=label, hostname=label, transport_type="core.local", scheduler_type="core.direct", workdir="/scratch"
        )
        result[f"computer {label}"] = int(computer.store().pk or 0)
    for level in LEVELS:
        about = {
            "entry_point": level.workchain,
            "potential": level.potential,
            "tested": {"versions": level.versions, "steps_per_s": level.steps_per_s, "n_atoms": 100},
        }
        result[level.engine] = -_code(level.engine, result[f"computer {level.computer}"], level.job, about)
    result["kinisi"] = -_code("kinisi", result["computer localhost"], "ion.diffusion", None)
    return result


def _code(label: str, computer_pk: int, job: str, about: dict[str, Any] | None) -> int:
    query = orm.QueryBuilder().append(orm.InstalledCode, filters={"label": label}, project=["id"])
    old = query.first(flat=True)
    if old is not None:
        return int(old)
    code = orm.InstalledCode(
        label=label,
        computer=orm.load_computer(computer_pk),
        filepath_executable=f"/opt/{label}/bin/python",
        default_calc_job_plugin=job,
    ).store()
    if about is not None:
        code.base.extras.set("ion", about)
    return int(code.pk or 0)
