"""`hedgestat top`: the picture of the page in a terminal, for people on ssh."""

import asyncio
import json
import signal
from contextlib import suppress
from typing import Final
from urllib.parse import quote

import msgspec
from msgspec import Struct, structs
from rich.console import Console
from rich.live import Live

from services.command.endings import Failed, Refused
from services.command.top.connection import Server, ServerAway, ServerRefused
from services.command.top.follower import Follower
from services.command.top.keyboard import keys_of_terminal
from services.command.top.picture import Misunderstood, Picture, begin, read_book
from services.command.top.screen import View, screen
from shared.adapters.clock import SystemClock
from shared.adapters.configuration.services import HttpSettings

_PIPE_WIDTH: Final = 120
_TICK_S: Final = 1.0
"""Ages move on also while nothing is told."""
_PATIENCE_S: Final = 10.0
_STEPS: Final = {"down": 1, "n": 1, "j": 1, "up": -1, "p": -1, "k": -1}


class TopOptions(Struct, frozen=True, kw_only=True):
    """What is asked for.

    Attributes:
        url: Where the dashboard is.
        book: Which book first; the first that there is when empty.
        once: Print once and end.
        as_json: One JSON document instead of a picture, a line each.
        interval_s: Draw at most so often.
    """

    url: str
    book: str = ""
    once: bool = False
    as_json: bool = False
    interval_s: float = 0.5


def page_of(http: HttpSettings) -> str:
    """Return where a configuration serves the page, as seen from its own machine.

    Raises:
        Refused: It takes any free port.
    """
    port = http.ports["dashboard"]
    if not port:
        raise Refused("[http.ports] dashboard is 0, any free port: say where with --url")
    anywhere = http.host in {"", "0.0.0.0", "::"}  # noqa: S104 - not to listen there
    host = "127.0.0.1" if anywhere else f"[{http.host}]" if ":" in http.host else http.host
    return f"http://{host}:{port}"


def run_top(options: TopOptions, console: Console) -> None:
    """Show it until it is quit.

    Raises:
        Refused: The address is none, or there is no such book.
        Failed: Nobody answers, where once is enough.
    """
    try:
        server = Server.at(options.url)
    except ValueError as error:
        raise Refused(str(error)) from None
    top = _Top(server, options, console)
    try:
        if options.once or not (console.is_terminal or options.as_json):
            asyncio.run(top.print_once())
        else:
            asyncio.run(top.follow())
    except KeyboardInterrupt:
        return
    except BrokenPipeError:
        raise Failed("nobody reads what is printed") from None


class _Top:
    def __init__(self, server: Server, options: TopOptions, console: Console) -> None:
        self._server = server
        self._options = options
        self._console = console
        self._clock = SystemClock()
        self._news = asyncio.Event()
        self._pressed = asyncio.Event()
        self._quit = asyncio.Event()
        self._is_helping = False
        self._follower = Follower(server, self._clock, self._news.set, options.book)

    async def print_once(self) -> None:
        picture = await self._ask()
        if self._options.as_json:
            self._print_json(picture)
            return
        width = self._console.width if self._console.is_terminal else _PIPE_WIDTH
        view = self._view(picture, self._follower.book)
        whole = screen(view, max(width, self._console.width), None)
        self._console.print(whole, highlight=False, soft_wrap=True)

    async def _ask(self) -> Picture:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                return await self._ask_both()
        except (ServerAway, ServerRefused, Misunderstood) as reason:
            told = f"{reason}: does the dashboard run (`hedgestat up`)?"
        except TimeoutError:
            told = f"no answer within {_PATIENCE_S:g} s"
        raise Failed(f"{self._server.url}: {told}")

    async def _ask_both(self) -> Picture:
        whole = await self._server.fetch("/api/v1/state")
        picture = begin(whole, self._clock.now_ns())
        names = [book.book for book in picture.state.books]
        self._check_book(names)
        if not names:
            return picture
        self._follower.book = self._options.book or names[0]
        path = f"/api/v1/books/{quote(self._follower.book, safe='')}"
        return structs.replace(picture, book=read_book(await self._server.fetch(path)))

    def _check_book(self, names: list[str]) -> None:
        wanted = self._options.book
        if wanted and wanted not in names:
            raise Refused(f"no book {wanted!r}: there are {', '.join(names)}")

    # --- live ------------------------------------------------------------------------------------

    async def follow(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._quit.set)
        if self._options.book:
            await self._check_when_answered()
        async with asyncio.TaskGroup() as tasks:
            shown = self._print_lines() if self._options.as_json else self._show()
            running = [tasks.create_task(self._follower.run()), tasks.create_task(shown)]
            await self._quit.wait()
            for task in running:
                task.cancel()

    async def _check_when_answered(self) -> None:
        """Refuse a book that there is not; who does not answer is waited for later."""
        try:
            picture = begin(await self._server.fetch("/api/v1/state"), self._clock.now_ns())
        except (ServerAway, ServerRefused, Misunderstood):
            return
        self._check_book([book.book for book in picture.state.books])

    async def _show(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGWINCH, self._on_key, "")
        with (
            Live(console=self._console, screen=True, auto_refresh=False) as live,
            keys_of_terminal(self._on_key, self._quit.set),
        ):
            while True:
                width, height = self._console.size
                live.update(screen(self._current(), width, height), refresh=True)
                await self._wait()

    async def _print_lines(self) -> None:
        while True:
            if self._follower.picture is not None and not self._follower.trouble:
                self._print_json(self._follower.picture)
            await self._news.wait()
            self._news.clear()
            await asyncio.sleep(self._options.interval_s)

    async def _wait(self) -> None:
        """Wait for news, no longer than a second, then for the interval; a key ends both."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_TICK_S):
                await self._news.wait()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._options.interval_s):
                await self._pressed.wait()
        self._news.clear()
        self._pressed.clear()

    def _on_key(self, key: str) -> None:
        if key in {"q", "Q"}:
            self._quit.set()
        elif key in {"?", "h"}:
            self._is_helping = not self._is_helping
        elif key in _STEPS:
            self._is_helping = False
            self._step(_STEPS[key])
        self._pressed.set()
        self._news.set()

    def _step(self, by: int) -> None:
        picture = self._follower.picture
        names = [] if picture is None else [book.book for book in picture.state.books]
        if names:
            chosen = self._follower.book
            place = names.index(chosen) + by if chosen in names else 0
            self._follower.choose(names[place % len(names)])

    # --- both ------------------------------------------------------------------------------------

    def _current(self) -> View:
        follower = self._follower
        return structs.replace(
            self._view(follower.picture, follower.book),
            trouble=follower.trouble,
            trouble_ns=follower.trouble_ns,
            is_helping=self._is_helping,
        )

    def _view(self, picture: Picture | None, book: str) -> View:
        url = self._server.url
        return View(picture=picture, url=url, book=book, ours_ns=self._clock.now_ns())

    def _print_json(self, picture: Picture) -> None:
        """In ASCII: what a terminal would obey is written as JSON escapes."""
        told = msgspec.to_builtins({"state": picture.state, "book": picture.book})
        line = json.dumps(told, ensure_ascii=True, allow_nan=False)
        self._console.print(line, highlight=False, markup=False, soft_wrap=True)
