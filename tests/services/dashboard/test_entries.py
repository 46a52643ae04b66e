import msgspec
import pytest
from fakes.pictured_market import PicturedMarket

from services.dashboard.entries import read_log
from shared.domain.events import ExecutionKind, ExposureMeasured
from shared.wire.journal import encode_log


def test_snapshots_stay_undecoded_until_they_are_wanted() -> None:
    market = PicturedMarket()
    first, second = market.observed("VIX"), market.observed("clock")
    entry = read_log(encode_log([first, second]))
    assert [each.event_ns for each in entry.snapshots] == [first.event_ns, second.event_ns]
    assert entry.snapshots[1].decode() == second


def test_executions_are_found_among_snapshots_and_measurements() -> None:
    market = PicturedMarket()
    market.vix(18.0)
    report = market.report(market.orders[-1], ExecutionKind.FILL, 400.0, 22.0)
    measured = ExposureMeasured(book="overlay", event_ns=1, portfolio_delta=0.0, put_delta=-0.25)
    entry = read_log(encode_log([market.observed("VIX"), report, measured]))
    assert entry.events == (report,)
    assert len(entry.snapshots) == 1


def test_what_is_no_entry_of_the_log_is_said() -> None:
    with pytest.raises(msgspec.DecodeError):
        read_log(b"\xc1")
