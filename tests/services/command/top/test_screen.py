"""The picture on a terminal: what is on it, wide and narrow, whatever texts come from outside."""

import io
from pathlib import Path

import msgspec
import pytest
from fakes import views
from msgspec import structs
from rich.console import Console

from services.command.top.picture import Picture, begin, read_book
from services.command.top.screen import View, screen
from shared.domain.instants import SECOND
from shared.wire.messages import AckMessage, TradingStateMessage
from shared.wire.views import BookView, RegimeView, StateView

GOLDEN = Path(__file__).with_name("golden")
EVIL = "\x1b[2J\x1b]0;owned\x07[bold red]x[/] \x9b31m \u202eabc\r\nforged line\u2028"


def picture(state: StateView | None = None, book: BookView | None = None) -> Picture:
    told = begin(msgspec.json.encode(state or views.state()), 0)
    return structs.replace(told, book=read_book(msgspec.json.encode(book or views.book())))


def drawn(shown: Picture | None, width: int, rows: int | None, **changes: object) -> list[str]:
    view = View(picture=shown, url="http://127.0.0.1:8088", book="overlay")
    text = io.StringIO()
    console = Console(file=text, width=width, height=rows or 500)
    console.print(screen(structs.replace(view, **changes), width, rows), highlight=False)
    return text.getvalue().splitlines()


@pytest.mark.parametrize(("width", "rows"), [(80, 24), (120, None), (170, 50)])
def test_the_picture_is_as_it_was_looked_at(width: int, rows: int | None) -> None:
    """To look at a change: delete the file, run twice, read the difference."""
    lines = drawn(picture(), width, rows)
    golden = GOLDEN / f"{width}x{rows or 'all'}.txt"
    if not golden.exists():
        golden.write_text("\n".join(lines) + "\n")
        pytest.fail(f"{golden.name} was written: look at it")
    assert lines == golden.read_text().splitlines()


@pytest.mark.parametrize("width", [20, 80, 149, 150, 250])
@pytest.mark.parametrize("rows", [1, 5, 10, 24, 60])
def test_it_never_leaves_the_terminal(width: int, rows: int) -> None:
    lines = drawn(picture(), width, rows)
    assert len(lines) <= rows
    assert all(len(line) <= width for line in lines)


def test_at_80_by_24_all_parts_are_there_also_when_much_is_wrong() -> None:
    halted = structs.replace(
        views.example(TradingStateMessage), scope="all", state="halted", reason="drill"
    )
    health = views.health(
        ready=False, trading=(halted,), checks={"data": "too old", "gateway": "silent"}
    )
    text = "\n".join(drawn(picture(views.state(health=health)), 80, 24))
    for part in ("NOT READY", "HALTED: all", "Market", "BOOKS", "BINDS", "FIRING", "Orders"):
        assert part in text
    assert "Alerts" in text
    assert "trading  all HALTED" in text


def test_stale_is_said_in_words_and_first() -> None:
    lines = drawn(picture(), 80, 24)
    assert "STALE DATA: term_ratio stale" in lines
    signals = [line for line in lines if "vix" in line or "!STALE!" in line]
    assert "!STALE!" in signals[0]


def test_a_hidden_line_is_counted() -> None:
    assert any("+1 below" in line for line in drawn(picture(), 80, 24))


def test_the_chosen_of_many_books_is_in_sight() -> None:
    many = tuple(views.summary(f"book{place:02d}") for place in range(50))
    lines = drawn(picture(views.state(books=many)), 80, 24, book="book37")
    assert any(line.startswith("> book37") for line in lines)
    assert any("BOOKS (50)" in line and "above" in line for line in lines)


def test_another_book_is_not_shown_as_the_chosen_one() -> None:
    text = "\n".join(drawn(picture(), 80, 24, book="tail_fund"))
    assert "asking for tail_fund" in text
    assert "BINDS" not in text


def test_silence_of_the_server_is_loud_and_counted() -> None:
    told = picture()
    text = "\n".join(
        drawn(told, 120, 24, trouble="Connection refused", trouble_ns=0, ours_ns=17 * SECOND)
    )
    assert "NOT CONNECTED" in text
    assert "no answer since 00:00:00 UTC (17s), trying" in text
    assert "OLD PICTURE" in text
    nothing = "\n".join(drawn(None, 120, 24, trouble="Connection refused", ours_ns=SECOND))
    assert "NOT CONNECTED" in nothing
    assert "OLD PICTURE" not in nothing


def test_ages_grow_while_nothing_is_told() -> None:
    later = "\n".join(drawn(picture(), 120, None, ours_ns=60 * SECOND))
    assert "data 1m old" in later
    vix = next(line for line in later.splitlines() if line.startswith("vix "))
    assert "1m05s" in vix


def test_in_a_replay_ages_are_measured_from_the_market() -> None:
    shown = picture(views.state(clock="feed", as_of="2026-11-21T00:00:00Z"))
    lines = drawn(shown, 120, None, ours_ns=60 * SECOND)
    assert "2018-02-05 20:30:00 UTC replay" in lines[0]
    assert "0.0s" in next(line for line in lines if line.startswith("vix "))


def test_help_names_the_keys() -> None:
    text = "\n".join(drawn(picture(), 80, 24, is_helping=True))
    assert "q         quit" in text


def test_an_empty_monitor_is_drawn() -> None:
    state = views.state(
        market=views.market(event_time=None, signals={}, curve=(), regime=None, silent=()),
        books=(),
        orders=(),
        alerts=(),
        health=views.health(services=(), trading=(), data_age_s=None, ready=False),
    )
    shown = structs.replace(picture(state), book=None)
    text = "\n".join(drawn(shown, 80, 24, book=""))
    assert "no market event yet" in text
    assert "data none yet" in text
    bare = views.book(
        target=None,
        budget=None,
        exposure=None,
        trading=None,
        signals={},
        scenarios=(),
        triggers=(),
        whipsaws=(),
        withheld=(),
        bands=structs.replace(views.book().bands, reference=None),
    )
    assert "no decision yet" in "\n".join(drawn(picture(book=bare), 80, None))


def evil_picture() -> Picture:
    """Put hostile text wherever a text may stand."""
    alert = views.alert(1, what=EVIL, where=EVIL, runbook=EVIL, book=EVIL, figures={EVIL: 1.0})
    order = views.order(
        1,
        why=EVIL,
        reason=EVIL,
        symbol=EVIL,
        book=EVIL,
        leg=EVIL,
        acknowledgement=structs.replace(views.example(AckMessage), reason=EVIL),
    )
    told = structs.replace(views.health().trading[0], state="halted", reason=EVIL, operator=EVIL)
    service = structs.replace(views.health().services[0], note=EVIL, holder=EVIL, version=EVIL)
    state = views.state(
        version=EVIL,
        environment=EVIL,
        market=views.market(
            signals={EVIL: views.signal(EVIL, 1.0, state=EVIL, unit=EVIL)},
            silent=(EVIL,),
            regime=RegimeView(state=EVIL, since=EVIL),
            curve=(structs.replace(views.market().curve[0], symbol=EVIL),),
        ),
        books=(views.summary("overlay", binding=EVIL, firing=(EVIL,)), views.summary(EVIL)),
        orders=(order, order),
        alerts=(alert,),
        health=views.health(services=(service,), trading=(told,), checks={EVIL: EVIL}, ready=False),
    )
    step = structs.replace(views.target().steps[0], name=EVIL, note=EVIL)
    exposure = views.book().exposure
    assert exposure is not None
    group = structs.replace(exposure.groups[0], underlying=EVIL, bucket=EVIL)
    book = views.book(
        target=views.target(steps=(step,), trigger=EVIL),
        triggers=(views.trigger(EVIL, "firing", reason=EVIL),),
        exposure=structs.replace(exposure, groups=(group,)),
        whipsaws=(structs.replace(views.book().whipsaws[0], trigger=EVIL, peak={EVIL: 1.0}),),
        withheld=(structs.replace(views.book().withheld[0], control=EVIL, leg=EVIL),),
        trading=told,
    )
    return picture(state, book)


@pytest.mark.parametrize(("width", "rows"), [(80, 24), (120, None), (170, 60)])
def test_no_text_from_outside_rules_the_terminal(width: int, rows: int | None) -> None:
    """No escape, no control, no change of direction, no line of its own, no markup."""
    lines = drawn(evil_picture(), width, rows)
    text = "\n".join(lines)
    assert all(line.isprintable() for line in lines)
    assert "[bold red]x[/]" in text, "markup is shown as it is"
    assert not any(line.startswith("forged") for line in lines)
    if rows is not None:
        assert len(lines) <= rows


def test_colours_too_come_from_us_alone() -> None:
    text = io.StringIO()
    console = Console(file=text, width=120, force_terminal=True, color_system="truecolor")
    view = View(picture=evil_picture(), url="http://127.0.0.1:8088", book="overlay")
    console.print(screen(view, 120, None), highlight=False)
    for hostile in ("\x1b[2J", "\x1b]0;", "\x07", "\x9b", "\u202e", "\r"):
        assert hostile not in text.getvalue()
