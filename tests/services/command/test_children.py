"""A child of `hedgestat up` is started again when it ends, and ends when its parent does."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from fakes.configurations import SOUND, load
from fakes.eventually import eventually, eventually_sync

from services.command import children
from services.command.children import as_child
from shared.runtime.site import Site

PROGRAM = """
import asyncio, pathlib, sys
from services.command.children import stop_with_input

async def main():
    with open("begun", "a") as file:
        file.write("x")
    stop = asyncio.Event()
    stop_with_input(stop.set)
    await stop.wait()
    pathlib.Path("ended").touch()

asyncio.run(main())
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(children, "COMMAND", (sys.executable, "-c"))
    return Site(settings=load(tmp_path, SOUND))


def begun(directory: Path) -> int:
    path = directory / "begun"
    return path.stat().st_size if path.exists() else 0


async def test_a_child_that_ends_is_started_again(site: Site, tmp_path: Path) -> None:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(as_child("open('begun', 'a').write('x')")(site))
        await eventually(lambda: begun(tmp_path) >= 3, within_s=20)
        site.stop.set()


async def test_a_child_gives_way_to_the_process_that_trades(site: Site, tmp_path: Path) -> None:
    program = f"import os\n{PROGRAM}".replace('write("x")', "write(str(os.getpid()))")
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(as_child(program)(site))
        await eventually(lambda: begun(tmp_path) > 0, within_s=20)
        pid = int((tmp_path / "begun").read_text())
        ours = os.getpriority(os.PRIO_PROCESS, 0)
        await eventually(lambda: os.getpriority(os.PRIO_PROCESS, pid) == max(5, ours))
        site.stop.set()


async def test_a_child_is_ended_when_the_site_stops(site: Site, tmp_path: Path) -> None:
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(as_child(PROGRAM)(site))
        await eventually(lambda: begun(tmp_path) == 1, within_s=20)
        assert not running.done()
        site.stop.set()
    assert begun(tmp_path) == 1


async def test_a_child_is_ended_when_its_service_is_cancelled(site: Site, tmp_path: Path) -> None:
    code = "import os; open('pid', 'w').write(str(os.getpid())); import time; time.sleep(60)"
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(as_child(code)(site))
        await eventually((tmp_path / "pid").exists, within_s=20)
        await eventually(lambda: (tmp_path / "pid").read_text() != "")
        running.cancel()
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_a_child_ends_by_itself_when_its_parent_is_killed(tmp_path: Path) -> None:
    parent = (
        "import subprocess, sys, time\n"
        f"subprocess.Popen([sys.executable, '-c', {PROGRAM!r}], stdin=subprocess.PIPE)\n"
        "time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", parent], cwd=tmp_path)
    try:
        eventually_sync(lambda: begun(tmp_path) == 1, within_s=20)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    eventually_sync((tmp_path / "ended").exists, within_s=20)
