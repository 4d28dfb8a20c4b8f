"""The table of atoms of one frame, as text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


class AtomTable:
    """Rows of named columns.

    :param columns: names of the columns.
    :param rows: a line for each atom.
    :raises ValueError: if the number of words in a row differs from the number of columns.
    """

    def __init__(self, columns: Sequence[str], rows: Sequence[bytes]) -> None:
        self.columns = list(columns)
        self._n_atoms = len(rows)
        words = [row.split() for row in rows]
        for index, row in enumerate(words):
            if len(row) != len(self.columns):
                raise RowError(index, f"{len(row)} words in {len(self.columns)} columns")
        self._words = [word for row in words for word in row]

    def __len__(self) -> int:
        return self._n_atoms

    def __contains__(self, names: object) -> bool:
        keys = (names,) if isinstance(names, str) else names
        return isinstance(keys, tuple) and all(name in self.columns for name in keys)

    def texts(self, name: str) -> list[str]:
        """Return a column as text."""
        return [word.decode(errors="replace") for word in self._column(name)]

    def integers(self, name: str) -> NDArray[np.int64]:
        """Return a column as integers, shape (N,).

        :raises RowError: naming the first invalid row.
        """
        return self._numbers(name, int).astype(np.int64)

    def floats(self, *names: str) -> NDArray[np.float64]:
        """Return columns as numbers, shape (N, len(names)).

        :raises RowError: naming the first invalid row.
        """
        return np.stack([self._numbers(name, float) for name in names], axis=1).astype(float)

    def _column(self, name: str) -> list[bytes]:
        return self._words[self.columns.index(name) :: len(self.columns)]

    def _numbers(self, name: str, kind: type) -> NDArray[np.float64]:
        column = self._column(name)
        try:
            return np.array([kind(word) for word in column])
        except (ValueError, OverflowError) as error:
            for index, word in enumerate(column):
                try:
                    kind(word)
                except (ValueError, OverflowError):
                    text = word.decode(errors="replace")[:40]
                    raise RowError(index, f"{text!r} in the column {name} is not a number") from error
            raise


class RowError(ValueError):
    """A row of a table that cannot be read; ``row`` counts from 0."""

    def __init__(self, row: int, reason: str) -> None:
        super().__init__(reason)
        self.row = row
