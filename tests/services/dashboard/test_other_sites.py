"""A real browser in which ann is logged in, on sites that want her browser to halt, and to tell.

The worst of them is on the same host at another port: it is of the same site, so her cookie goes
with whatever it asks for.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from fakes.eventually import eventually
from fakes.pages import PASSWORD, Door, door
from playwright.async_api import BrowserContext, async_playwright
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from shared.runtime.http import bind, serve

pytestmark = pytest.mark.timeout(120)

CHROMIUM: Final = "/usr/bin/chromium"
NAMES: Final = ("evil.test", "localhost", "127.0.0.1")
LOGGING_IN: Final = """async ([operator, password]) => {
  const answer = await fetch("/api/v1/login", {
    method: "POST",
    headers: {"content-type": "application/json"},
    body: JSON.stringify({operator, password}),
  });
  return (await answer.json()).csrf_token;
}"""
ACTING: Final = """async (token) => {
  const answer = await fetch("/api/v1/actions/halt", {
    method: "POST",
    headers: {"content-type": "application/json", "x-csrf-token": token},
    body: JSON.stringify({scope: "overlay", reason: "drill", confirmation: "overlay"}),
  });
  return answer.status;
}"""
ATTACKS: Final = """async (page) => {
  const body = '{"scope":"all","reason":"x","confirmation":"all"}';
  const url = page + "/api/v1/actions/halt";
  const seen = {};
  const asked = async (name, url, options) => {
    try {
      const answer = await fetch(url, {credentials: "include", ...options});
      seen[name] = answer.type === "opaque" ? "opaque" : await answer.text();
    } catch { seen[name] = "refused"; }
  };
  const json = {"content-type": "application/json"};
  const plain = {"content-type": "text/plain"};
  await asked("simple post", url, {method: "POST", mode: "no-cors", headers: plain, body});
  await asked("typeless post", url, {method: "POST", mode: "no-cors", body: new Blob([body])});
  await asked("post of json", url, {method: "POST", headers: json, body});
  await asked("post with a token", url,
    {method: "POST", headers: {...json, "x-csrf-token": "x"}, body});
  await asked("put", url, {method: "PUT", headers: json, body});
  await asked("token", page + "/api/v1/login", {});
  await asked("token unread", page + "/api/v1/login", {mode: "no-cors"});
  await asked("state", page + "/", {});
  seen.beacon = navigator.sendBeacon(url, new Blob([body], {type: "text/plain"}));
  const loaded = (tag, set) => new Promise((done) => {
    const element = document.createElement(tag);
    element.onload = () => done("loaded");
    element.onerror = () => done("refused");
    set(element);
    document.body.append(element);
  });
  seen.script = await loaded("script", (each) => { each.src = page + "/api/v1/login"; });
  seen.image = await loaded("img", (each) => { each.src = page + "/"; });
  seen.style = await loaded("link", (each) => { each.rel = "stylesheet"; each.href = page + "/"; });
  const form = document.createElement("form");
  Object.assign(form, {method: "post", action: url, enctype: "text/plain", target: "hidden"});
  const field = document.createElement("input");
  field.name = '{"scope":"all","reason":"x","confirmation":"all","z":"';
  field.value = '"}';
  form.append(field);
  const hidden = document.createElement("iframe");
  hidden.name = "hidden";
  const framed = document.createElement("iframe");
  framed.name = "framed";
  document.body.append(form, hidden, framed);
  const submitted = new Promise((done) => { hidden.onload = done; });
  form.submit();
  await submitted;
  const opened = new Promise((done) => { framed.onload = done; });
  framed.src = page + "/";
  await opened;
  return seen;
}"""


@asynccontextmanager
async def other_site() -> AsyncIterator[int]:
    """Serve an empty page to whoever comes, under whatever name."""

    async def empty(_: Request) -> Response:
        return HTMLResponse("<!doctype html><body></body>")

    listener = bind(port=0)
    async with asyncio.TaskGroup() as tasks:
        served = tasks.create_task(serve(Starlette(routes=[Route("/", empty)]), listener))
        yield listener.getsockname()[1]
        served.cancel()


@asynccontextmanager
async def chromium() -> AsyncIterator[BrowserContext]:
    rules = "--host-resolver-rules=MAP *.test 127.0.0.1"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", rules]
        )
        yield await browser.new_context()
        await browser.close()


async def logged_in(context: BrowserContext, page: Door) -> tuple[Any, str]:
    """A tab in which ann is logged in, and her token."""
    tab = await context.new_page()
    await tab.goto(f"http://localhost:{page.port}/")
    return tab, await tab.evaluate(LOGGING_IN, ["ann", PASSWORD])


@pytest.mark.parametrize("name", NAMES)
async def test_another_site_neither_acts_nor_reads_nor_frames(tmp_path: Path, name: str) -> None:
    async with door(tmp_path) as page, other_site() as port, chromium() as context:
        ours, token = await logged_in(context, page)
        asked, told = Counter[str](), list[str]()
        evil = await context.new_page()
        evil.on("request", lambda request: asked.update([request.method]))
        evil.on("console", lambda message: told.append(message.text))
        await evil.goto(f"http://{name}:{port}/")
        seen = await evil.evaluate(ATTACKS, f"http://localhost:{page.port}")

        assert page.commands == []
        assert token not in str(seen)
        opaque = ("simple post", "typeless post", "token unread")
        read = {each: text for each, text in seen.items() if each not in (*opaque, "beacon")}
        assert set(read.values()) == {"refused"}
        assert asked["POST"] >= 4
        await eventually(lambda: page.refused("cross_origin") >= 4)
        await eventually(lambda: any("frame-ancestors" in each for each in told))
        shown = [await each.content() for each in evil.frames]
        assert "alert" not in str(shown)
        assert await ours.evaluate(ACTING, token) == 202, "her own page may"
        assert len(page.commands) == 1


async def test_a_name_that_is_pointed_at_us_shows_nothing_and_does_nothing(
    tmp_path: Path,
) -> None:
    async with door(tmp_path) as page, chromium() as context:
        tab = await context.new_page()
        answer = await tab.goto(f"http://rebound.test:{page.port}/")
        assert answer is not None
        assert answer.status == 400
        assert (await answer.json())["error"] == "wrong_host"
        assert await tab.evaluate(LOGGING_IN, ["ann", PASSWORD]) is None
        assert await context.cookies() == []


async def test_no_script_reads_the_cookie_and_a_window_that_was_opened_is_cut_off(
    tmp_path: Path,
) -> None:
    async with door(tmp_path) as page, other_site() as port, chromium() as context:
        ours, _ = await logged_in(context, page)
        assert await ours.evaluate("document.cookie") == ""
        [cookie] = await context.cookies()
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
        evil = await context.new_page()
        await evil.goto(f"http://localhost:{port}/")
        async with context.expect_page() as opening:
            await evil.evaluate(
                "page => { window.opened = window.open(page); }", f"http://localhost:{page.port}/"
            )
        opened = await opening.value
        await opened.wait_for_load_state()
        assert await evil.evaluate("window.opened.closed"), "it has no hold on it"
        assert await opened.evaluate("window.opener") is None
