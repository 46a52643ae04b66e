from shared.domain.instruments.instrument import Kind
from shared.domain.instruments.roots import (
    KNOWN_ROOTS,
    FutureRoot,
    OptionRoot,
    Roots,
    SpotRoot,
)


def test_what_a_desk_hedges_with_is_known() -> None:
    multipliers = {name: root.multiplier for name, root in KNOWN_ROOTS.futures.items()}
    assert multipliers == {
        "ES": 50.0,
        "MES": 5.0,
        "NQ": 20.0,
        "MNQ": 2.0,
        "RTY": 50.0,
        "M2K": 5.0,
        "VX": 1000.0,
        "VXM": 100.0,
    }
    settlements = {name: KNOWN_ROOTS.options[name].settlement for name in ("SPX", "SPXW", "VIX")}
    assert settlements == {"SPX": "am", "SPXW": "pm", "VIX": "am"}
    assert KNOWN_ROOTS.options["VIX"].underlying == "VX"  # never the index itself
    assert KNOWN_ROOTS.options["SPY"].style == "american"
    assert KNOWN_ROOTS.calendars == {"XNYS"}


def test_every_option_is_on_something_known() -> None:
    for root in KNOWN_ROOTS.options.values():
        assert root.underlying in {*KNOWN_ROOTS.spots, *KNOWN_ROOTS.futures}


def test_a_stock_brings_american_options_that_deliver_it() -> None:
    roots = KNOWN_ROOTS.with_stocks(["AAPL", "SPX"])
    assert roots.spots["AAPL"] == SpotRoot(name="AAPL", kind=Kind.STOCK)
    option = roots.options["AAPL"]
    assert (option.style, option.delivery, option.multiplier) == ("american", "physical", 100.0)
    assert roots.options["SPX"] == KNOWN_ROOTS.options["SPX"]
    assert roots.spots["SPX"].kind is Kind.INDEX


def test_a_stock_keeps_the_options_that_are_known_of_it() -> None:
    assert "ES" not in KNOWN_ROOTS.with_stocks(["ES"]).spots
    european = OptionRoot(name="XYZ", underlying="XYZ", style="european", multiplier=1.0)
    roots = Roots().extended(european).with_stocks(["XYZ"])
    assert (roots.spots["XYZ"].kind, roots.options["XYZ"]) == (Kind.STOCK, european)


def test_a_root_of_the_same_sort_replaces_the_other() -> None:
    roots = Roots().extended(
        OptionRoot(name="X", underlying="Y"),
        FutureRoot(name="X", multiplier=1.0, tick_size=1.0),
        OptionRoot(name="X", underlying="Z", calendar="XLON"),
    )
    assert roots.options["X"].underlying == "Z"
    assert roots.futures["X"].multiplier == 1.0
    assert roots.calendars == {"XLON", "XNYS"}
