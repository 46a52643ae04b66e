"""The terminal follows the page's own server: what happens to the hedge arrives on the screen."""

import asyncio
from pathlib import Path

from fakes.clock import ManualClock
from fakes.eventually import eventually
from fakes.hedged_market import policy
from fakes.pictured_market import PicturedMarket
from fakes.served_page import ServedPage
from msgspec import structs

from services.command.top.connection import Server
from services.command.top.follower import Follower
from services.command.top.picture import read_book
from services.command.top.screen import View, screen
from shared.domain.instants import MINUTE
from shared.domain.policies import BudgetPolicy
from shared.domain.signals_observed import Quality


async def test_orders_triggers_and_stale_signals_of_the_real_server_are_shown(
    tmp_path: Path,
) -> None:
    market = PicturedMarket(policy(sizing={"budget": BudgetPolicy(annual=1e5)}))
    market.hedged()
    async with (
        ServedPage(tmp_path, market).serving() as served,
        asyncio.TaskGroup() as tasks,
    ):
        url = f"http://127.0.0.1:{served.port}"
        follower = Follower(Server.at(url), ManualClock(market.now), lambda: None)
        task = tasks.create_task(follower.run())
        await eventually(lambda: "VIX moves it" in drawn(follower))
        assert "!STALE!" not in drawn(follower)
        market.qualities["regime"] = Quality.STALE
        market.vix(22.0, after=MINUTE)
        await served.sync()
        await eventually(lambda: "STALE DATA: regime stale" in drawn(follower))
        await eventually(lambda: "why: " in drawn(follower))
        fetched = read_book(await Server.at(url).fetch("/api/v1/books/overlay"))
        assert follower.picture is not None
        assert follower.picture.book == fetched
        task.cancel()


def drawn(follower: Follower) -> str:
    view = View(picture=follower.picture, url="", book=follower.book)
    return screen(structs.replace(view, ours_ns=0), 120, None).plain
