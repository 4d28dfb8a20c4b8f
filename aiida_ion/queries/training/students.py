"""The students behind a result: the reports that say how far each is from its teacher."""

from __future__ import annotations

from collections.abc import Iterable

from aiida import orm

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
            if isinstance(report, orm.ArrayData) and report.base.attributes.get("training_uuid", None) in trained:
                reports[report.uuid] = report
    return list(reports.values())
