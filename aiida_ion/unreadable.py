"""Counts of stored values that are invalid and therefore left empty in tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_counts: ContextVar[Counter[str] | None] = ContextVar("unreadable", default=None)


@contextmanager
def counting_unreadable() -> Iterator[Counter[str]]:
    """Count, by column, the invalid stored values that tables leave empty while the block runs.

    A nested block counts for itself and for the outer one.
    """
    counts: Counter[str] = Counter()
    token = _counts.set(counts)
    try:
        yield counts
    finally:
        _counts.reset(token)
        for name, n_values in counts.items():
            note_unreadable(name, n_values)


def is_counting() -> bool:
    """Whether counting is already active."""
    return _counts.get() is not None


def note_unreadable(name: str, n_values: int = 1) -> None:
    """Count values of a column that cannot be read; a column that two tables share is counted once."""
    counts = _counts.get()
    if counts is not None:
        counts[name] = max(counts[name], n_values)


def unreadable_words(counts: Counter[str]) -> str | None:
    """Return a sentence on the stored values that could not be read; empty if all could."""
    if not counts:
        return None
    names = ", ".join(f"{name} ({n})" for name, n in sorted(counts.items()))
    return f"stored values that cannot be read are left empty: {names}"
