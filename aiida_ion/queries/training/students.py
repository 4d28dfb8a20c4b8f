"""The students behind a result: the reports that say how far each is from its teacher."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from aiida import orm

from aiida_ion.queries.reading.kinds import read_number
from aiida_ion.queries.training.trainings import FIT, STUDENT, TRAIN


def students_behind(processes: Iterable[orm.ProcessNode]) -> list[orm.ArrayData]:
    """Return the report of each student whose potential is among what made a result.

    :param processes: the calculations behind it; the trainings among them say whose they are.
    """
    reports: dict[str, orm.ArrayData] = {}
    for process in processes:
        student = process.caller if process.process_type in (TRAIN, FIT) else None
        if student is None or student.process_type != STUDENT:
            continue
        outputs = student.base.links.get_outgoing(link_label_filter="report").all_nodes()
        trained = {link.node.uuid for link in process.base.links.get_outgoing(link_label_filter="report").all()}
        for report in outputs:
            # Earlier students of the same loop are in no report.
            training = report.base.attributes.get("training_uuid", None)
            if isinstance(report, orm.ArrayData) and isinstance(training, str) and training in trained:
                reports[report.uuid] = report
    return list(reports.values())


def model_error_lines(error: object) -> list[str]:
    """Return a line on the diffusivity of a student over its teacher's; none where that was not looked at."""
    if not isinstance(error, Mapping):
        return []
    ratio, reason = _ratio(error), str(error.get("reason") or "")
    if ratio is None:
        return [f"Model error of the diffusivity: NOT KNOWN{f', {reason}' if reason else ''}"]
    teacher = f"{_number(error.get('temperature_K'))} K, {_number(error.get('teacher_ps'))} ps of the teacher"
    agrees = error.get("agrees")
    verdict = "agrees" if agrees is True else "DIFFERS" if agrees is False else reason
    what = f"Model error, {error.get('mobile_species')} diffusivity of the student over the teacher's"
    return [f"{what}: {ratio} ({teacher}): {verdict}"]


def _ratio(error: Mapping[str, Any]) -> str | None:
    """Return the ratio with its interval, or its bound; ``None`` if nothing follows."""
    name = "tracer_diffusivity_ratio"
    value, edges = read_number(error.get(name)), error.get(f"{name}_ci95")
    if value is not None and isinstance(edges, list | tuple):
        return f"{value:.3g} [{', '.join(map(_number, edges))}]"
    if value is not None:
        return f"{value:.3g}"
    for sign, side in (("<", "upper"), (">", "lower")):
        bound = read_number(error.get(f"{name}_{side}_bound"))
        if bound is not None:
            return f"{sign} {bound:.3g}"
    return None


def _number(value: Any) -> str:
    number = read_number(value)
    return "?" if number is None else f"{number:.4g}"
