"""What the exposure stage says, on the wire."""

from msgspec import structs

from shared.domain.events import ExposureMeasured
from shared.domain.exposure.observed import (
    ExposureObserved,
    GroupExposure,
    Risk,
    ScenarioProfit,
    Unmarked,
)
from shared.domain.exposure.policy import Shock
from shared.domain.exposure.profit import Profit, ProfitAccount, Suspended
from shared.wire.codec import decode, encode
from shared.wire.exposures import exposure_message, measurement_message, readable
from shared.wire.messages import ExposureMessage

WORST = ScenarioProfit(name="2018-02-05", shock=Shock(-0.04, 20.0), profit=-5.0)
RISK = Risk(
    event_ns=1, grid=(WORST,), stress=(WORST,), worst=WORST, shortfall=7.0, shortfall_days=300
)
OBSERVED = ExposureObserved(
    book="a",
    event_ns=2_000_000_000,
    youngest_ns=1_000_000_000,
    groups=(
        GroupExposure(
            underlying="SPX",
            bucket="0-7d",
            level=None,
            positions=2,
            marked=1,
            figures={"delta": 3.0, "vega": 4.0},
        ),
    ),
    totals={"vega": 4.0},
    beta_delta=1.0,
    without_beta=("NDX",),
    index_delta=None,
    vix_vega=2.0,
    positions=2,
    marked=1,
    unmarked=(Unmarked(symbol="X", quantity=1.0, reason="no_quote"),),
    expired=("Y",),
    conflated=3,
)
PROFIT = Profit(
    event_ns=2_000_000_000,
    session=ProfitAccount(since_ns=10**9, total=3.0, parts={"gamma": 2.5}, unexplained=0.5),
    inception=ProfitAccount(since_ns=1, total=-4.0, parts={"gamma": -4.25}, unexplained=0.25),
    suspended=(
        Suspended(symbol="X", quantity=1.0, since_ns=10**9),
        Suspended(symbol="Y", quantity=2.0, since_ns=0),
    ),
    waiting=7,
)
KNOWN = structs.replace(OBSERVED, index_delta=0.5, marked=2, risk=RISK)


def test_a_message_says_all_of_it_but_the_grid() -> None:
    message = exposure_message(KNOWN)
    assert decode(ExposureMessage, encode(message)) == message
    assert message.event_time == "1970-01-01T00:00:02Z"
    assert message.youngest_time == "1970-01-01T00:00:01Z"
    assert message.coverage == 1.0
    assert message.worst is not None
    assert (message.worst.spot, message.worst.volatility, message.worst.profit) == (-0.04, 20, -5)
    assert (message.shortfall, message.shortfall_days) == (7.0, 300)
    assert message.groups[0].figures == {"delta": 3.0, "vega": 4.0}
    assert message.unmarked[0].reason == "no_quote"


def test_what_is_not_known_is_null() -> None:
    message = exposure_message(structs.replace(OBSERVED, youngest_ns=0))
    assert (message.youngest_time, message.risk_time, message.worst) == (None, None, None)
    assert message.index_delta is message.shortfall is None
    assert (message.stress, message.shortfall_days, message.coverage) == ((), 0, 0.5)
    assert message.profit is None


def test_profit_is_told_by_part_with_what_waits() -> None:
    message = exposure_message(structs.replace(OBSERVED, profit=PROFIT))
    profit = decode(ExposureMessage, encode(message)).profit
    assert profit is not None
    assert (profit.event_time, profit.waiting) == ("1970-01-01T00:00:02Z", 7)
    assert (profit.session.since, profit.session.total) == ("1970-01-01T00:00:01Z", 3.0)
    assert (profit.inception.parts, profit.inception.unexplained) == ({"gamma": -4.25}, 0.25)
    assert [each.since for each in profit.suspended] == ["1970-01-01T00:00:01Z", None]


def test_people_read_every_part_of_the_profit() -> None:
    fields = readable(structs.replace(OBSERVED, profit=PROFIT))
    assert fields["profit.session.gamma"].startswith("2.5 currency 1970-01-01T00:00:02Z")
    assert fields["profit.session.unexplained"].startswith("0.5 currency")
    assert fields["profit.inception.total"].startswith("-4 currency")
    assert not any(name.startswith("profit") for name in readable(OBSERVED))


def test_a_measurement_carries_the_sequence_that_makes_it_newer() -> None:
    measured = ExposureMeasured(
        book="a", event_ns=5, portfolio_delta=1.0, put_delta=-0.2, greeks={"vega": 2.0}, sequence=5
    )
    message = measurement_message(measured)
    assert (message.book, message.sequence, message.greeks) == ("a", 5, {"vega": 2.0})
    assert message.event_time == "1970-01-01T00:00:00.000000005Z"


def test_people_read_value_unit_time_and_whether_it_is_all() -> None:
    fields = readable(OBSERVED)
    assert fields["vega"] == "4 currency_per_point 1970-01-01T00:00:02Z partial 1/2"
    assert fields["SPX.0-7d.delta"] == "3 units 1970-01-01T00:00:02Z partial 1/2"
    assert not {"index_delta", "worst", "shortfall"} & fields.keys()
    fields = readable(KNOWN)
    assert fields["index_delta"] == "0.5 units 1970-01-01T00:00:02Z good"
    assert fields["worst"] == "-5 currency 1970-01-01T00:00:02Z good"
    assert fields["shortfall"] == "7 currency 1970-01-01T00:00:02Z good"
    without = structs.replace(KNOWN, risk=structs.replace(RISK, shortfall=None))
    assert "shortfall" not in readable(without)
