"""The kinds of file that people bring, made here; only the values are as published."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from shared.adapters.history.readers import HistoryError, read_file, symbol_of
from shared.adapters.history.series import DailyBar, FindingKind, IntradayBar

FRIDAY, MONDAY = date(2018, 2, 2), date(2018, 2, 5)
VIX = (
    DailyBar(day=FRIDAY, open=13.64, high=17.86, low=13.64, close=17.31),
    DailyBar(day=MONDAY, open=18.44, high=38.8, low=16.8, close=37.32),
)
CBOE = """DATE,OPEN,HIGH,LOW,CLOSE
02/02/2018,13.640000,17.860000,13.640000,17.310000
02/05/2018,18.440000,38.800000,16.800000,37.320000
"""


def written(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


@pytest.mark.parametrize(
    "text",
    [
        CBOE,
        CBOE.replace("02/02/2018", "2018-02-02").replace("02/05/2018", "2018-02-05"),
        CBOE.lower().replace("\n", "\r\n"),
        "\ufeff" + CBOE.replace("DATE,OPEN", "Date, Open"),
        (
            "Date,Open,High,Low,Close,Adj Close,Volume\n"
            "2018-02-02,13.64,17.86,13.64,17.31,1,0\n2018-02-05,18.44,38.8,16.8,37.32,1,0\n"
        ),
        (
            "close,low,high,open,date\n17.31,13.64,17.86,13.64,2018-02-02 00:00:00-05:00\n"
            "\n37.32,16.8,38.8,18.44,2018-02-05 00:00:00-05:00\n"
        ),
    ],
    ids=["cboe", "iso", "lower-crlf", "bom-spaces", "yahoo", "any-order"],
)
def test_daily_bars_are_read_in_every_layout(tmp_path: Path, text: str) -> None:
    (series,) = read_file(written(tmp_path / "VIX_History.csv", text))
    assert (series.symbol, series.bars, series.findings) == ("VIX", VIX, ())


def test_newest_first_is_turned_round_and_said(tmp_path: Path) -> None:
    header, friday, monday = CBOE.splitlines()
    (series,) = read_file(written(tmp_path / "VIX.csv", f"{header}\n{monday}\n{friday}"))
    assert series.bars == VIX
    assert [finding.kind for finding in series.findings] == [FindingKind.ORDER]


@pytest.mark.parametrize("header", ["date,close", "DATE,VVIX", "Close,Date"])
def test_closes_alone_will_do(tmp_path: Path, header: str) -> None:
    cells = "17.31,2018-02-02" if header.startswith("Close") else "2018-02-02,17.31"
    (series,) = read_file(written(tmp_path / "VVIX.csv", f"{header}\n{cells}\n"))
    assert series.bars == (DailyBar(day=FRIDAY, close=17.31),)


@pytest.mark.parametrize("cell", ["", "NaN", "null", "."])
def test_an_empty_cell_is_reported_with_its_line(tmp_path: Path, cell: str) -> None:
    text = f"date,close\n2018-02-02,17.31\n2018-02-05,{cell}\n"
    (series,) = read_file(written(tmp_path / "VIX.csv", text))
    assert [finding.kind for finding in series.findings] == [FindingKind.EMPTY]
    assert series.findings[0].place.endswith("VIX.csv:3")


def test_futures_give_a_series_a_position(tmp_path: Path) -> None:
    text = (
        "date,VIX,F1,F2,F3,F1_expiry,F1_dte\n"
        "2018-02-02,17.31,15.625,15.225,15.325,2018-02-14,12.0\n"
        "2018-02-05,37.32,33.225,27.975,,2018-02-14,9.0\n"
    )
    series = read_file(written(tmp_path / "vix_futures.csv", text))
    assert [one.symbol for one in series] == ["VX1", "VX2", "VX3"]
    assert series[0].bars[1] == DailyBar(day=MONDAY, close=33.225)
    assert series[1].findings == ()
    assert series[2].bars == (DailyBar(day=FRIDAY, close=15.325),)
    assert series[2].findings[0].kind is FindingKind.EMPTY
    assert series[2].findings[0].place.endswith("vix_futures.csv:3")


def instant(hour: int, minute: int) -> int:
    return int(datetime(2018, 2, 5, hour, minute, tzinfo=UTC).timestamp()) * 10**9


@pytest.mark.parametrize(
    ("column", "stamps"),
    [
        ("ts_utc", ("14:34:00+00:00", "14:39:00+00:00", "14:44:00")),  # the end less one minute
        ("bar_start_utc", ("14:30:00Z", "14:35:00Z", "14:40:00Z")),
        ("bar_end_utc", ("09:35:00-05:00", "09:40:00-05:00", "09:45:00-05:00")),
    ],
)
def test_intraday_bars_know_where_they_start_and_end(
    tmp_path: Path, column: str, stamps: tuple[str, ...]
) -> None:
    rows = "".join(f"2018-02-05 {stamp},280.1,280.4,280.0,280.3\n" for stamp in stamps)
    text = f"{column},open,high,low,close\n{rows}"
    (series,) = read_file(written(tmp_path / "spy_5min.csv", text))
    assert series.symbol == "SPY"
    assert series.bars[0] == IntradayBar(
        start_ns=instant(14, 30),
        end_ns=instant(14, 35),
        open=280.1,
        high=280.4,
        low=280.0,
        close=280.3,
    )
    ends = [bar.end_ns for bar in series.bars]
    assert ends == [instant(14, minute) for minute in (35, 40, 45)]


def test_stamps_that_could_be_either_end_are_not_guessed(tmp_path: Path) -> None:
    text = "ts_utc,close\n2018-02-05 14:35:00Z,280\n2018-02-05 14:40:00Z,281\n"
    with pytest.raises(HistoryError, match="bar_start_utc or bar_end_utc"):
        read_file(written(tmp_path / "spy.csv", text))


def test_a_single_intraday_bar_is_taken_for_a_minute(tmp_path: Path) -> None:
    text = "bar_end_utc,close\n2018-02-05 14:35:00Z,280\n"
    (series,) = read_file(written(tmp_path / "spy.csv", text))
    assert series.bars == (
        IntradayBar(start_ns=instant(14, 34), end_ns=instant(14, 35), close=280),
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", r"VIX\.csv: no rows"),
        ("date,close\n", r"VIX\.csv: no rows"),
        ("day;close\n2018-02-02;17.31\n", r"VIX\.csv:1: the header day;close .* understood are"),
        ("date,close\n2018-02-02,17.31,9\n", r"VIX\.csv:2: 3 cells under 2 columns"),
        ("date,close\n2018-02-02,17;31\n", r"VIX\.csv:2: close is '17;31', not a number"),
        ("date,close\n2018-02-02,1\n05.02.2018,1\n", r"VIX\.csv:3: '05\.02\.2018' is not a date"),
        ("date,close\n13/02/2018,1\n", r"VIX\.csv:2: .* \(month first\)"),
        ("ts_utc,close\nnoon,1\n", r"VIX\.csv:2: ts_utc is 'noon', not an instant"),
        ('date,close\n2018-02-02,"1\n', r"VIX\.csv:2: unexpected end"),
        (b"date,close\n2018-02-02,1\n2018-02-05,\xff\n", r"VIX\.csv:3: not UTF-8"),
        (CBOE.encode("utf-16"), r"VIX\.csv:1: not UTF-8"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_line(
    tmp_path: Path, text: str | bytes, problem: str
) -> None:
    with pytest.raises(HistoryError, match=problem):
        read_file(written(tmp_path / "VIX.csv", text))


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match=r"VIX\.csv: No such file"):
        read_file(tmp_path / "VIX.csv")


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("VIX_History.csv", "VIX"),
        ("^GSPC.csv", "SPX"),
        ("spx_daily.csv", "SPX"),
        ("vix9d.CSV", "VIX9D"),
    ],
)
def test_a_file_is_named_after_its_symbol(name: str, symbol: str) -> None:
    assert symbol_of(Path(name)) == symbol


def test_a_file_named_after_nothing_is_refused() -> None:
    with pytest.raises(HistoryError, match="name the file after its symbol"):
        symbol_of(Path("_.csv"))


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("fredgraph.csv", "observation_date,VIXCLS"),
        ("VIXCLS.csv", "DATE,VIXCLS"),
        ("download.csv", "DATE,VIXCLS"),
    ],
)
def test_fred_s_files_are_called_by_their_column(tmp_path: Path, name: str, header: str) -> None:
    text = f"{header}\n2018-02-02,17.31\n2018-02-03,.\n2018-02-05,37.32\n"
    (series,) = read_file(written(tmp_path / name, text))
    assert series.symbol == "VIX"
    assert [bar.close for bar in series.bars] == [17.31, 37.32]
    assert [finding.kind for finding in series.findings] == [FindingKind.EMPTY]


def test_another_series_of_fred_keeps_its_name(tmp_path: Path) -> None:
    text = "observation_date,DGS10\n2018-02-02,2.84\n"
    assert read_file(written(tmp_path / "fredgraph.csv", text))[0].symbol == "DGS10"


def test_dates_written_in_two_ways_are_said_with_their_line(tmp_path: Path) -> None:
    text = "date,close\n2018-02-02,17.31\n02/05/2018,37.32\n"
    (series,) = read_file(written(tmp_path / "VIX.csv", text))
    assert series.bars == (DailyBar(day=FRIDAY, close=17.31), DailyBar(day=MONDAY, close=37.32))
    (finding,) = series.findings
    assert (finding.kind, finding.day) == (FindingKind.DATES, MONDAY)
    assert finding.place.endswith("VIX.csv:3")


def test_a_missing_column_of_prices_is_said(tmp_path: Path) -> None:
    text = "date,open,high,close\n2018-02-02,13.64,17.86,17.31\n"
    (series,) = read_file(written(tmp_path / "VIX.csv", text))
    assert series.bars == (DailyBar(day=FRIDAY, close=17.31),)
    assert [finding.message for finding in series.findings] == [
        "no column low: only the closes are used"
    ]


def test_stamps_in_another_zone_than_the_column_says_are_read_by_their_own(tmp_path: Path) -> None:
    text = (
        "bar_end_utc,close\n2018-02-05 14:35:00+00:00,280\n"
        "2018-02-05 09:40:00-05:00,281\n2018-02-05 14:45:00,282\n"
    )
    (series,) = read_file(written(tmp_path / "SPY.csv", text))
    ends = [bar.end_ns for bar in series.bars if isinstance(bar, IntradayBar)]
    assert ends == [instant(14, minute) for minute in (35, 40, 45)]
    (finding,) = series.findings
    assert (finding.kind, finding.place.endswith("SPY.csv:3")) == (FindingKind.ZONE, True)


@pytest.mark.parametrize(
    ("stamp", "said"),
    [
        ("2018-02-02T00:00:00", False),
        ("2018-02-02 00:00:00-05:00", False),
        ("2018-02-02T00:00:00-04:00", False),
        ("2018-02-02T00:00:00+09:00", True),
        ("2018-02-02T00:00:00Z", True),
        ("2018-02-02 16:00:00", True),
    ],
)
def test_a_day_that_says_more_than_a_day_is_told(tmp_path: Path, stamp: str, *, said: bool) -> None:
    path = written(tmp_path / "VIX.csv", f"date,close\n{stamp},17.31\n")
    (series,) = read_file(path)
    assert [bar.day for bar in series.bars if isinstance(bar, DailyBar)] == [FRIDAY]
    assert [(each.kind, each.place) for each in series.findings] == [
        (FindingKind.DATES, f"{path}:2")
    ] * said


@pytest.mark.parametrize("column", ["open", "high", "low", "volume", "adj close"])
def test_what_is_no_close_is_not_taken_for_one(tmp_path: Path, column: str) -> None:
    path = written(tmp_path / "VIX.csv", f"date,{column}\n2018-02-02,17.31\n")
    with pytest.raises(HistoryError, match=f"1: the header date,{column} is not known"):
        read_file(path)
