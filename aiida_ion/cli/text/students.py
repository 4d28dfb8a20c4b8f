"""The report of a student as text: its loops, and whether it moves as its teacher."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aiida import orm

from aiida_ion.cli.text.tables import entries, number, text, text_table
from aiida_ion.queries.reading.kinds import Attributes, read_attributes
from aiida_ion.queries.training.students import model_error_lines
from aiida_ion.units import S_PER_HOUR


def is_student(attributes: Mapping[str, Any]) -> bool:
    """Return whether attributes are those of the report of a student."""
    return "history" in attributes and "radial_distribution" in attributes


def student_lines(node: orm.Node) -> list[str]:
    """Return the report of a student as lines of text."""
    attributes = read_attributes(node.base.attributes.all)
    hours = attributes["cpu_time_s"]
    cost = f", {number(hours / S_PER_HOUR, 3)} CPU hours" if isinstance(hours, int | float) else ""
    lines = [
        f"{text(attributes['level_of_theory'])}: {text(attributes['outcome']).replace('_', ' ')}{cost}",
        "",
        *text_table([_loop(loop) for loop in entries(attributes["history"])]).splitlines(),
    ]
    motion = [*_motion(attributes), *_structure(attributes), *model_error_lines(attributes["model_error"])]
    return [*lines, "", *motion, *_speed(attributes)]


def _loop(loop: Mapping[str, Any]) -> dict[str, str]:
    runs = entries(loop.get("runs"))
    return {
        "training": text(loop.get("training")),
        "frames": text(loop.get("n_train")),
        "force error eV/A": f"{number(loop.get('force_mae_eV_A'), 3)} of {number(loop.get('target_eV_A'), 3)}",
        "slope": number(loop.get("slope"), 4),
        "runs": text(loop.get("stage")),
        "survived ps": ", ".join(map(_survived, runs)),
    }


def _survived(run: Mapping[str, Any]) -> str:
    ended = text(run.get("ended"))
    why = "" if ended == "survived" else f" ({ended.replace('_', ' ')})"
    return f"{number(run.get('survived_ps'), 3)}{why}"


def _motion(attributes: Attributes) -> list[str]:
    """Return a line for each element: its displacement at the longest lag, by both."""
    displacement = attributes["displacement"]
    if not isinstance(displacement, Mapping):
        why = text(attributes["displacement_reason"] or "none of its runs there ended well")
        return [f"Its displacement was not compared with the teacher's: {why}."]
    lags, elements = displacement.get("lags_ps") or [None], displacement.get("elements")
    lines = [f"Mean squared displacement at {number(lags[-1], 3)} ps, angstrom^2 (scatter of the runs' halves):"]
    for element, values in elements.items() if isinstance(elements, Mapping) else ():
        sides = (
            f"{side} {number(values[f'{side}_A2'][-1], 3)} ({number(values[f'{side}_scatter_A2'][-1], 2)})"
            for side in ("teacher", "student")
        )
        verdict = "equal within scatter" if values.get("within_scatter") is True else "DIFFERS"
        lines.append(f"  {text(element)}: {', '.join(sides)}: {verdict}")
    return lines


def _speed(attributes: Attributes) -> list[str]:
    """Return a line on the speed of both in the same cell, where both are known."""
    speeds = attributes["steps_per_cpu_s"]
    if not isinstance(speeds, Mapping):
        return []
    teacher, student = speeds.get("teacher"), speeds.get("student")
    if not (isinstance(teacher, int | float) and isinstance(student, int | float) and teacher > 0):
        return []
    both = f"teacher {number(teacher, 3)}, student {number(student, 3)}"
    return [f"Steps per CPU second in the same cell: {both}: {student / teacher:.0f} times"]


def _structure(attributes: Attributes) -> list[str]:
    """Return a line on g(r): the pair that differs most, beside the scatter of the student's runs."""
    pairs = attributes["radial_distribution"]
    if not isinstance(pairs, Mapping) or not pairs:
        return []
    words: Sequence[str] = [
        f"{text(pair)} {number(values['student_teacher'], 2)} ({number(values['student_student'], 2)})"
        for pair, values in pairs.items()
    ]
    return ["Distance of g(r) to the teacher's, 0 to 1 (of two of the student's runs): " + ", ".join(words)]
