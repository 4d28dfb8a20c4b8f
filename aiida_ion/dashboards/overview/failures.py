"""Failures grouped by their reason: one line for each, with how many and the newest."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pandas as pd

from aiida_ion.queries.running.states import failure_kind, failure_reason

#: Failures that are read, the newest, and reasons that are shown.
MOST_READ, MOST_REASONS = 200, 8
#: What differs between failures for the same reason: numbers and UUIDs.
_DETAILS = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d+(?:[.,]\d+)*(?:e[+-]?\d+)?", re.IGNORECASE)


def by_reason(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the reasons of failures, the most frequent first: ``kind``, ``reason`` of the newest, ``n``, and its row.

    Reasons that differ only in their numbers are one.

    :param table: of `aiida_ion.queries.running.activity.failures`, newest first.
    """
    groups: dict[tuple[str, str], dict[str, Any]] = {}
    for record in table.to_dict("records"):
        failed: Mapping[str, Any] = {str(name): value for name, value in record.items()}
        kind, reason = failure_kind(failed), failure_reason(failed)
        group = groups.setdefault(
            (kind, _DETAILS.sub("#", reason)), {"kind": kind, "reason": reason, "n": 0, "newest": failed}
        )
        group["n"] += 1
    return sorted(groups.values(), key=lambda group: -int(group["n"]))
