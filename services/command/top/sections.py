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
        """Draw it in exactly so many rows, or all of it in fewer."""
        if rows <= 0:
            return []
        title = [_title(self.title, width, self.style)] if self.title else []
        lines = [_cut(line, width) for line in self.lines]
        return title + self._in_sight(lines, rows - len(title), width)

    def _in_sight(self, lines: list[Text], rows: int, width: int) -> list[Text]:
        if len(lines) <= rows:
            return lines
        if self.focus is None or rows <= self.head + 1:
            left_out = len(lines) - rows + 1
            return [*lines[: rows - 1], _more(f"… {left_out} more", width)] if rows > 0 else []
        window = rows - self.head - 1
        body = lines[self.head :]
        begin = min(max(self.focus - self.head - window // 2, 0), len(body) - window)
        told = _more(f"… {begin} above, {len(body) - window - begin} below", width)
        return [*lines[: self.head], *body[begin : begin + window], told]


def share_rows(sections: Sequence[Section], rows: int) -> list[int]:
    """Give every section what it needs at least, in order, and then one row after another."""
    given = []
    for section in sections:
        given.append(min(section.least, section.wanted, rows))
        rows -= given[-1]
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


def _more(text: str, width: int) -> Text:
    return _cut(Text(text, "dim italic"), width)
