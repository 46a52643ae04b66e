"""What a walk-forward chose in each window, and what that did afterwards, as a table."""

from collections.abc import Iterator
from functools import partial

from services.command.study.report.contents import SweptStudy
from services.command.study.report.sheet import Cell, Row, Sheet
from services.command.study.report.wording import money, ratio
from services.command.study.selection import Walk


def walk_table(swept: SweptStudy) -> Sheet | None:
    """Return what was chosen in each window and what it did afterwards; `None` without a walk."""
    if swept.walk is None:
        return None
    parameters = [each.key.rpartition(".")[2] for each in swept.parameters]
    heads = (*parameters, "in training", "afterwards", "best afterwards")
    return Sheet(heads, tuple(_folds(swept, swept.walk)))


def _folds(swept: SweptStudy, walk: Walk) -> Iterator[Row]:
    done = 0
    written = money if swept.policy.objective == "net_profit" else partial(ratio, digits=3)
    for each in walk.folds:
        length = each.fold.test_stop - each.fold.test_start
        days = walk.rows.day[done : done + length]
        done += length
        chosen = (Cell(str(each.chosen.changes[one.key])) for one in swept.parameters)
        figures = (Cell(written(one)) for one in (each.trained, each.tested, each.best))
        yield Row(f"{days[0]} to {days[-1]}", "", (*chosen, *figures))
