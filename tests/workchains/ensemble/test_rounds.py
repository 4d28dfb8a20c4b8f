"""Members are added only where their spread decides the error."""

from __future__ import annotations

from typing import Any

import pytest

from aiida_ion.workchains.ensemble.parameters import EnsembleParameters
from aiida_ion.workchains.ensemble.rounds import decide, relative_error

WIDE = {"ionic_conductivity_mS_cm": 1.0, "ionic_conductivity_ci95_mS_cm": [0.5, 2.0], "n_members": 4}


@pytest.mark.parametrize(
    ("attributes", "settings", "n_left", "n_more", "words"),
    [
        (WIDE | {"dominant_error": "between_members"}, {}, 9, 0, "are computed"),
        (WIDE | {"dominant_error": "between_members"}, {"target_relative_error": 0.6}, 9, 2, "2 members are added"),
        (WIDE | {"dominant_error": "between_members"}, {"target_relative_error": 0.2}, 9, 4, "4 members are added"),
        (WIDE | {"dominant_error": "between_members"}, {"target_relative_error": 0.2}, 1, 1, "1 members are added"),
        (WIDE | {"dominant_error": "between_members"}, {"target_relative_error": 0.2}, 0, 0, "raise n_orderings"),
        (
            WIDE | {"dominant_error": "between_members"},
            {"target_relative_error": 0.2, "max_members": 4},
            9,
            0,
            "max_members is reached",
        ),
        (WIDE | {"dominant_error": "within_members"}, {"target_relative_error": 0.2}, 9, 0, "Longer molecular"),
        (WIDE | {"dominant_error": "between_members"}, {"target_relative_error": 0.8}, 9, 0, "target is met"),
        ({"n_members": 4}, {"target_relative_error": 0.2}, 9, 0, "no value"),
        ({"n_members": 1}, {"target_relative_error": 0.2}, 9, 1, "not measured yet"),
        # The error of one member says nothing of the others, however small it is.
        (WIDE | {"n_members": 1}, {"target_relative_error": 5.0}, 9, 1, "not measured yet"),
    ],
)
def test_what_is_added(attributes: Any, settings: Any, n_left: int, n_more: int, words: str) -> None:
    decision = decide(attributes, EnsembleParameters.from_dict(settings), 4, n_left)
    assert decision.n_more == n_more
    assert words in decision.reason


def test_the_error_is_half_the_interval_of_the_logarithm() -> None:
    assert relative_error(WIDE) == pytest.approx(0.693, abs=1e-3)
    assert relative_error({"ionic_conductivity_mS_cm": None}) is None
