"""Why defects are not made: one sentence with the next step."""

from __future__ import annotations


class DefectRefused(ValueError):  # noqa: N818  (not an error of the program)
    """Defects that cannot be made without a decision by the user; the message says what to do."""
