"""A page as a reader without a browser sees it: elements, texts, and the cells of its tables."""

from html.parser import HTMLParser
from typing import Final

VOID: Final = {"meta", "link", "img", "br", "hr", "input"}


class Page(HTMLParser):
    """Collects what the page holds.

    Attributes:
        elements: Name and attributes of each, in order.
        open: Names of the elements that are not closed.
        scripts: Their texts.
        rows: Texts of the cells of every row of every table.
        text: All text that is read.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.scripts: list[str] = []
        self.rows: list[list[str]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in {"td", "th"}:
            self.rows[-1].append("")
        if tag == "small":
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in {"script", "style"}:
            self.scripts += [data] if self.open[-1] == "script" else []
            return
        self.text += data
        if self.rows and self.rows[-1] and {"td", "th"} & set(self.open):
            plain = data.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NON-BREAKING HYPHEN}", "-")
            self.rows[-1][-1] += plain

    def names(self) -> list[str]:
        """Return the names of all elements."""
        return [name for name, _ in self.elements]

    def row(self, name: str) -> list[str]:
        """Return the cells of the first row that begins so, its name left out."""
        return next(row[1:] for row in self.rows if row and row[0].startswith(name))
