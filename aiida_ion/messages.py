"""Error messages for users."""

from __future__ import annotations


def one_line(error: object) -> str:
    """Return the message of an error without its line breaks."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text.removeprefix("invalid attribute value ")  # AiiDA's text around ours
