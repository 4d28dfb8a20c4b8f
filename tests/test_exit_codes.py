"""The limits of exit codes, held against the codes that the processes declare."""

from __future__ import annotations

from importlib.metadata import entry_points

import pytest

from aiida_ion.exit_codes import EXPLODED, FIRST_WARNING, OUT_OF_WALLTIME, REPEATED, is_parsed, is_usable


@pytest.fixture(scope="module")
def labels() -> dict[int, set[str]]:
    """Return every code of this package's processes with its labels; those below 200 are AiiDA's."""
    result: dict[int, set[str]] = {}
    for group in ("aiida.calculations", "aiida.workflows"):
        for point in entry_points(group=group):
            process = point.load() if point.name.startswith("ion.") else None
            if process is None or getattr(process, "is_process_function", False):
                continue
            for label, code in process.spec().exit_codes.items():
                if code.status >= 200:
                    result.setdefault(code.status, set()).add(label)
    return result


def test_a_code_is_a_warning_from_the_limit_on(labels: dict[int, set[str]]) -> None:
    assert len(labels) > 15
    for status, names in labels.items():
        kind = "WARNING_" if status >= FIRST_WARNING else "ERROR_"
        assert all(name.startswith(kind) for name in names), (status, names)


def test_codes_are_what_they_are_called(labels: dict[int, set[str]]) -> None:
    assert labels[OUT_OF_WALLTIME] == {"ERROR_OUT_OF_WALLTIME"}
    assert labels[EXPLODED] == {"ERROR_TRAJECTORY_EXPLODED"}
    assert labels[440] == {"ERROR_SCF_NOT_CONVERGED"}
    assert {status for status in REPEATED if status >= 200} <= set(labels)


@pytest.mark.parametrize(
    ("exit_status", "usable", "parsed"),
    [(0, True, True), (None, False, False), (400, False, True), (410, False, False), (700, True, True)],
)
def test_what_can_be_used(exit_status: int | None, usable: bool, parsed: bool) -> None:
    assert (is_usable(exit_status), is_parsed(exit_status)) == (usable, parsed)
