"""What a benchmark will run, as a table: cells, atoms, temperatures, steps and expected cost."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from aiida_ion.campaigns.expected_cost import atoms_of, size_of, step_time
from aiida_ion.campaigns.obelix.tasks import DONE, FAILED, NEW, RUNNING, Task
from aiida_ion.campaigns.plans import multiples
from aiida_ion.campaigns.structures import READ_FROM
from aiida_ion.cli.text.tables import Rows, duration, number
from aiida_ion.datasets.obelix_cells import MeasuredConductivity
from aiida_ion.datasets.obelix_crystals import PERTURBED, remarks

STATE_WORDS = {DONE: "in the database", RUNNING: "runs", FAILED: "failed before", NEW: "new"}


def task_rows(tasks: Sequence[Task], costs: pd.DataFrame) -> Rows:
    """Return one line for each crystal and engine.

    :param costs: :func:`~aiida_ion.queries.cost`.
    """
    return [_row(task, costs) for task in tasks]


def note_lines(tasks: Sequence[Task]) -> list[str]:
    """Return notes on the entries and engines, each once."""
    materials = {task.material.name: task.material for task in tasks}
    lines = [PERTURBED] if any(material.entry.perturbed for material in materials.values()) else []
    lines += [f"{name}: {remark}." for name, material in materials.items() for remark in remarks(material.entry)]
    for name, material in materials.items():
        attributes = material.structure.base.extras.get(READ_FROM, None) or {}
        lines += [f"{name}: {remark}." for part in ("notes", "warnings") for remark in attributes.get(part) or ()]
    lines += [f"{task.plan.title}: {remark}" for task in tasks for remark in task.plan.remarks]
    return list(dict.fromkeys(lines))


def measured_text(conductivity: MeasuredConductivity) -> str:
    """Return a measured conductivity or its upper bound, S/cm."""
    return f"{'< ' if conductivity.is_bound else ''}{number(conductivity.value_S_cm)}"


def _row(task: Task, costs: pd.DataFrame) -> dict[str, str]:
    plan, size = task.plan, size_of(task.plan)
    parameters = plan.conductivity.parameters.get_dict()
    edges = plan.conductivity.structure.get_ase().cell.lengths()
    steps = " to ".join(f"{count:,}" for count in dict.fromkeys(size.n_steps))
    timing = step_time(plan, costs)
    time = (
        "unknown"
        if timing is None
        else " to ".join(dict.fromkeys(duration(timing.seconds[1] * count) for count in size.n_steps))
    )
    return {
        "entry": task.material.entry.entry_id,
        "material": parameters["formula"],
        "measured (S/cm)": measured_text(task.material.entry.stated),
        "level of theory": plan.level_of_theory,
        "cell (A)": " x ".join(f"{edge:.1f}" for edge in edges),
        "supercell": " x ".join(str(count) for count in multiples(plan.conductivity)),
        "atoms": str(atoms_of(plan)),
        "T (K)": ", ".join(number(value, 6) for value in parameters["temperatures_K"]),
        "runs": f"{size.n_runs} of {size.first_ps:g} ps" + ("" if plan.ensemble is None else f" x {plan.n_members}"),
        "steps": steps,
        "computing": time,
        "known": "-" if timing is None else timing.origin,
        "state": STATE_WORDS[task.state] + (f" ({task.pk})" if task.pk is not None else ""),
    }
