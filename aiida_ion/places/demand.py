"""What a job asks of its computer: cores and memory, by its ``metadata.options``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiida_ion.units import KB_PER_GIB


@dataclass(frozen=True)
class Demand:
    """What one job needs while it is on its computer.

    :param uuid: of its process.
    :param pk: of its process, for messages.
    :param computer: uuid of the computer.
    :param engine: uuid of the code that it runs; empty where it has none.
    :param cores: processes times threads.
    :param memory_GiB: as stated in its options; None where it is not, and then it is not counted.
    """

    uuid: str
    pk: int
    computer: str
    engine: str
    cores: int
    memory_GiB: float | None = None


def n_processes(resources: Mapping[str, Any]) -> int:
    """Return how many processes a job of these resources has."""
    counts = [int(resources.get(name) or 1) for name in ("num_machines", "num_mpiprocs_per_machine")]
    return max(math.prod(counts), int(resources.get("tot_num_mpiprocs") or 1))


def cores_per_job(options: Mapping[str, Any]) -> int:
    """Return how many cores a job of these options keeps busy."""
    resources = options.get("resources") or {}
    return n_processes(resources) * int(resources.get("num_cores_per_mpiproc") or 1)


def demand_of(node: Any) -> Demand:
    """Return what a job asks for.

    :param node: its process node.
    """
    options = {"resources": node.get_option("resources")}
    code = node.inputs.code.uuid if "code" in node.inputs else ""
    memory_kB = node.get_option("max_memory_kb")
    memory_GiB = None if memory_kB is None else memory_kB / KB_PER_GIB
    return Demand(node.uuid, int(node.pk), node.computer.uuid, code, cores_per_job(options), memory_GiB)
