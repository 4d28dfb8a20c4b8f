"""Records of a job with many materials: a line of JSON for each, as the program writes and the parser reads them."""

from __future__ import annotations

import json
from typing import Any

FILENAME_RECORDS = "results.jsonl"
#: Files of the maps that are kept, and what a record says of its own.
FILENAMES_MAPS, KEPT_MAP = "map_*.npz", "kept_map"
#: What a record says of a material: it has a result; the method does not apply to it; its computation failed.
FINISHED, REFUSED, FAILED = "finished", "refused", "failed"


def map_filename(label: str) -> str:
    """Return the name of the file of the map of a material."""
    return FILENAMES_MAPS.replace("*", label)


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
