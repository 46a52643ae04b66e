"""The page's address: taken before the page is there, and told to whoever asks the wrong port."""

import asyncio
from http.client import HTTPConnection
from pathlib import Path

from fakes.configurations import SOUND, load
from msgspec import structs

from services.command.pages import open_page, page_url
from shared.runtime.http import bind, serve
from shared.runtime.site import Site


def make_site(directory: Path, port: int = 0) -> Site:
    settings = load(directory, SOUND)
    ports = {**settings.http.ports, "dashboard": port}
    return Site(
        settings=structs.replace(settings, http=structs.replace(settings.http, ports=ports))
    )


def ask(port: int, path: str) -> tuple[int, str]:
    """Status, and where else to go."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status, answer.getheader("location", "")


async def test_the_port_of_health_and_metrics_leads_to_the_page(tmp_path: Path) -> None:
    site = make_site(tmp_path)
    operations = bind(port=0)
    port = operations.getsockname()[1]
    with open_page(site) as listener:
        async with asyncio.TaskGroup() as tasks:
            serving = tasks.create_task(serve(site.front, operations))
            assert await asyncio.to_thread(ask, port, "/") == (307, page_url(listener))
            assert (await asyncio.to_thread(ask, port, "/healthz"))[0] == 200
            assert (await asyncio.to_thread(ask, port, "/other"))[0] == 404
            serving.cancel()


def test_the_page_takes_the_next_free_port(tmp_path: Path) -> None:
    with bind(port=0) as taken:
        port = taken.getsockname()[1]
        with open_page(make_site(tmp_path, port)) as listener:
            assert port < listener.getsockname()[1] <= port + 50
