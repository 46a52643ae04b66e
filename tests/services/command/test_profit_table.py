"""The table of a book's profit in the terminal."""

from rich.console import Console, Group

from services.command.profit_table import profit_view
from shared.wire.messages import ProfitAccountMessage, ProfitMessage, SuspendedMessage

NOON = "2018-02-02T12:00:00Z"
PROFIT = ProfitMessage(
    event_time=NOON,
    session=ProfitAccountMessage(
        since=NOON, total=1234.0, parts={"gamma": 1500.4, "carry": 0.0}, unexplained=-266.4
    ),
    inception=ProfitAccountMessage(
        since=NOON, total=-56.0, parts={"gamma": -50.0, "carry": 0.0}, unexplained=-6.0
    ),
    suspended=(),
    waiting=0,
)


def drawn(profit: ProfitMessage, width: int = 80) -> str:
    console = Console(width=width, color_system=None)
    with console.capture() as capture:
        console.print(Group(*profit_view(profit)))
    return capture.get()


def row(text: str, name: str) -> list[str]:
    (line,) = [line for line in text.splitlines() if line.strip().startswith(name)]
    return line.split()[:3]


def test_every_part_stands_beside_the_other_account_and_the_total_is_last() -> None:
    text = drawn(PROFIT)
    assert row(text, "gamma") == ["gamma", "1,500", "-50"]
    assert row(text, "unexplained") == ["unexplained", "-266", "-6"]
    assert row(text, "total") == ["total", "1,234", "-56"]
    assert text.index("unexplained") < text.index("total")
    assert all(len(line) <= 80 for line in text.splitlines())


def test_what_waits_for_a_mark_is_named_and_the_rest_counted() -> None:
    waiting = tuple(
        SuspendedMessage(symbol=f"X{each}", quantity=-2.0, since=NOON if each else None)
        for each in range(7)
    )
    profit = ProfitMessage(
        event_time=NOON,
        session=PROFIT.session,
        inception=PROFIT.inception,
        suspended=waiting,
        waiting=9,
    )
    text = drawn(profit)
    assert "waits for a mark of X0 -2, that had none so far" in text
    assert f"waits for a mark of X1 -2, since {NOON}" in text
    assert "X5" not in text
    assert "and the profit of 4 more" in text
