"""The configuration: what it says, its digest, and where it comes from."""

import hashlib
from pathlib import Path

import pytest
from fakes.configurations import SOUND, faults_of, load

from shared.adapters.connections import RedisSettings
from shared.adapters.settings import FaultyConfiguration, load_settings
from shared.domain.instants import HOUR, MINUTE
from shared.domain.policies import FastPathPolicy, Hold, RulePolicy

DEPLOY = Path(__file__).parents[2] / "deploy"
SESSION = 6 * HOUR + 30 * MINUTE

# --- the files that come with it -------------------------------------------------------------


def test_the_documented_example_says_what_its_comments_say() -> None:
    settings = load_settings(DEPLOY / "hedges.toml", {})
    (book,) = settings.books
    (portfolio,) = settings.signals.portfolios
    assert (portfolio.value, portfolio.weights) == (50_000_000, {"SPX": 1.0})
    assert book.rules == (RulePolicy(kind="linear", parameters={"a": 12, "b": 10, "c": 2}),)
    assert (book.sizing.base_vega, book.sizing.floor, book.sizing.cap) == (1000, 0.2, 2.0)
    assert book.sizing.budget is not None
    assert book.sizing.budget.annual == 200_000
    assert book.triggers.hold == Hold(trading_ns=15 * MINUTE, sessions=1, observations=3)
    assert settings.signals.smoothing.half_life_trading_ns == 30 * MINUTE
    assert (settings.clock.source, settings.calendar.name) == ("wall", "XNYS")
    assert settings.signals.mark_symbols == ("SPX", "VIX")


def test_the_documented_example_writes_out_the_defaults(tmp_path: Path) -> None:
    example = load_settings(DEPLOY / "hedges.toml", {})
    least = load(tmp_path, SOUND)
    assert example.signals == least.signals
    assert example.books[0].triggers == least.books[0].triggers
    assert example.books[0].order == least.books[0].order
    assert (example.paper, example.http) == (least.paper, least.http)
    assert (example.mqtt, example.redis) == (least.mqtt, least.redis)
    assert (example.gateway, example.logs) == (least.gateway, least.logs)
    assert example.retention == least.retention
    assert (example.marks, example.exposure) == (least.marks, least.exposure)


def test_the_demo_runs_on_the_feeds_clock_in_sessions() -> None:
    settings = load_settings(DEPLOY / "demo.toml", {})
    (book,) = settings.books
    assert settings.clock.source == "feed"
    assert (settings.signals.smoothing.method, settings.signals.smoothing.sessions) == ("sma", 5)
    assert settings.signals.vix_stale_trading_ns == SESSION * 3 // 2
    assert settings.signals.stale_trading_ns == SESSION * 3 // 2
    assert book.triggers.hold == Hold(trading_ns=0, sessions=2, observations=2)
    assert book.triggers.fast == FastPathPolicy(observations=1)
    assert book.triggers.cooldown_trading_ns == MINUTE
    assert book.order.valid_trading_ns == 2 * SESSION
    assert settings.intake.symbols["VIX"].max_jump > 37.32 / 17.31 - 1  # 2018-02-05 is believed
    assert [leg.name for leg in book.legs] == ["varswap_30d"]


CONFIGURATIONS = sorted(path for path in DEPLOY.glob("*.toml") if path.stem != "study")
"""A study's plan is read by `shared.adapters.study`, and tested there."""


@pytest.mark.parametrize("path", CONFIGURATIONS, ids=lambda path: path.name)
def test_every_configuration_in_deploy_passes(path: Path) -> None:
    assert load_settings(path, {}).books


# --- digest ----------------------------------------------------------------------------------


def test_the_digest_is_of_the_meaning(tmp_path: Path) -> None:
    digest = load(tmp_path, SOUND).digest
    assert len(digest) == len(hashlib.sha256().hexdigest())
    same = (
        SOUND + "# a comment",
        SOUND.replace("[symbols.VIX]\n[symbols.SPX]", "[symbols.SPX]\n[symbols.VIX]"),
        SOUND.replace("1000", "1000.0"),
        SOUND.replace('rule = "option_a"', "")
        + '[[books.rules]]\nkind = "linear"\nb = 10\na = 12.0\n',
        SOUND + '[mqtt]\nurl = "mqtts://broker:8883"\n[logs]\nlevel = "debug"\n',
        SOUND + '[signals]\nstale_after = "300 s"\n',
    )
    assert {load(tmp_path, text).digest for text in same} == {digest}
    other = (
        SOUND.replace("base_vega = 1000", "base_vega = 1001"),
        SOUND + "[calendar]\nclosed = [2026-12-24]\n",
        SOUND + '[clock]\nsource = "feed"\n',
        SOUND + '[venue]\nslippage = "0.2%"\n',
        SOUND.replace("[symbols.SPX]", '[symbols.SPX]\nmax_jump = "31%"'),
    )
    assert len({digest, *(load(tmp_path, text).digest for text in other)}) == 1 + len(other)


def test_the_order_of_books_means_nothing(tmp_path: Path) -> None:
    head, book = SOUND.split("[[books]]")
    second = book.replace('"overlay"', '"another"')
    one = load(tmp_path, f"{head}[[books]]{book}[[books]]{second}")
    two = load(tmp_path, f"{head}[[books]]{second}[[books]]{book}")
    assert [each.name for each in one.books] == ["another", "overlay"]
    assert one == two


# --- the environment -------------------------------------------------------------------------


def test_the_environment_goes_before_the_file_for_connections_only(tmp_path: Path) -> None:
    text = (
        SOUND
        + '[mqtt]\nurl = "mqtt://file:1"\npassword_file = "a"\n[redis]\norders = "redis://file"\n'
    )
    settings = load(
        tmp_path,
        text,
        {
            "HEDGESTAT_MQTT_URL": "mqtts://hedgestat:secret@broker",
            "HEDGESTAT_MQTT_PASSWORD_FILE": "/run/mqtt",
            "HEDGESTAT_REDIS_URL": "rediss://store:6379/1",
            "HEDGESTAT_REDIS_PASSWORD_FILE": "/run/redis",
            "HEDGESTAT_BASE_VEGA": "5",
        },
    )
    assert settings.mqtt.address == ("broker", 8883)
    assert settings.mqtt.password_file == "/run/mqtt"  # noqa: S105 - a path
    store = RedisSettings(url="rediss://store:6379/1", password_file="/run/redis")  # noqa: S106 - a path
    assert (settings.redis.orders, settings.redis.market) == (store, store)
    assert settings.digest == load(tmp_path, SOUND).digest


def test_the_market_store_may_be_another(tmp_path: Path) -> None:
    text = SOUND + '[redis]\norders = "rediss://orders"\nmarket = "rediss://market"\n'
    settings = load(tmp_path, text)
    assert (settings.redis.orders.url, settings.redis.market.url) == (
        "rediss://orders",
        "rediss://market",
    )
    elsewhere = load(tmp_path, text, {"HEDGESTAT_REDIS_MARKET_URL": "rediss://elsewhere"})
    assert elsewhere.redis.orders.url == "rediss://orders"
    assert elsewhere.redis.market.url == "rediss://elsewhere"


def test_a_url_of_the_environment_is_checked_too(tmp_path: Path) -> None:
    (fault,) = faults_of(tmp_path, SOUND, {"HEDGESTAT_MQTT_URL": "http://broker"})
    assert "http://broker" in fault.problem


# --- files that are not even TOML ------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "line", "problem"),
    [
        (b"a = 1\nb = \n", 2, "Invalid value"),
        (b"[a\n", 1, "Expected ']'"),
        (b"a = 1\na = 2\n", 2, "Cannot overwrite a value"),
        (b'a = "', 1, "Unterminated string"),
        (b"a = 1\n\xff\n", 2, "is not UTF-8 text"),
    ],
)
def test_what_is_not_toml_is_refused_with_its_line(
    tmp_path: Path, content: bytes, line: int, problem: str
) -> None:
    path = tmp_path / "hedges.toml"
    path.write_bytes(content)
    with pytest.raises(FaultyConfiguration) as refusal:
        load_settings(path, {})
    (fault,) = refusal.value.faults
    assert (fault.line, fault.key) == (line, "")
    assert problem in fault.problem


def test_a_missing_file_is_a_fault_too(tmp_path: Path) -> None:
    with pytest.raises(FaultyConfiguration, match=r"nowhere\.toml: cannot be read: No such file"):
        load_settings(tmp_path / "nowhere.toml", {})


def test_windows_line_ends_and_a_byte_order_mark_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "hedges.toml"
    path.write_bytes(b"\xef\xbb\xbf" + SOUND.replace("\n", "\r\n").encode())
    assert load_settings(path, {}) == load(tmp_path, SOUND)


def test_futures_of_the_curve_are_marked_where_they_are_declared(tmp_path: Path) -> None:
    assert load(tmp_path, SOUND).signals.mark_symbols == ("SPX", "VIX")
    declared = SOUND + "[symbols.VX1]\n[symbols.VX3]\n[symbols.VX4]\n"
    assert load(tmp_path, declared).signals.mark_symbols == ("SPX", "VIX", "VX1", "VX3")
