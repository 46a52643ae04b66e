"""`hedgestat study review`: a month of a live journal in a file and in the terminal."""

import sys
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from services.command.endings import Failed, Refused, named_reasons
from services.command.study.review.month import BookMonth, Month, book_month
from services.command.study.review.reading import ReadJournal, export_of, read_journal
from services.command.study.review.tables import figures
from shared.adapters.code_version import code_version
from shared.adapters.settings import Settings
from shared.adapters.study.files import write_text
from shared.runtime.logs import configure_logging
from shared.runtime.site import Site


def review(
    settings: Settings, month: Month, journal: Path | None, out: Path, console: Console
) -> None:
    """Write the review of a month, and print its figures.

    Raises:
        Refused: The journal is no export, or has no session in the month.
        Failed: The store does not answer, or the file cannot be written.
    """
    configure_logging("error", stream=sys.stderr)
    calendar = Site(settings=settings).calendar()
    with named_reasons(), export_of(settings, journal, console) as path:
        found = read_journal(settings, calendar, path)
    index = settings.signals.index_symbol
    books = [book_month(past, month, calendar, index) for past in found.pasts]
    if not any(len(each.daily["day"]) for each in books):
        raise Refused(f"this journal has no session in {month} that can be accounted for")
    _write(settings, month, books, found, out)
    for each in books:
        console.print(_table(each))
    for remark in found.remarks:
        console.print(f"[yellow]{escape(remark)}[/]", highlight=False)
    console.print(f"{out}", highlight=False, markup=False, soft_wrap=True)


def _write(
    settings: Settings, month: Month, books: list[BookMonth], found: ReadJournal, out: Path
) -> None:
    try:
        from services.command.study.review.document import (  # noqa: PLC0415 - an extra
            Origin,
            review_document,
        )
    except ImportError:
        raise Refused('a review needs jinja2: pip install "hedgestat[study]"') from None
    origin = Origin(
        title=f"Hedge review {month}",
        command=" ".join(["hedgestat", *sys.argv[1:]]),
        code_version=code_version(),
        decided_by=found.versions,
        config_digest=settings.digest,
        remarks=found.remarks,
    )
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        write_text(out, review_document(month, books, origin))
    except OSError as reason:
        raise Failed(f"{out}: {reason.strerror}") from None


def _table(month: BookMonth) -> Table:
    sheet = figures(month)
    counts = {
        "decisions": len(month.targets),
        "orders": len(month.orders),
        "execution reports": len(month.executions),
        "whipsaws suppressed": len(month.whipsaws),
    }
    table = Table(title=f"Book {month.book.name}", title_justify="left")
    table.add_column("")
    for head in sheet.heads:
        table.add_column(head, justify="right")
    for name, count in counts.items():
        table.add_row(name, f"{count:,}")
    table.add_section()
    for row in sheet.rows:
        if row.begins:
            table.add_section()
            table.add_row(f"[bold]{row.begins}[/]")
        unit = f" [dim]{row.unit}[/]" if row.unit else ""
        table.add_row(f"{row.name}{unit}", *(cell.text for cell in row.cells))
    return table
