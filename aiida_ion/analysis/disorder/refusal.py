"""Why a crystal is not ordered: a word for tables, and a sentence with the next step."""

from __future__ import annotations


class OrderingRefused(ValueError):  # noqa: N818  (not an error of the program)
    """A crystal that cannot be ordered without a decision by its user.

    :param reason: in one word or two, for tables: one of :data:`REASONS`.
    :param message: one sentence that says what to do.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


#: Word -> what it stands for.
REASONS = {
    "occupancy": "occupancies that no arrangement of atoms has",
    "mobile ion": "the mobile ion is absent, or its sites cannot hold as many as neutrality asks for",
    "hydrogen": "hydrogen of the formula is not among the sites",
    "charge": "no usual charges of the elements make the crystal neutral",
    "vacancies": "anions are missing from the framework",
    "composition": "the cell that fits deviates too much from the composition",
    "size": "no neutral cell is small enough",
    "distances": "atoms stay closer than they can be",
}
