"""Whether a stage is fed."""

import pytest
from fakes.hedged_market import CALENDAR

from shared.domain.instants import HOUR, SECOND
from shared.domain.signals_observed import Quality, Signal, SignalsObserved
from shared.runtime.freshness import Freshness

OPENED_NS = int(CALENDAR.open_ns[1])
CLOSED_NS = int(CALENDAR.close_ns[1])


def observed(now_ns: int, **printed_ns: int) -> SignalsObserved:
    signals = {
        name: Signal(value=18.0, unit="points", event_ns=at_ns, quality=Quality.GOOD)
        for name, at_ns in printed_ns.items()
    }
    return SignalsObserved(event_ns=now_ns, index=1, cause="clock", signals=signals)


def trouble(latest: SignalsObserved | None) -> str | None:
    return Freshness(CALENDAR, 60 * SECOND, lambda: latest).trouble()


def test_the_youngest_print_counts_and_may_be_as_old_as_is_configured() -> None:
    now_ns = OPENED_NS + HOUR
    old_ns = now_ns - 60 * SECOND
    assert trouble(observed(now_ns, vix=old_ns, rv=OPENED_NS)) is None
    told = trouble(observed(now_ns + SECOND, vix=old_ns, rv=OPENED_NS))
    assert told == "the market is open, and nothing has printed for 61 s of it"


@pytest.mark.parametrize(
    "latest",
    [
        None,
        observed(OPENED_NS + HOUR),
        observed(OPENED_NS + HOUR, vix=0),
        observed(CLOSED_NS + HOUR, vix=OPENED_NS),
    ],
    ids=["no signals yet", "none of them", "no print yet", "closed"],
)
def test_nothing_is_old_before_the_first_print_or_while_the_market_is_closed(
    latest: SignalsObserved | None,
) -> None:
    assert trouble(latest) is None


def test_a_night_ages_nothing() -> None:
    last_ns = int(CALENDAR.close_ns[0]) - 10 * SECOND
    assert trouble(observed(OPENED_NS + 50 * SECOND, vix=last_ns)) is None
    told = trouble(observed(OPENED_NS + 51 * SECOND, vix=last_ns))
    assert told is not None
    assert "61 s" in told
