"""One readable line a message, whatever a message's author wrote into it."""

import io

import pytest
from msgspec import Struct
from msgspec.structs import replace
from rich.console import Console
from rich.text import Text

from services.command.lines import complaint, describe, print_line, read
from shared.wire import codec
from shared.wire.codec import MalformedMessage
from shared.wire.examples import EXAMPLES
from shared.wire.messages import (
    AckMessage,
    AlertMessage,
    ExecutionMessage,
    OrderMessage,
    RejectMessage,
    SignalMessage,
    StatusMessage,
    TargetMessage,
    TriggerMessage,
    WhipsawMessage,
    WithheldMessage,
)

BY_KIND = {type(message): message for message in EXAMPLES}
SAID: dict[type[Struct], tuple[str, str]] = {
    OrderMessage: (
        "books/overlay/orders",
        (
            "2018-02-02 15:30:00 ORDER    buy 400 varswap_3m -> 1,000, limit 24.20  "
            "VIX 22.0 against 18.0: a move of 4.0 points, above 3.0, mid 22.00"
        ),
    ),
    ExecutionMessage: (
        "books/overlay/executions",
        "2018-02-02 15:30:01 FILL     overlay-00000002-varswap_3m +400 at 22.13",
    ),
    AckMessage: ("books/overlay/acks", "ACK      overlay-00000002-varswap_3m accepted"),
    TargetMessage: (
        "books/overlay/target",
        (
            "2018-02-02 15:30:00 TARGET   overlay: 600 -> 1,000 vega (multiplier 1: rule 1*, "
            "floor_and_cap 1)"
        ),
    ),
    TriggerMessage: (
        "books/overlay/triggers/vix_move",
        (
            "2018-02-02 15:30:00 TRIGGER  vix_move: pending -> firing  VIX 22.0 against 18.0: a "
            "move of 4.0 points, above 3.0"
        ),
    ),
    WhipsawMessage: (
        "books/overlay/whipsaws",
        (
            "2018-02-01 15:04:00 WHIPSAW  vix_move suppressed, pending since 2018-02-01 "
            "(vix_smooth 21.4)"
        ),
    ),
    WithheldMessage: (
        "books/overlay/withheld",
        "2018-02-02 15:30:00 WITHHELD varswap_3m by max_order_vega (vega 400, limit 300)",
    ),
    SignalMessage: (
        "signals/vix_smooth",
        "2018-02-02 15:30:00 SIGNAL   vix_smooth = 22 points good",
    ),
    AlertMessage: (
        "alerts/warning",
        (
            "2018-02-02 15:30:00 WARNING  order_rejected overlay-00000002-varswap_3m (quantity 400)"
            "  Read the venue's reason; the trigger is armed again and will ask anew."
        ),
    ),
    RejectMessage: (
        "rejects",
        (
            "2018-02-02 15:30:00 REJECT   jump on hedge/v1/ticks/VIX: VIX 37.32 after 22.0, 1 of 3 "
            'prints  b\'{"symbol":"VIX","event_time":"2018-02-02T15:30:00Z","price":37.32}\''
        ),
    ),
    StatusMessage: ("status/hedger", "STATUS   hedger online 0.1.0"),
}


def shown(message: Struct) -> str:
    return Text.from_markup(describe(message)).plain


def printed(markup: str, *, terminal: bool) -> str:
    file = io.StringIO()
    console = Console(file=file, force_terminal=terminal, width=40, color_system=None)
    print_line(console, markup)
    return file.getvalue()


@pytest.mark.parametrize("kind", SAID, ids=lambda kind: kind.__name__)
def test_a_message_is_one_line(kind: type[Struct]) -> None:
    topic, line = SAID[kind]
    message = read(f"hedge/v1/{topic}", codec.encode(BY_KIND[kind]))
    assert message == BY_KIND[kind]
    assert shown(message) == line


@pytest.mark.parametrize("kind", SAID, ids=lambda kind: kind.__name__)
def test_text_from_outside_is_neither_markup_nor_obeyed_by_a_terminal(kind: type[Struct]) -> None:
    example = BY_KIND[kind]
    texts = [
        name
        for name in kind.__struct_fields__
        if isinstance(getattr(example, name), str) and name not in _CLOSED
    ]
    evil = replace(example, **dict.fromkeys(texts, "[bold]\x1b[31m[/nonsense]\n\\"))
    line = shown(evil)
    assert "\x1b" not in line
    assert "\n" not in line
    assert "[bold]" in line


_CLOSED = {"side", "status", "kind", "state", "previous", "quality", "severity"}


@pytest.mark.parametrize(
    ("instant", "form"),
    [
        (1_517_864_400_000_000_000, "2018-02-05 21:00:00 FILL"),
        ("2018-02-05T21:00:00.25+01:00", "2018-02-05 21:00:00 FILL"),
        (10**30, "1" + "0" * 18 + " FILL"),
        (-1, "-1 FILL"),
    ],
)
def test_a_time_of_a_venues_own_making_is_shown_as_it_came(instant: int | str, form: str) -> None:
    report = BY_KIND[ExecutionMessage]
    assert isinstance(report, ExecutionMessage)
    assert shown(replace(report, event_time=instant)).startswith(form)


def test_what_says_nothing_takes_no_room() -> None:
    report, signal = BY_KIND[ExecutionMessage], BY_KIND[SignalMessage]
    assert shown(replace(report, kind="new", price=None)).endswith("overlay-00000002-varswap_3m")
    assert shown(replace(report, reason="late")).endswith("at 22.13  late")
    warming = replace(signal, value=None, event_time=None, have=3, need=20, quality="warming")
    assert shown(warming) == "- SIGNAL   vix_smooth = - points warming 3/20"
    regime = replace(signal, name="regime", value=1.0, unit="", state="medium")
    assert shown(regime).endswith("regime = 1  medium good")
    assert shown(replace(BY_KIND[AckMessage], reason="no")).endswith("accepted: no")
    assert "()" not in shown(replace(BY_KIND[AlertMessage], figures={}))


def test_a_message_that_its_topic_does_not_carry_is_told_from_a_good_one() -> None:
    with pytest.raises(MalformedMessage) as malformed:
        read("hedge/v1/books/overlay/orders", b"[1]")
    line = Text.from_markup(complaint("hedge/v1/books/[x]/orders", malformed.value)).plain
    assert line.startswith("malformed hedge/v1/books/[x]/orders: ")


def test_of_a_topic_nobody_described_nothing_is_guessed() -> None:
    with pytest.raises(KeyError):
        read("hedge/v1/exposure", b"{}")


def test_a_line_is_cut_to_a_terminal_and_whole_in_a_pipe() -> None:
    line = "word " * 20
    cut = printed(line, terminal=True)
    assert cut.count("\n") == 1
    assert len(cut) <= 41
    assert printed(line, terminal=False) == f"{line}\n"
