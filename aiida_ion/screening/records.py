"""Records of a job with many materials: a line of JSON for each, as the program writes and the parser reads them."""

from __future__ import annotations

import json
from typing import Any

FILENAME_RECORDS = "results.jsonl"
#: What a record says of a material: it has a result; the method does not apply to it; its computation failed.
FINISHED, REFUSED, FAILED = "finished", "refused", "failed"


def parse_records(text: str) -> dict[str, dict[str, Any]]:
    """Return the records of a text by the labels of their materials; a line that is not whole is left out."""
    records = {}
    for line in text.split("\n")[:-1]:
        try:
            record = json.loads(line)
            records[str(record["label"])] = dict(record)
        except (ValueError, KeyError, TypeError):
            continue
    return records
