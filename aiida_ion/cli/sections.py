"""Commands with many options, which their help shows under headings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from aiida_ion.cli.common import OneLineErrors


class SectionedCommand(OneLineErrors):
    """A command whose ``--help`` lists its options by subject.

    :param sections: heading -> its options, most used first; all others appear under "Other".
    """

    def __init__(self, *args: Any, sections: Mapping[str, Sequence[str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sections = sections

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, each under its heading."""
        records: dict[str, tuple[str, str]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                records[parameter.opts[-1]] = record
        placed = {name for names in self.sections.values() for name in names}
        other = [name for name in records if name not in placed]
        for heading, names in {**self.sections, "Other": other}.items():
            shown = [records[name] for name in names if name in records]
            if shown:
                with formatter.section(heading):
                    formatter.write_dl(shown)
