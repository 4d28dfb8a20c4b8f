"""A disordered crystal is shown by its pooled result, its ordered cells on request."""

from __future__ import annotations

import pandas as pd

from aiida_ion.dashboards.pages.material import chosen_result


def test_the_pooled_result_is_shown_although_a_member_is_better_known() -> None:
    rows = [("member", "measured", "pooled"), ("pooled", "poorly_known", None), ("older", "bound", None)]
    results = pd.DataFrame(rows, columns=["uuid", "verdict", "ensemble_uuid"])
    assert chosen_result(results, None) == "pooled"
    assert chosen_result(results, "member") == "member"
    assert chosen_result(results.iloc[:1], None) == "member"
