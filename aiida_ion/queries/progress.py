"""How far running jobs are, read from their folders on their computers."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
from aiida import orm
from aiida.common.exceptions import AiidaException

from aiida_ion.lammps.logs import read_progress
from aiida_ion.units import duration

#: Job -> the file in its folder that says how far it is.
PROGRESS_FILES = {
    "ion.mlip_md": "progress.json",
    "ion.forces": "progress.json",
    "ion.surrogate_train": "progress.json",
    "ion.lammps_md": "log.lammps",
    "ion.quantumespresso_md": "md.out",
    "ion.vasp_md": "vasprun.xml",
}


@dataclass(frozen=True)
class Progress:
    """How far a running job is.

    :param step: last step.
    :param n_steps: steps of the whole run.
    :param steps_per_s: speed.
    :param seconds_left: time that is still needed at that speed, s.
    """

    step: int
    n_steps: int
    steps_per_s: float | None = None
    seconds_left: float | None = None

    def __str__(self) -> str:
        share = f"{100 * self.step / self.n_steps:.0f} %" if self.n_steps else ""
        words = [f"step {self.step} of {self.n_steps} ({share})"]
        if self.steps_per_s:
            words.append(f"{self.steps_per_s:.3g} steps/s")
        if self.seconds_left is not None:
            words.append(f"{duration(self.seconds_left)} left")
        return ", ".join(words)


def read_job_progress(row: Mapping[str, Any]) -> Progress | None:
    """Return how far a running MD job is, read from its folder on its computer; nothing where it does not say."""
    kind = str(row["process_type"]).rpartition(":")[2]
    source = PROGRESS_FILES.get(kind)
    if source is None or pd.isna(row["remote_workdir"]):
        return None
    node = orm.load_node(int(row["pk"]))
    try:
        with tempfile.TemporaryDirectory() as folder, node.get_authinfo().get_transport() as transport:
            local = Path(folder) / source
            transport.getfile(str(Path(row["remote_workdir"]) / source), str(local))
            return _parse(kind, local.read_text(errors="replace"), node)
    except (OSError, ValueError, KeyError, AiidaException):
        return None  # not begun yet, or its computer does not answer


def _parse(kind: str, content: str, node: Any) -> Progress | None:
    if PROGRESS_FILES[kind] == "progress.json":
        said = json.loads(content)
        return Progress(said["step"], said["n_steps"], said.get("steps_per_s"), said.get("seconds_left"))
    n_steps = int(node.inputs.parameters.get_dict()["n_steps"])
    start = int(node.inputs.restart_from.base.attributes.get("step")) if "restart_from" in node.inputs else 0
    step = read_progress(content, n_steps)[0] if kind == "ion.lammps_md" else start + _dft_steps(kind, content)
    elapsed = (datetime.now(UTC) - node.ctime).total_seconds()
    rate = (step - start) / elapsed if step > start and elapsed > 0 else None
    return Progress(step, n_steps, rate, (n_steps - step) / rate if rate else None)


def _dft_steps(kind: str, content: str) -> int:
    """Return how many steps a DFT program has done from where its job started."""
    if kind == "ion.vasp_md":
        return max(0, content.count("</calculation>") - 1)  # the first evaluates where it starts
    found = re.findall(r"Entering Dynamics:\s+iteration =\s+(\d+)", content)
    return max(0, int(found[-1]) - 1) if found else 0
