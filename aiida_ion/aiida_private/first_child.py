"""Work chains that continue when the first of several children ends."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from aiida.engine import ProcessState


class FirstChildMixin:
    """Mixin of a work chain: after :meth:`wait_for_first` it continues with the first child that ends.

    AiiDA would wait for the last. A child that still runs can be waited for again in the next step.
    """

    ctx: Any
    state: Any
    _awaitables: list[Any]

    def wait_for_first(self, children: Iterable[Any]) -> None:
        """Continue with the next step of the outline when one of the children has ended; at once if there are none."""
        chain: Any = self
        nodes = {f"run_{child.pk}": child for child in children}
        chain.to_context(**nodes)
        self.ctx.waits_for_first = bool(nodes)

    def _on_awaitable_finished(self, awaitable: Any) -> None:
        """Record a child that has ended, and resume if it is the first.

        A child that was waited for in two steps calls twice, each time with the awaitable of that step. The first call
        counts, and resolves the awaitable of the current step.
        """
        chain: Any = self
        parent: Any = super()
        current = [item for item in self._awaitables if item.pk == awaitable.pk]
        if not current:
            return
        parent._on_awaitable_finished(current[0])
        if self.ctx.get("waits_for_first") and self._awaitables and self.state == ProcessState.WAITING:
            self.ctx.waits_for_first = False
            chain.resume()
