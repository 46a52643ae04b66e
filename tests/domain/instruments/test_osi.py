from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.instruments.osi import MalformedSymbol, OsiName, format_osi, parse_osi

NAMES = st.builds(
    OsiName,
    root=st.from_regex(r"[A-Z][A-Z0-9]{0,5}", fullmatch=True),
    expiry=st.dates(date(2000, 1, 1), date(2099, 12, 31)),
    right=st.sampled_from(["call", "put"]),
    strike=st.integers(1, 99_999_999).map(lambda thousandths: thousandths / 1000),
)


@given(NAMES, st.booleans())
def test_a_name_comes_back_as_it_was_written(name: OsiName, blanks: bool) -> None:  # noqa: FBT001 - drawn
    text = format_osi(name, blanks=blanks)
    assert parse_osi(text) == name
    assert len(text) == (21 if blanks else 15 + len(name.root))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (
            "SPXW261218P05000000",
            OsiName(root="SPXW", expiry=date(2026, 12, 18), right="put", strike=5000.0),
        ),
        (
            "AAPL  261218C00197500",
            OsiName(root="AAPL", expiry=date(2026, 12, 18), right="call", strike=197.5),
        ),
        (
            "E1A261207C06000000",  # a root may end in letters that look like a right
            OsiName(root="E1A", expiry=date(2026, 12, 7), right="call", strike=6000.0),
        ),
    ],
)
def test_a_name_is_read_with_and_without_its_blanks(text: str, name: OsiName) -> None:
    assert parse_osi(text) == name


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "an option's name is"),
        ("SPXW", "an option's name is"),
        ("SPXW261218X05000000", "an option's name is"),
        ("SPXW261218P5000000", "an option's name is"),
        ("spxw261218P05000000", "an option's name is"),
        ("TOOLONG261218P05000000", "an option's name is"),
        ("1AB261218P05000000", "an option's name is"),
        ("SPXW261218P05000000\n", "an option's name is"),
        ("SPXW２61218P05000000", "an option's name is"),  # noqa: RUF001 - a full-width digit, on purpose
        ("SPXW 261218P05000000", "padded to six"),
        ("SPXW   261218P05000000", "padded to six"),
        ("SPXW261218P00000000", "a strike of 0"),
        ("SPXW261318P05000000", "no day 261318"),
        ("SPXW260229P05000000", "no day 260229"),
    ],
)
def test_what_is_no_name_is_refused_with_what_is_wrong(text: str, problem: str) -> None:
    with pytest.raises(MalformedSymbol, match=problem) as refused:
        parse_osi(text)
    assert problem in refused.value.problem


@pytest.mark.parametrize(
    ("root", "expiry", "strike", "problem"),
    [
        ("SPX", date(2026, 12, 18), 0.0, "thousandths"),
        ("SPX", date(2026, 12, 18), -1.0, "thousandths"),
        ("SPX", date(2026, 12, 18), 0.0005, "thousandths"),
        ("SPX", date(2026, 12, 18), 100_000.0, "thousandths"),
        ("SPX", date(1999, 12, 17), 1.0, "two digits"),
        ("SPX", date(2100, 12, 17), 1.0, "two digits"),
        ("spx", date(2026, 12, 18), 1.0, "a root is"),
        ("", date(2026, 12, 18), 1.0, "a root is"),
    ],
)
def test_what_no_name_can_say_is_not_written(
    root: str, expiry: date, strike: float, problem: str
) -> None:
    with pytest.raises(MalformedSymbol, match=problem):
        format_osi(OsiName(root=root, expiry=expiry, right="put", strike=strike))
