"""A store that forgets what it confirmed is refused for orders, and only named for market data."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import pytest
import structlog
from fakes.servers import RedisServer

from shared.adapters.connections import RedisSettings
from shared.adapters.redis_store import Durability, RedisStore
from shared.adapters.store import StoreUnavailable
from shared.runtime import durability
from shared.runtime.durability import OrdersNotKept, check_durability


class Answering:
    """A store that answers one thing after the other; an exception is raised."""

    def __init__(self, *answers: Durability | Exception | None) -> None:
        self._answers = iter(answers)

    async def durability(self) -> Durability | None:
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Sequence[structlog.typing.EventDict]:
    capture = structlog.testing.LogCapture()
    level = structlog.make_filtering_bound_logger("debug")
    log = structlog.wrap_logger(None, processors=[capture], wrapper_class=level)
    monkeypatch.setattr(durability, "log", log)
    return capture.entries


@pytest.mark.parametrize("kept", ["everysec", "never"])
async def test_orders_need_every_commit_kept(kept: Durability) -> None:
    with pytest.raises(OrdersNotKept, match="set appendonly yes, appendfsync always"):
        await check_durability("orders", Answering(kept))


@pytest.mark.parametrize(
    ("role", "kept"),
    [("orders", "always"), ("market", "always"), ("market", "everysec")],
)
async def test_a_store_fit_for_its_role_passes_without_a_word(
    role: Literal["orders", "market"],
    kept: Durability,
    lines: Sequence[structlog.typing.EventDict],
) -> None:
    await check_durability(role, Answering(kept))
    assert not lines


async def test_market_data_goes_on_without_but_says_so(
    lines: Sequence[structlog.typing.EventDict],
) -> None:
    await check_durability("market", Answering("never"))
    assert [(line["log_level"], line["store"]) for line in lines] == [("critical", "market")]


@pytest.mark.parametrize("role", ["orders", "market"])
async def test_one_that_does_not_tell_passes_with_a_warning(
    role: Literal["orders", "market"], lines: Sequence[structlog.typing.EventDict]
) -> None:
    await check_durability(role, Answering(None))
    assert [line["log_level"] for line in lines] == ["warning"]


async def test_it_is_asked_until_it_answers() -> None:
    with pytest.raises(OrdersNotKept):
        await check_durability("orders", Answering(StoreUnavailable("not yet"), "never"))


@pytest.mark.server
@pytest.mark.parametrize(("appendfsync", "kept"), [("always", True), ("everysec", False)])
async def test_a_real_server_is_understood(
    tmp_path: Path, *, appendfsync: Literal["always", "everysec"], kept: bool
) -> None:
    with RedisServer(tmp_path, appendfsync=appendfsync) as server:
        async with RedisStore(RedisSettings(url=server.url)) as store:
            if kept:
                await check_durability("orders", store)
            else:
                with pytest.raises(OrdersNotKept):
                    await check_durability("orders", store)
