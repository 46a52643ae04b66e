"""`hedgestat exposure`: what was last told of a book, as a table or as JSON; or why nothing."""

import io
import json
import subprocess
from pathlib import Path

import pytest
from fakes.configurations import SOUND, load
from fakes.servers import MosquittoServer, free_port
from msgspec import structs
from rich.console import Console

from services.command.endings import Failed, Refused
from services.command.exposure import ExposureOptions, run_exposure
from services.command.exposure_session import DAY, ExposureSession
from services.command.exposure_table import ExposureView
from services.command.generated_chain import Climate, GeneratedChain
from shared.adapters.catalogue import make_catalogue
from shared.adapters.settings import Settings
from shared.domain.instants import SECOND
from shared.runtime.site import Site
from shared.wire import codec, topics
from shared.wire.examples import EXAMPLES
from shared.wire.messages import ExposureMessage
from shared.wire.times import parse_instant

MESSAGE = next(message for message in EXAMPLES if isinstance(message, ExposureMessage))
AT_NS = parse_instant(MESSAGE.event_time)


def settings(directory: Path, port: int) -> Settings:
    loaded = load(directory, SOUND, {"HEDGESTAT_MQTT_URL": f"mqtt://127.0.0.1:{port}"})
    return structs.replace(loaded, positions={"overlay": {"SPX": 1.0}})


def keep(server: MosquittoServer, payload: bytes) -> None:
    """Publish retained, as the stage does."""
    topic = topics.exposure("overlay")
    command = ["mosquitto_pub", "-p", str(server.port), "-r", "-t", topic, "-s"]
    subprocess.run(command, input=payload, check=True, timeout=20)


def printed(message: ExposureMessage, width: int, now_ns: int | None = None) -> str:
    text = io.StringIO()
    Console(file=text, width=width).print(ExposureView(message, now_ns))
    return text.getvalue()


@pytest.mark.server
def test_json_is_what_was_told(tmp_path: Path, mosquitto_server: MosquittoServer) -> None:
    keep(mosquitto_server, codec.encode(MESSAGE))
    text = io.StringIO()
    options = ExposureOptions(book="overlay", as_json=True)
    run_exposure(settings(tmp_path, mosquitto_server.port), options, Console(file=text))
    assert json.loads(text.getvalue()) == json.loads(codec.encode(MESSAGE))


@pytest.mark.server
def test_what_is_no_exposure_and_what_was_never_told_is_said(
    tmp_path: Path, mosquitto_server: MosquittoServer
) -> None:
    options = ExposureOptions(book="overlay", patience_s=1.0)
    told = settings(tmp_path, mosquitto_server.port)
    with pytest.raises(Failed, match="nothing was told of overlay within 1 s"):
        run_exposure(told, options, Console(file=io.StringIO()))
    keep(mosquitto_server, b"{}")
    with pytest.raises(Failed, match="holds is no exposure"):
        run_exposure(told, options, Console(file=io.StringIO()))


def test_without_a_broker_it_says_where_it_looked(tmp_path: Path) -> None:
    port = free_port()
    options = ExposureOptions(book="overlay", patience_s=0.2)
    with pytest.raises(Failed, match=f"does not answer .*{port}"):
        run_exposure(settings(tmp_path, port), options, Console(file=io.StringIO()))


def test_a_book_that_is_none_and_a_configuration_without_positions_are_refused(
    tmp_path: Path,
) -> None:
    known = settings(tmp_path, 1)
    with pytest.raises(Refused, match="there are overlay"):
        run_exposure(known, ExposureOptions(book="other"), Console(file=io.StringIO()))
    without = structs.replace(known, positions={})
    with pytest.raises(Refused, match=r"\[\[books.positions\]\]"):
        run_exposure(without, ExposureOptions(book="overlay"), Console(file=io.StringIO()))


def test_the_table_names_what_is_missing_and_how_old_it_is() -> None:
    text = printed(MESSAGE, 160, AT_NS + 90 * SECOND)
    assert "coverage 66.7% of 3 positions: 1 in no figure above" in text
    assert "not marked: SPXW180420P01500000 +40 (no_quote)" in text
    assert "90.0 s old" in text
    assert "worst scenario spot +10% volatility -10: -98.0k" in text
    assert "vanna" in text
    assert "vanna" not in printed(MESSAGE, 80)


def test_the_table_says_what_it_does_not_know() -> None:
    message = structs.replace(
        MESSAGE,
        index_delta=None,
        worst=None,
        shortfall=None,
        without_beta=("NDX",),
        expired=("OLD",),
        conflated=0,
        unmarked=(),
        marked=3,
        coverage=1.0,
        groups=(structs.replace(MESSAGE.groups[0], level=None),),
    )
    text = printed(message, 160)
    assert "unknown" in text
    assert "no beta, not in the beta-weighted delta: NDX" in text
    assert "expired and still held: OLD" in text
    assert "s old" not in text
    risky = structs.replace(MESSAGE, shortfall=None, shortfall_days=12)
    assert "needs a year of daily closes, has 12 days" in printed(risky, 160)


def test_the_demo_s_session_is_the_same_every_time_and_ends_at_the_real_closes(
    tmp_path: Path,
) -> None:
    site = Site(settings=load(tmp_path, SOUND))
    session = ExposureSession(site.catalogue(), site.calendar())
    steps = list(session.steps())
    assert len(steps) == session.count == 391
    assert len(session.positions) == 1210
    assert steps[0].ticks[0].price == 2762.13
    assert steps[-1].ticks[0].price == 2648.94
    assert steps[-1].ticks[1].price == 37.32
    assert len(steps[0].ticks) == 1212
    assert steps == list(ExposureSession(site.catalogue(), site.calendar()).steps())
    assert str(DAY) in session.story


def test_a_generated_chain_is_quoted_around_what_it_is_worth(tmp_path: Path) -> None:
    loaded = load(tmp_path, SOUND)
    catalogue = make_catalogue(loaded.instruments, loaded.calendar)
    chain = GeneratedChain(catalogue, "SPXW", [DAY], [2700.0, 2800.0], Climate())
    expiry_ns = chain.instruments[0].expiry_ns
    assert expiry_ns is not None
    now_ns = expiry_ns - 10**15
    worth = chain.prices(now_ns, 2750.0, 0.2)
    for tick, price in zip(chain.quotes(now_ns, 2750.0, 0.2), worth, strict=True):
        assert tick.bid is not None
        assert tick.ask is not None
        assert tick.bid < price < tick.ask
