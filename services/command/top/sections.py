"""Parts of the screen, and how they share its rows."""

from collections.abc import Sequence

from msgspec import Struct
from rich.text import Text


class Section(Struct, frozen=True, kw_only=True):
    """A titled part of the screen.

    Attributes:
        title: Of its first row; no such row when empty.
        lines: What matters most first: from the end on they are left out where rows are scarce.
        least: So many rows it gets before others get more, title included.
        head: So many of its first lines stay where it is scrolled.
        focus: The line that stays in sight by scrolling; `None`: it is cut at the end instead.
        style: Of the title.
    """

    title: str
    lines: tuple[Text, ...]
    least: int = 2
    head: int = 0
    focus: int | None = None
    style: str = "bold"

    @property
    def wanted(self) -> int:
        """Rows for all of it."""
        return len(self.lines) + bool(self.title)

    def drawn(self, width: int, rows: int) -> list[Text]:
        """Draw it in at most so many rows; its first one tells how many lines are out of sight."""
        if rows <= 0:
            return []
        title = [_title(self.title, width, self.style)] if self.title else []
        lines, note = self._in_sight(rows - len(title))
        drawn = [*title, *(_cut(line, width) for line in lines)]
        if note and (self.title or self.head):
            drawn[0] = _with_note(drawn[0], note, width)
        return drawn

    def _in_sight(self, rows: int) -> tuple[list[Text], str]:
        lines = list(self.lines)
        if len(lines) <= rows:
            return lines, ""
        if self.focus is None or rows <= self.head:
            return lines[:rows], f"+{len(lines) - rows} below"
        window = rows - self.head
        body = lines[self.head :]
        begin = min(max(self.focus - self.head - window // 2, 0), len(body) - window)
        note = f"+{begin} above, +{len(body) - window - begin} below"
        return [*lines[: self.head], *body[begin : begin + window]], note


def share_rows(sections: Sequence[Section], rows: int) -> list[int]:
    """Give every section two rows, then what it needs at least, then one row after another."""
    given = [0] * len(sections)
    for most in (2, rows):
        for place, section in enumerate(sections):
            more = min(section.least, section.wanted, most) - given[place]
            given[place] += min(more, rows)
            rows -= min(more, rows)
    while rows > 0:
        hungry = [place for place, each in enumerate(sections) if 0 < given[place] < each.wanted][
            :rows
        ]
        if not hungry:
            break
        for place in hungry:
            given[place] += 1
        rows -= len(hungry)
    return given


def stacked(sections: Sequence[Section], width: int, rows: int | None) -> list[Text]:
    """Draw sections below each other, in so many rows; all of them when that is `None`."""
    present = [section for section in sections if section.lines]
    given = [each.wanted for each in present] if rows is None else share_rows(present, rows)
    return [
        line
        for section, height in zip(present, given, strict=True)
        for line in section.drawn(width, height)
    ]


def beside(left: Sequence[Text], right: Sequence[Text], width: int) -> list[Text]:
    """Put two columns beside each other; the left one is so wide."""
    lines = []
    for place in range(max(len(left), len(right))):
        line = left[place].copy() if place < len(left) else Text()
        line.truncate(width, pad=True)
        line.append(" │ ", "dim")
        if place < len(right):
            line.append_text(right[place])
        lines.append(line)
    return lines


def _title(title: str, width: int, style: str) -> Text:
    line = Text(f"─ {title} ", style)
    line.truncate(width, overflow="ellipsis")
    return line.append("─" * max(width - line.cell_len, 0), "dim")


def _cut(line: Text, width: int) -> Text:
    line = line.copy()
    line.truncate(width, overflow="ellipsis")
    return line


def _with_note(line: Text, note: str, width: int) -> Text:
    """Put a note at the right end of a line."""
    note = f" {note} "
    line = line.copy()
    line.truncate(max(width - len(note), 0), pad=True)
    return line.append(note, "reverse")
