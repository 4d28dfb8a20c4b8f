"""Jobs that end when a test says so, whatever the speed of the machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aiida import orm
from aiida.plugins import CalculationFactory

from tests.conftest import OPTIONS

#: Seconds after which a job that waits in vain fails.
MAX_WAIT_S = 60


def addition(code: orm.AbstractCode, release: Path | None = None) -> Any:
    """Return the builder of a small job that ends at once, or when a file exists."""
    builder: Any = CalculationFactory("core.arithmetic.add").get_builder()
    builder.code, builder.x, builder.y = code, orm.Int(1), orm.Int(2)
    builder.metadata.options = dict(OPTIONS)
    if release is not None:
        builder.metadata.options.prepend_text = (
            f"for i in $(seq {10 * MAX_WAIT_S}); do test -e '{release}' && break; sleep 0.1; done\n"
            f"test -e '{release}' || exit 1"
        )
    return builder
