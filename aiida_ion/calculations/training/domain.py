"""What a trained potential may be used for: the elements, and for some the only composition, of its dataset."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from math import gcd
from typing import Any

from aiida import orm


def validate_domain(checkpoint: orm.SinglefileData | None, cells: Iterable[Sequence[str]]) -> str | None:
    """Return why a trained potential cannot be used for cells; ``None`` if it can, or was not trained here.

    The attributes of its node decide; another node with the same file has the same limits.

    :param checkpoint: the file of weights.
    :param cells: symbols of the atoms of each cell.
    """
    about = None if checkpoint is None else trained_attributes(checkpoint)
    if about is None:
        return None
    trained = [reduced(composition) for composition in about["compositions"]]
    for symbols in cells:
        new = sorted(set(symbols) - set(about["elements"]))
        if new:
            return f"the potential was trained on {', '.join(about['elements'])}, and knows nothing of {', '.join(new)}"
        composition = reduced({symbol: list(symbols).count(symbol) for symbol in set(symbols)})
        if len(trained) == 1 and composition != trained[0]:
            return (
                f"the potential was trained on {formula(trained[0])} alone, which does not determine the energy of "
                f"each element: it cannot be used for {formula(composition)}"
            )
    return None


def trained_attributes(checkpoint: orm.SinglefileData) -> Mapping[str, Any] | None:
    """Return the attributes of a trained potential; ``None`` for a file that was not trained here."""
    own = checkpoint.base.attributes.all
    if "compositions" in own and "dataset_uuid" in own:
        return own
    sha256 = own.get("sha256")
    if sha256 is None:
        return None
    filters = {"attributes.sha256": sha256, "attributes": {"has_key": "dataset_uuid"}}
    row = orm.QueryBuilder().append(orm.SinglefileData, filters=filters, project=["attributes"]).first()
    return row[0] if row is not None and "compositions" in row[0] else None


def reduced(composition: Mapping[str, int]) -> dict[str, int]:
    """Return a composition of the smallest whole numbers, by element."""
    divisor = reduce(gcd, (int(count) for count in composition.values()))
    return {element: int(composition[element]) // divisor for element in sorted(composition)}


def formula(composition: Mapping[str, int]) -> str:
    """Return a composition as a formula, such as ``Li2O``."""
    return "".join(f"{element}{count if count > 1 else ''}" for element, count in composition.items())
