"""MQTT topics of the wire contract, version 1. Names are checked where they are made."""

import re
from typing import Final

PREFIX: Final = "hedge/v1"

TICKS: Final = f"{PREFIX}/ticks"
"""An array of ticks of any symbols."""
TICKS_OF_A_SYMBOL: Final = f"{PREFIX}/ticks/+"
CLOCK: Final = f"{PREFIX}/clock"
EXECUTIONS: Final = f"{PREFIX}/books/+/executions"
POSITIONS: Final = f"{PREFIX}/books/+/positions"
"""What others say that a book holds: every position of it."""
MEASUREMENTS: Final = f"{PREFIX}/books/+/measurements"
"""A book's Greeks, from the exposure stage to ingest: for the journal."""
REBALANCE: Final = f"{PREFIX}/control/rebalance"
HALT: Final = f"{PREFIX}/control/halt"
RESUME: Final = f"{PREFIX}/control/resume"
GATEWAY_STATE: Final = f"{PREFIX}/control/gateway"
"""Trading states that the gateway set by itself: for the journal."""
EPOCHS: Final = f"{PREFIX}/epochs/+"
EPOCH_ANSWERS: Final = f"{PREFIX}/epochs/+/answers"
HEARTBEATS: Final = f"{PREFIX}/heartbeats/+"
TRADING: Final = f"{PREFIX}/trading/+"
"""What the gateway does now, by scope: retained."""
ORDERS: Final = f"{PREFIX}/books/+/orders"
ACKS: Final = f"{PREFIX}/books/+/acks"
TARGETS: Final = f"{PREFIX}/books/+/target"
EXPOSURES: Final = f"{PREFIX}/books/+/exposure"
TRIGGERS: Final = f"{PREFIX}/books/+/triggers/+"
WHIPSAWS: Final = f"{PREFIX}/books/+/whipsaws"
WITHHELD: Final = f"{PREFIX}/books/+/withheld"
SIGNALS: Final = f"{PREFIX}/signals/+"
ALERTS: Final = f"{PREFIX}/alerts/+"
REJECTS: Final = f"{PREFIX}/rejects"
DECISION_HEAD: Final = f"{PREFIX}/audit/head"
"""The last entry of the decision log, signed: retained."""
PROGRESS: Final = f"{PREFIX}/progress/+"
STATUS: Final = f"{PREFIX}/status/+"

_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")


def name(text: str) -> str:
    """Pass a name that may stand in a topic, a key and a label; refuse any other.

    Raises:
        ValueError: It holds anything but letters, digits, dot, underscore and hyphen.
    """
    if _NAME.fullmatch(text) is None:
        raise ValueError(f"not a name for a topic: {text[:64]!r}")
    return text


def ticks(symbol: str) -> str:
    """Topic of one symbol's ticks."""
    return f"{TICKS}/{name(symbol)}"


def executions(book: str) -> str:
    """Topic of a book's execution reports."""
    return f"{PREFIX}/books/{name(book)}/executions"


def positions(book: str) -> str:
    """Topic of full reports of a book's positions."""
    return f"{PREFIX}/books/{name(book)}/positions"


def measurements(book: str) -> str:
    """Topic of the measurements of a book's Greeks."""
    return f"{PREFIX}/books/{name(book)}/measurements"


def epochs(service: str) -> str:
    """Topic where a new leader of a service tells its epoch."""
    return f"{PREFIX}/epochs/{name(service)}"


def epoch_answers(service: str) -> str:
    """Topic of the gateway's answers to it."""
    return f"{epochs(service)}/answers"


def heartbeats(service: str) -> str:
    """Topic of a leader's heartbeats."""
    return f"{PREFIX}/heartbeats/{name(service)}"


def trading(scope: str) -> str:
    """Topic of a scope's trading state."""
    return f"{PREFIX}/trading/{name(scope)}"


def orders(book: str) -> str:
    """Topic of a book's orders."""
    return f"{PREFIX}/books/{name(book)}/orders"


def acks(book: str) -> str:
    """Topic of the gateway's acknowledgements of a book's orders."""
    return f"{PREFIX}/books/{name(book)}/acks"


def target(book: str) -> str:
    """Topic of a book's target, retained."""
    return f"{PREFIX}/books/{name(book)}/target"


def exposure(book: str) -> str:
    """Topic of a book's exposure, retained."""
    return f"{PREFIX}/books/{name(book)}/exposure"


def trigger(book: str, trigger_name: str) -> str:
    """Topic of one trigger of a book, retained."""
    return f"{PREFIX}/books/{name(book)}/triggers/{name(trigger_name)}"


def whipsaws(book: str) -> str:
    """Topic of the whipsaws that a book suppressed."""
    return f"{PREFIX}/books/{name(book)}/whipsaws"


def withheld(book: str) -> str:
    """Topic of the orders that a control held back."""
    return f"{PREFIX}/books/{name(book)}/withheld"


def signal(signal_name: str) -> str:
    """Topic of one signal, retained."""
    return f"{PREFIX}/signals/{name(signal_name)}"


def alerts(severity: str) -> str:
    """Topic of alerts of one severity."""
    return f"{PREFIX}/alerts/{name(severity)}"


def status(service: str) -> str:
    """Topic of a service's status: online, or its last will."""
    return f"{PREFIX}/status/{name(service)}"


def progress(service: str) -> str:
    """Topic on which a service says how far it is: what paces a replaying feed."""
    return f"{PREFIX}/progress/{name(service)}"


def last_level(topic: str) -> str:
    """Return what stands after the last slash: a symbol, a trigger, a severity."""
    return topic.rpartition("/")[2]


def book_of(topic: str) -> str:
    """Return the book that a topic of `books/{book}/…` is of."""
    return topic.removeprefix(f"{PREFIX}/books/").partition("/")[0]
