"""The table: a row for each measure and database, printed, and kept in docs/guarantees.md between two markers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from rig.site import PROJECT

if TYPE_CHECKING:
    from .stage import Stage

PAGE = PROJECT / "docs" / "guarantees.md"
BEGIN, END = "<!-- measures: begin -->", "<!-- measures: end -->"
HEAD = ("measure", "must", "database", "measured", "holds", "command", "date")


class Finding(NamedTuple):
    """What came out, in words and figures, and whether it is what it must be."""

    measured: str
    holds: bool


class Measure(NamedTuple):
    name: str
    what: str
    must: str
    take: Callable[[Stage], Awaitable[Finding]]
    databases: Sequence[str] = ("sqlite", "postgresql")


class Row(NamedTuple):
    """One line. The first and the third cell say which."""

    what: str
    must: str
    database: str
    measured: str
    holds: bool
    command: str
    date: str

    @classmethod
    def of(cls, measure: Measure, database: str, finding: Finding) -> Row:
        command = f"`python -m bench.measures {measure.name} --database {database}`"
        date = datetime.now(UTC).date().isoformat()
        return cls(measure.what, measure.must, database, finding.measured, finding.holds, command, date)

    def __str__(self) -> str:
        return _line([*self[:4], "yes" if self.holds else "**no**", *self[5:]])


def markdown(rows: list[Row]) -> str:
    return "\n".join([_line(HEAD), _line(["---"] * len(HEAD)), *map(str, rows)])


def write(rows: list[Row]) -> None:
    """Put these rows in the place of those for the same measure and database; the others stay."""
    page = PAGE.read_text()
    before, _, rest = page.partition(BEGIN)
    kept, _, after = rest.partition(END)
    lines = {_which(line): line for line in kept.strip().splitlines()[2:]}
    lines |= {_which(str(row)): str(row) for row in rows}
    written = [_line(HEAD), _line(["---"] * len(HEAD)), *lines.values()]
    PAGE.write_text("\n".join([before + BEGIN, *written, END + after]))


def _which(line: str) -> tuple[str, str]:
    cells = line.strip().strip("|").split("|")
    return cells[0].strip(), cells[2].strip()


def _line(cells: list[str] | tuple[str, ...]) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"
