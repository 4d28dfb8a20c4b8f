"""A student beside its teacher in every crystal that it was made for: displacement, g(r) and cost of runs of both.

The report of ``ion.student`` compares them in the first crystal only, and only where it came to an end.
"""

from __future__ import annotations

from typing import Any

TEST = "teacher_test"
OPTIONS = {"resources": {"num_machines": 1, "num_mpiprocs_per_machine": 1}, "withmpi": False}


def print_beside_teacher(chain: Any, training: Any, seeds: tuple[int, ...] = (71, 72, 73)) -> None:
    """Run the student as long and as hot as each test run of its teacher, and print what differs.

    :param chain: the ``ion.student``.
    :param training: the training of the student.
    """
    called = {entry.link_label: entry.node for entry in chain.base.links.get_outgoing().all()}
    for label in sorted(label for label in called if label.startswith(TEST)):
        runs = [run_as(called[label], training, seed) for seed in seeds]
        print(f"\n{label.removeprefix(TEST).strip('_') or 'structure'}")
        print("\n".join(lines_of(called[label], [run for run in runs if run.is_finished_ok])))


def run_as(teacher: Any, training: Any, seed: int) -> Any:
    """Run a student in the cell and with the settings of a run of its teacher; one that ran already is found."""
    from aiida import orm
    from aiida.engine import run_get_node
    from aiida.plugins import WorkflowFactory

    from aiida_ion.workchains.student.engines import student_engine, watch_of_student

    watch = watch_of_student(training, training.inputs.dataset, None)
    entry_point, engine = student_engine(training, OPTIONS, watch)
    own = ("temperature_K", "timestep_fs", "n_steps", "sample_every")
    settings = {name: value for name, value in teacher.inputs.parameters.get_dict().items() if name in own}
    inputs = {
        "structure": teacher.inputs.structure,
        "parameters": orm.Dict({**settings, "seed": seed}),
        "engine": engine,
    }
    chain: Any = WorkflowFactory(entry_point)
    return run_get_node(chain, **inputs)[1]


def lines_of(teacher: Any, students: list[Any]) -> list[str]:
    """Return displacements at the longest lag, distances of g(r) and the cost of a step, in words."""
    from aiida_ion.calculations.training.student_report import motion_of
    from aiida_ion.training.acceptance import compare_displacements, compare_distributions
    from aiida_ion.workchains.student.runs import trajectories_of

    if not students:
        return ["no run of the student ended well"]
    symbols = teacher.inputs.structure.get_ase().get_chemical_symbols()
    student = [motion_of(one) for node in students for one in trajectories_of(node).values()]
    reference = [motion_of(one) for one in trajectories_of(teacher).values()]
    moved = compare_displacements(student, reference, symbols)
    distances = compare_distributions(student, reference, symbols)
    lines = [f"mean squared displacement after {moved['lags_ps'][-1]:.3f} ps, angstrom^2 (scatter of halves):"]
    for element, values in moved["elements"].items():
        both = (
            f"{side} {values[f'{side}_A2'][-1]:.3f} ({values[f'{side}_scatter_A2'][-1]:.3f})"
            for side in ("teacher", "student")
        )
        lines.append(f"  {element}: {', '.join(both)}: {'equal' if values['within_scatter'] else 'DIFFERS'}")
    own = [values["student_student"] or 0.0 for values in distances.values()]
    other = [values["student_teacher"] for values in distances.values()]
    lines.append(f"distances of g(r): to the teacher {min(other):.3f} to {max(other):.3f}, among its own runs ")
    lines[-1] += f"{min(own):.3f} to {max(own):.3f}"
    return lines
