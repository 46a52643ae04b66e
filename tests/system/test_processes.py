"""One process or several, embedded or real servers: the same ticks give the same decisions."""

from collections import Counter
from pathlib import Path

import pytest
from fakes.installation import Installation
from fakes.outcome import Run
from fakes.programs import hedgestat

ENDS = frozenset(("fill", "cancel", "reject", "expire"))

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]


def test_one_process_and_a_process_a_service_decide_the_same(
    history: Path, undisturbed: Run, tmp_path: Path
) -> None:
    with Installation(tmp_path, history, ["up"]) as installation:
        installation.replay()
        assert installation.outcome() == undisturbed.outcome
        assert installation.witness.orders == undisturbed.sent


def test_the_demo_decides_the_same(history: Path, undisturbed: Run, tmp_path: Path) -> None:
    with Installation(tmp_path, history, []) as installation:
        broker, redis = installation.mosquitto.url, f"{installation.redis.url}/0"
        servers = ["--broker", broker, "--redis", redis, "--history", str(history)]
        days = ["--from", "2015-07-01", "--to", "2015-09-30"]
        demo = hedgestat("demo", *servers, *days, name="demo", directory=tmp_path)
        demo.start()
        assert demo.ended(within_s=60) == 0, demo.log
        outcome = installation.outcome()
        assert outcome.decisions == undisturbed.outcome.decisions
        assert (
            outcome.journalled == undisturbed.outcome.journalled == undisturbed.outcome.executions
        )
        assert installation.witness.orders == undisturbed.sent


def test_every_order_is_sent_once_accepted_once_and_ends_once(undisturbed: Run) -> None:
    outcome = undisturbed.outcome
    assert len(outcome.decided) > 10, "too quiet a market to show anything"
    assert outcome.orders == outcome.decided
    names = [order.order_id for order in outcome.decided]
    assert [order["order_id"] for order in undisturbed.sent] == names
    ends = Counter(report.order_id for report in outcome.reports if report.kind in ENDS)
    assert set(ends.values()) == {1}
    assert set(names[:-2]) <= set(ends) <= set(names)  # the last ones may still be open
