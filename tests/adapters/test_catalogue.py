"""The catalogue with the library's own calendars."""

from datetime import date, time

import pytest
from fakes.new_york import instant

from shared.adapters.calendars import CalendarOverrides
from shared.adapters.catalogue import make_catalogue
from shared.adapters.configuration.clock import CalendarSettings
from shared.adapters.configuration.instruments import InstrumentSettings
from shared.domain.instruments.roots import OptionRoot

PLAIN = make_catalogue(InstrumentSettings(stocks=("AAPL",)), CalendarSettings())


@pytest.mark.parametrize(
    ("symbol", "day", "hour", "minute"),
    [
        ("VXH25", date(2025, 3, 18), 9, 30),  # as the CFE published: Good Friday is a third Friday
        ("VXK26", date(2026, 5, 19), 9, 30),  # Juneteenth is one
        ("VXM21", date(2021, 6, 16), 9, 30),
        ("SPX250418C05000000", date(2025, 4, 17), 9, 30),
        ("SPXW261127C05000000", date(2026, 11, 27), 13, 0),
        ("SPXW241224C05000000", date(2024, 12, 24), 13, 0),
        ("AAPL261218C00200000", date(2026, 12, 18), 16, 0),
        ("ESZ26", date(2026, 12, 18), 9, 30),
        ("SPXW591219C05000000", date(2059, 12, 19), 16, 0),
    ],
)
def test_expiries_are_those_of_the_exchange(symbol: str, day: date, hour: int, minute: int) -> None:
    assert PLAIN.resolve(symbol).expiry_ns == instant(day, hour, minute)


def test_a_reviewed_correction_holds_for_the_calendar_of_its_name() -> None:
    early = CalendarOverrides(early_closes=((date(2026, 12, 18), time(12, 0)),))
    roots = (OptionRoot(name="VXX", underlying="SPX", calendar="XCBF"),)
    catalogue = make_catalogue(
        InstrumentSettings(roots=roots), CalendarSettings(name="XNYS", overrides=early)
    )
    assert catalogue.resolve("SPXW261218C05000000").expiry_ns == instant(date(2026, 12, 18), 12)
    elsewhere = catalogue.resolve("VXX261218C05000000").expiry_ns
    assert elsewhere is not None
    assert elsewhere > instant(date(2026, 12, 18), 16)
