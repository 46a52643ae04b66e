"""On real servers, a real gateway and its record: what should not be there is found, and halts."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
from fakes.decision_log import head_at
from fakes.eventually import eventually
from fakes.recorded_run import RecordedRun, recorded_run
from fakes.workplace import Workplace, workplace
from msgspec import structs

from services.auditor.__main__ import run as run_auditor
from services.gateway.__main__ import run as run_gateway
from services.hedger.__main__ import run as run_hedger
from services.signals.__main__ import run as run_signals
from shared.adapters.control_socket import gateway_status
from shared.adapters.head_record import HeadRecord, signed_head
from shared.domain.trading import TradingState
from shared.runtime.site import Site
from shared.wire import codec, keys, topics
from shared.wire.announcements import order_message
from shared.wire.messages import AlertMessage, TradingCommandMessage

pytestmark = [pytest.mark.server, pytest.mark.timeout(120)]

RUN = date(2015, 7, 1), date(2015, 9, 30)
WITHIN_S = 10.0


@pytest.fixture(scope="module")
def run() -> RecordedRun:
    return recorded_run(*RUN)


@pytest.fixture
async def place(tmp_path: Path, run: RecordedRun) -> AsyncIterator[Workplace]:
    """Servers, the configuration of the run, and its journal."""
    async with workplace(tmp_path) as made:
        settings = made.settings
        made.settings = structs.replace(
            run.settings,
            mqtt=settings.mqtt,
            redis=settings.redis,
            gateway=settings.gateway,
            auditor=structs.replace(settings.auditor, heads=str(tmp_path / "heads")),
        )
        await made.write("ingest", keys.journal(), run.journal)
        yield made


def sample(site: Site, name: str, **labels: str) -> float:
    return site.registry.get_sample_value(f"hedge_audit_{name}", labels) or 0.0


async def audited(place: Workplace, run: RecordedRun) -> None:
    """Decide the whole run, and have its record found as it should be."""
    async with place.running(run_signals, run_hedger, run_gateway, run_auditor) as site:
        await eventually(lambda: sample(site, "record_rows") == len(run.orders), within_s=40)
        swept = sample(site, "sweeps_total")
        await eventually(lambda: sample(site, "sweeps_total") >= swept + 2, within_s=20)
        assert sample(site, "expected_orders") == len(run.orders)
        assert mismatches(site) == {"forged": 0.0, "missing": 0.0, "altered": 0.0}
        assert site.health.report()["auditor.record"].ready


def mismatches(site: Site) -> dict[str, float]:
    return {
        kind: sample(site, "mismatches_total", kind=kind)
        for kind in ("forged", "missing", "altered")
    }


def tamper(place: Workplace, run: RecordedRun) -> dict[str, str]:
    """Forge a row, drop one and alter one, as somebody who has the monitor's key could."""

    def sealed(order_id: str, **fields: float) -> bytes:
        order = next(each for each in run.orders if each.order_id == order_id)
        changed = structs.replace(order, **fields)
        message = order_message(changed, epoch=1, sequence=1)
        return place.keys.seal("monitor", topics.orders(order.book), message)

    forged_id = run.orders[3].order_id.replace("-0000", "-0009")
    with closing(sqlite3.connect(place.settings.gateway.record)) as record:
        record.row_factory = sqlite3.Row
        query = "SELECT * FROM orders WHERE order_id = ?"
        row = dict(record.execute(query, (run.orders[3].order_id,)).fetchone())
        message = order_message(
            structs.replace(run.orders[3], order_id=forged_id), epoch=1, sequence=99
        )
        payload = place.keys.seal("monitor", topics.orders(run.orders[3].book), message)
        row |= {"number": None, "order_id": forged_id, "epoch": 1, "payload": payload}
        places = ", ".join(f":{name}" for name in row)
        record.execute(f"INSERT INTO orders ({', '.join(row)}) VALUES ({places})", row)  # noqa: S608 - ours
        missing_id, altered_id = run.orders[5].order_id, run.orders[8].order_id
        record.execute("DELETE FROM orders WHERE order_id = ?", (missing_id,))
        record.execute(
            "UPDATE orders SET payload = ?, epoch = 1 WHERE order_id = ?",
            (sealed(altered_id, quantity=7.0), altered_id),
        )
        record.commit()
    return {"forged": forged_id, "missing": missing_id, "altered": altered_id}


async def test_forged_missing_and_altered_rows_are_found_in_time_and_trading_halts(
    place: Workplace, run: RecordedRun
) -> None:
    await audited(place, run)
    wrong = tamper(place, run)
    wanted = {f"{kind} {order_id}" for kind, order_id in wrong.items()}
    async with place.client(topics.alerts("critical"), topics.HALT) as bus:
        began = time.perf_counter()
        commands: list[TradingCommandMessage] = []
        found: set[str] = set()
        async with (
            place.running(run_hedger, run_gateway, run_auditor) as site,
            asyncio.timeout(WITHIN_S + 5),
        ):
            async for message in bus.messages():
                message.ack()
                if message.topic == topics.HALT:
                    commands.append(
                        place.keys.open(
                            "auditor", message.topic, message.payload, TradingCommandMessage
                        )
                    )
                else:
                    alert = codec.decode(AlertMessage, message.payload)
                    if alert.what == "audit_mismatch":
                        found.add(alert.where)
                if wanted <= found and commands:
                    break
            seconds = time.perf_counter() - began
            socket = place.settings.gateway.socket_path
            assert socket is not None
            await eventually(lambda: sample(site, "halts_total", path="local") >= 1)
            status = await gateway_status(socket)
            assert status.scopes["all"] is TradingState.HALTED
            assert found == wanted
            assert mismatches(site) == {"forged": 1.0, "missing": 1.0, "altered": 1.0}
    assert seconds <= WITHIN_S
    assert {command.state for command in commands} == {"halted"}
    assert "audit" in commands[0].reason


async def test_after_a_restart_it_goes_on_from_what_it_had_stored(
    place: Workplace, run: RecordedRun
) -> None:
    await audited(place, run)
    async with place.running(run_gateway, run_auditor) as site:
        await eventually(lambda: sample(site, "sweeps_total") >= 2, within_s=20)
        assert sample(site, "expected_orders") == sample(site, "record_rows") == len(run.orders)
        assert mismatches(site) == {"forged": 0.0, "missing": 0.0, "altered": 0.0}


async def test_without_the_gateway_it_is_blind_and_says_so(
    place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.auditor.service._BLIND_S", 0.5)
    socket = place.settings.gateway.socket_path
    assert socket is not None
    socket.touch()  # somebody left it there
    async with place.client(topics.alerts("critical")) as bus, place.running(run_auditor) as site:
        async with asyncio.timeout(20):
            async for message in bus.messages():
                message.ack()
                if codec.decode(AlertMessage, message.payload).what == "audit_blind":
                    break
        assert not site.health.report()["auditor.record"].ready
        assert sample(site, "blind_total") >= 1


async def test_the_heads_of_the_decision_log_are_kept_and_forged_ones_refused(
    place: Workplace, run: RecordedRun
) -> None:
    await audited(place, run)  # whose hedger told its last head when it ended
    decisions = await place.read(keys.decisions())
    record = HeadRecord(Path(place.settings.auditor.heads))
    async with place.client() as bus, place.running(run_gateway, run_auditor) as site:
        await eventually(lambda: "auditor.bus" in site.health.report(), within_s=20)
        await eventually(lambda: site.health.report()["auditor.bus"].ready, within_s=20)
        await eventually(lambda: len(list(record.payloads())) == 1, within_s=20)
        await bus.publish(topics.DECISION_HEAD, b"{}\nAAAA")
        await eventually(lambda: sample(site, "heads_total", outcome="malformed") == 1)
    (kept,) = [signed_head(place.keys, payload) for payload in record.payloads()]
    assert kept == head_at(decisions, len(decisions))
