"""VIX futures a file a contract; the prices are made up unless they say otherwise."""

from datetime import date
from pathlib import Path

import pytest

from shared.adapters.calendars import session_calendar
from shared.adapters.history.contracts import contract_symbol, vix_curve
from shared.adapters.history.readers import HistoryError, read_file
from shared.adapters.history.series import DailyBar, FindingKind, IntradayBar, Series
from shared.domain.instruments.expiries import SessionDays

HEADER = "Trade Date,Futures,Open,High,Low,Close,Settle,Change,Total Volume,EFP,Open Interest\n"


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("CFE_F13_VX.csv", "VXF13"),
        ("cfe_z08_vx.csv", "VXZ08"),
        ("F13_VX.csv", "VXF13"),
        ("VX_2013-01-16.csv", "VXF13"),
        ("VX_2014-03-18.csv", "VXH14"),  # a Tuesday: the Friday 30 days later was a holiday
        ("CFE_VX_2016-08-03.csv", "VX31Q16"),  # a weekly one
        ("VX_2018-12-19.csv", "VXZ18"),
    ],
)
def test_a_contract_is_called_by_its_month(name: str, symbol: str) -> None:
    assert contract_symbol(Path(name)) == symbol


@pytest.mark.parametrize("name", ["vix_futures.csv", "VX_2013-13-16.csv", "CFE_A13_VX.csv"])
def test_a_file_named_after_no_contract_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(HistoryError, match=r"name the file after its contract"):
        read_file(written(tmp_path / name, f"{HEADER}2013-01-15,F,1,1,1,1,14.5,0,1,0,1\n"))


def test_settlements_are_read_from_cboe_s_file(tmp_path: Path) -> None:
    text = (
        f"CFE data is compiled for the convenience of site visitors.\n{HEADER}"
        "01/14/2013,F (Jan 13),0,0,0,0,14.2,0,0,0,10\n"
        "01/15/2013,F (Jan 13),14.1,14.9,14.0,14.4,14.55,0.35,5,0,10,\n"
    )
    (series,) = read_file(written(tmp_path / "CFE_F13_VX.csv", text))
    assert (series.symbol, series.findings) == ("VXF13", ())
    assert series.bars == (
        DailyBar(day=date(2013, 1, 14), close=14.2),
        DailyBar(day=date(2013, 1, 15), close=14.55),
    )


def test_prices_of_before_march_2007_are_divided_by_ten_and_that_is_said(tmp_path: Path) -> None:
    text = (
        f"{HEADER}2007-03-22,,,,,,137.5,,,,\n2007-03-23,,,,,,13.5,,,,\n2007-03-26,,,,,,61.5,,,,\n"
        "2007-03-27,,,,,,,,,,\n"
    )
    (series,) = read_file(written(tmp_path / "CFE_J07_VX.csv", text))
    assert [bar.close for bar in series.bars] == [13.75, 13.5, 61.5]
    scaled, empty = series.findings
    assert (scaled.kind, scaled.day) == (FindingKind.SCALED, date(2007, 3, 22))
    assert scaled.message.startswith("1 settlements before 2007-03-26 are quoted at ten times")
    assert scaled.place.endswith("CFE_J07_VX.csv:2")
    assert empty.kind is FindingKind.EMPTY


def daily(symbol: str, **levels: float) -> Series:
    bars = tuple(
        DailyBar(day=date.fromisoformat(day.replace("_", "-")[1:]), close=level)
        for day, level in levels.items()
    )
    return Series(symbol=symbol, bars=bars)


def test_the_curve_takes_contracts_before_positions_and_leaves_weekly_ones_out() -> None:
    """F1, F2, F3 as settled on 2018-02-05."""
    days = SessionDays(session_calendar("XNYS", date(2018, 1, 2), date(2018, 6, 29)))
    curve = vix_curve(
        [
            daily("VX1", d2018_02_05=33.225, d2018_02_14=17.875),
            daily("VX2", d2018_02_05=27.0),
            daily("VXH18", d2018_02_05=27.975, d2018_03_21=99.0),
            daily("VX31Q16", d2018_02_05=50.0),
            daily("SPX", d2018_02_05=2648.94),
            Series(
                symbol="VXJ18",
                bars=(IntradayBar(start_ns=0, end_ns=1, close=5.0),),
            ),
        ],
        days,
    )
    february, march = date(2018, 2, 14), date(2018, 3, 21)
    assert curve.level(date(2018, 2, 5), february) == 33.225
    assert curve.level(date(2018, 2, 5), march) == 27.975
    assert curve.level(date(2018, 2, 14), march) == 17.875
    assert curve.level(march, march) is None
    assert curve.expiries == (february, march)
