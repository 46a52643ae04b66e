from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.instants import DAY, HOUR, MINUTE, SECOND
from shared.wire.times import format_instant, parse_instant

LAST = 2**63 - 1
instants = st.integers(0, LAST)


@given(instants)
def test_an_instant_comes_back_to_the_nanosecond(instant_ns: int) -> None:
    assert parse_instant(format_instant(instant_ns)) == instant_ns


@given(instants, st.integers(-23, 23), st.integers(0, 59))
def test_an_offset_shifts_the_clock_and_not_the_instant(
    instant_ns: int, hours: int, minutes: int
) -> None:
    sign = "-" if hours < 0 else "+"
    offset_ns = (-1 if hours < 0 else 1) * (abs(hours) * HOUR + minutes * MINUTE)
    local = format_instant(instant_ns).removesuffix("Z")
    text = f"{local}{sign}{abs(hours):02d}:{minutes:02d}"
    assert parse_instant(text) == instant_ns - offset_ns


@given(st.datetimes(datetime(1970, 1, 1), datetime(2262, 4, 11), timezones=st.just(UTC)))  # noqa: DTZ001 - hypothesis wants naive limits
def test_what_the_standard_library_writes_is_read(when: datetime) -> None:
    expected = (when - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000
    assert parse_instant(when.isoformat()) == expected
    assert datetime.fromisoformat(format_instant(expected)) == when


@pytest.mark.parametrize(
    ("text", "instant_ns"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00.000000001Z", 1),
        ("1970-01-01t00:00:01z", SECOND),
        ("1970-01-01 00:00:01Z", SECOND),
        ("1970-01-01T00:00:00-00:00", 0),
        ("1970-01-01T05:30:00+05:30", 0),
        ("1969-12-31T19:00:00-05:00", 0),
        ("1972-02-29T00:00:00Z", 789 * DAY),
        ("2000-02-29T12:00:00Z", 951_825_600 * SECOND),
        ("2018-02-05T21:00:00.123456789Z", 1_517_864_400_123_456_789),
        ("2262-04-11T23:47:16.854775807Z", LAST),
    ],
)
def test_known_instants(text: str, instant_ns: int) -> None:
    assert parse_instant(text) == instant_ns


def test_needless_zeros_are_not_written() -> None:
    assert format_instant(0) == "1970-01-01T00:00:00Z"
    assert format_instant(1_500_000_000) == "1970-01-01T00:00:01.5Z"
    assert format_instant(LAST) == "2262-04-11T23:47:16.854775807Z"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "1970-01-01",
        "1970-01-01T00:00:00",  # no offset: whose clock?
        "1970-01-01T00:00Z",
        "1970-01-01T00:00:00.Z",
        "1970-01-01T00:00:00,5Z",
        "1970-01-01T00:00:00.0000000001Z",
        "1970-01-01T24:00:00Z",
        "1970-01-01T00:60:00Z",
        "2016-12-31T23:59:60Z",
        "1970-01-01T00:00:00+24:00",
        "1970-01-01T00:00:00+23:60",
        "1970-01-01T00:00:00+05:60",
        "1970-01-01T00:00:00+0000",
        "1970-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2024-13-01T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "1970-W01-1T00:00:00Z",
        " 1970-01-01T00:00:00Z",
        "1970-01-01T00:00:00Z\n",
        "1970-01-01T00:00:00.５Z",  # noqa: RUF001 - a full-width digit, on purpose
    ],
)
def test_what_is_not_an_instant_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - which sentence it says is free
        parse_instant(text)


@given(st.text(max_size=40))
def test_any_text_is_an_instant_or_a_value_error(text: str) -> None:
    try:
        parse_instant(text)
    except ValueError:
        return
    assert text[-1] in "zZ0123456789"
