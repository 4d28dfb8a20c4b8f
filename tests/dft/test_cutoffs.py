"""Cut-offs below what pseudopotentials suggest are named, and only those."""

from __future__ import annotations

import pytest

from aiida_ion.dft.cutoffs import CutoffHint, cutoff_warnings, highest, mark

LITHIUM = CutoffHint("Li", "Li.UPF", (78.0, 355.0), "Ry")
OXYGEN = CutoffHint("O", "O.UPF", (47.0, 323.0), "Ry")
NORM_CONSERVING = CutoffHint("S", "S.UPF", (90.0,), "Ry")
POTCAR = CutoffHint("Li", "the POTCAR PAW_PBE Li_sv 10Sep2004", (499.0,), "eV")


@pytest.mark.parametrize(
    ("given", "hints", "expected"),
    [
        ((30.0, 240.0), [LITHIUM, OXYGEN], "(30/240 Ry, below 78/355 Ry)"),
        ((78.0, 355.0), [LITHIUM, OXYGEN], ""),
        ((80.0, 320.0), [LITHIUM, OXYGEN], "(80/320 Ry, below 78/355 Ry)"),
        ((60.0, 480.0), [OXYGEN], ""),
        ((80.0, 640.0), [OXYGEN, NORM_CONSERVING], "(80/640 Ry, below 90/323 Ry)"),
        ((90.0, 360.0), [NORM_CONSERVING], ""),
        ((400.0,), [POTCAR], "(400 eV, below 499 eV)"),
        ((520.0,), [POTCAR], ""),
        ((10.0, 40.0), [], ""),
    ],
)
def test_what_is_below_is_marked(given: tuple[float, ...], hints: list[CutoffHint], expected: str) -> None:
    assert mark(given, hints) == expected


def test_a_warning_names_element_file_hint_and_value() -> None:
    (sentence,) = cutoff_warnings((60.0, 480.0), [LITHIUM, OXYGEN])
    for words in ("Li: Li.UPF", "at least 78/355 Ry", "60/480 Ry is given"):
        assert words in sentence
    assert cutoff_warnings((100.0,), [LITHIUM]) == [], "the density follows where only the other is given"


def test_many_warnings_are_counted() -> None:
    hints = [CutoffHint("Li", f"{i}.UPF", (78.0, 355.0), "Ry") for i in range(9)]
    sentences = cutoff_warnings((30.0, 240.0), hints)
    assert len(sentences) == 6 and sentences[-1] == "The same holds for 4 more pseudopotentials."


def test_the_highest_of_each() -> None:
    assert highest([LITHIUM, NORM_CONSERVING, OXYGEN]) == (90.0, 355.0)
    assert highest([NORM_CONSERVING, LITHIUM]) == (90.0, 355.0)
    assert highest([]) == ()
