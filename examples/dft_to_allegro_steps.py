"""Commands of aiida-ion as steps that are done once: a group remembers which command made which node."""

from __future__ import annotations

import contextlib
import hashlib
import io
import re
import sys
from collections.abc import Callable, Sequence
from typing import Any

import click
from aiida import orm

from aiida_ion.cli.main import cli
from aiida_ion.engines.engine import load_engine
from aiida_ion.messages import one_line

#: Which command a node is of.
EXTRA = "dft_to_allegro"
#: How commands say the pk of what they made.
MADE = re.compile(r"^(?:Submitted .*: |Dataset )(\d+)", re.MULTILINE)


class Steps:
    """The steps of one group.

    :param group: its label.
    :param profile: of AiiDA; its default one where not given.
    :param is_dry: whether commands are only printed.
    """

    def __init__(self, group: str, profile: str | None, is_dry: bool) -> None:
        self.group, self.is_dry = group, is_dry
        self.profile = ["--profile", profile] if profile else []

    def done(self, title: str, words: Sequence[str], *, may_fail: bool = False, has_dry_run: bool = False) -> str:
        """Return the pk of what a command made, now or in an earlier call; what runs is waited for.

        :param may_fail: whether what ended badly is used all the same: frames before an explosion are frames.
        :param has_dry_run: whether the command checks itself in a dry run.
        """
        print(f"=== {title}: aiida-ion {' '.join(words)}", flush=True)
        if self.is_dry:
            if has_dry_run:
                self._ion(*words, "--dry-run", *self.profile)
            return f"PK-{re.sub('[^a-z0-9]+', '-', title.lower())}"
        node = self._before(words)
        if node is None:
            match = MADE.search(self._ion(*words, "--group", self.group, *self.profile))
            if match is None:
                sys.exit(f"{title}: the command did not say what it made")
            node = orm.load_node(int(match[1]))
            node.base.extras.set(EXTRA, digest(words))
        else:
            print(f"{node.pk} was made by this command before", flush=True)
        if isinstance(node, orm.ProcessNode) and not node.is_terminated:
            self._ion("status", str(node.pk), "--watch", *self.profile)
        if isinstance(node, orm.ProcessNode) and not node.is_finished_ok:
            print(f"{node.pk} ended with {node.exit_status}: {one_line(node.exit_message or node.process_state)}")
            if not may_fail:
                sys.exit(f"{title} failed: 'aiida-ion show {node.pk}'; the same command again tries it again")
        return str(node.pk)

    def kept(self, name: str, make: Callable[[], orm.Node]) -> int:
        """Return the pk of a node of this name in the group, made if it is not there."""
        node = self._before([name])
        if node is None:
            node = make().store()
            node.base.extras.set(EXTRA, digest([name]))
            orm.Group.collection.get_or_create(self.group)[0].add_nodes([node])
        return int(node.pk or 0)

    def registered(self, training: str, name: str) -> None:
        """Register the potential of a training as an engine, unless that is the engine of this name."""
        words = ("potential", "register", training, "--name", name, "--replace")
        print(f"=== engine {name}: aiida-ion {' '.join(words)}", flush=True)
        if self.is_dry or _is_of(name, training):
            return
        self._ion(*words, *self.profile)

    def _before(self, words: Sequence[str]) -> Any:
        """Return the newest node of a command in the group that has not failed for good, or failed with frames."""
        query = orm.QueryBuilder().append(orm.Group, filters={"label": self.group}, tag="group")
        mine = {f"extras.{EXTRA}": digest(words)}
        query.append(orm.Node, with_group="group", filters=mine, tag="node").order_by({"node": {"id": "desc"}})
        nodes = [node for (node,) in query.all() if not isinstance(node, orm.ProcessNode) or _is_usable(node)]
        return nodes[0] if nodes else None

    @staticmethod
    def _ion(*words: str) -> str:
        """Run one command; return what it printed, which is shown, too."""
        kept, screen = io.StringIO(), sys.stdout

        class Both(io.TextIOBase):
            """Writes to the screen and keeps it."""

            def write(self, text: str) -> int:
                screen.write(text)
                return kept.write(text)

            def flush(self) -> None:
                screen.flush()

        with contextlib.redirect_stdout(Both()):
            try:
                cli.main(list(words), standalone_mode=False)
            except click.ClickException as error:
                sys.exit(f"aiida-ion {' '.join(words)}: {error.format_message()}")
        return kept.getvalue()


def digest(words: Sequence[str]) -> str:
    """Return what is the same for the same command."""
    return hashlib.sha256("\0".join(words).encode()).hexdigest()[:32]


def run_of_seed(conductivity: str, seed: int) -> str:
    """Return the pk of the run of a seed in a conductivity at one temperature.

    A pk that does not exist yet, of a dry run, stands for itself.
    """
    if not conductivity.isdigit():
        return f"{conductivity}-seed-{seed}"
    node = orm.load_node(int(conductivity))
    links = node.base.links.get_outgoing(node_class=orm.WorkChainNode).all()
    runs = [link.node for link in links if link.link_label.endswith(f"_seed_{seed}")]
    if not runs or "trajectories" not in runs[0].outputs:
        sys.exit(f"the run of seed {seed} in {conductivity} left no frames: 'aiida-ion show {conductivity}'")
    return str(runs[0].pk)


def _is_usable(node: orm.ProcessNode) -> bool:
    """Whether a process runs, or ended with results; a killed or failed one without any is tried again."""
    if not node.is_terminated or node.is_finished_ok:
        return True
    return any(isinstance(one, orm.TrajectoryData) for one in _results(node))


def _results(node: orm.ProcessNode) -> list[orm.Node]:
    own = [link.node for link in node.base.links.get_outgoing(node_class=orm.Data).all()]
    if not isinstance(node, orm.WorkChainNode) or node.is_killed:
        return own
    return own + [
        link.node for child in node.called for link in child.base.links.get_outgoing(node_class=orm.Data).all()
    ]


def _is_of(name: str, training: str) -> bool:
    """Whether an engine has the potential of a training."""
    try:
        engine = load_engine(name)
    except ValueError:
        return False
    return bool((engine.trained or {}).get("training") == orm.load_node(int(training)).uuid)
