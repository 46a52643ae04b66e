"""All of hedgestat on real servers with a market that prints now: what operators have before them.

The exchange never closes here, so that nothing depends on the hour of the test.
"""

import json
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Final, Self

from fakes.eventually import eventually_sync
from fakes.keys import write_keys
from fakes.programs import Program, hedgestat
from fakes.servers import MosquittoServer, RedisServer, free_port

from shared.adapters.clock import SystemClock

HEDGES: Final = (Path(__file__).parents[2] / "deploy" / "hedges.toml").read_text()
BOOK: Final = "overlay"
_PORTS: Final = (
    "ingest",
    "signals",
    "hedger",
    "gateway",
    "feed",
    "auditor",
    "exposure",
    "dashboard",
)
_EVERY_S: Final = 0.4


class Feed:
    """Prints VIX and the index until told not to."""

    def __init__(self, broker: MosquittoServer) -> None:
        self._pause = threading.Event()
        self._end = threading.Event()
        self._process = subprocess.Popen(
            ["mosquitto_pub", "-p", str(broker.port), "-t", "hedge/v1/ticks", "-l"],
            stdin=subprocess.PIPE,
            text=True,
        )
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Fall silent."""
        self._pause.set()

    def resume(self) -> None:
        """Print again."""
        self._pause.clear()

    def close(self) -> None:
        """End."""
        self._end.set()
        self._thread.join()
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def _run(self) -> None:
        number = 0
        while not self._end.wait(_EVERY_S):
            number += 1
            if not self._pause.is_set():
                self._print(number)

    def _print(self, number: int) -> None:
        at_ns = SystemClock().now_ns()
        ticks = [
            {"symbol": "VIX", "event_time": at_ns, "price": 18.0 + 0.01 * (number % 5)},
            {"symbol": "SPX", "event_time": at_ns, "price": 6000.0 + number % 7},
        ]
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(ticks) + "\n")
        self._process.stdin.flush()


class LiveMonitor:
    """Servers, services and a feed; a context manager.

    Args:
        directory: For all they write.
        services: A process a service, or `("up",)`.
        replacements: In `deploy/hedges.toml`, beside those that make it quick.
    """

    def __init__(
        self,
        directory: Path,
        services: Sequence[str] = ("up",),
        replacements: Mapping[str, str] | None = None,
    ) -> None:
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        write_keys(directory / "keys")
        self.redis = RedisServer(directory / "redis", appendfsync="always")
        self.mosquitto = MosquittoServer(directory / "mosquitto")
        self.ports = {name: free_port() for name in ("up", *_PORTS)}
        self.configuration = directory / "hedges.toml"
        self.configuration.write_text(self._text(replacements or {}))
        self.programs = {name: self._program(name) for name in services}
        self.feed: Feed | None = None

    @property
    def environment(self) -> dict[str, str]:
        """What programs, and commands of operators, need to find everything."""
        return {
            "HEDGESTAT_CONFIG": str(self.configuration),
            "HEDGESTAT_MQTT_URL": self.mosquitto.url,
            "HEDGESTAT_REDIS_URL": f"{self.redis.url}/0",
        }

    def url(self, service: str) -> str:
        """Of its page of health and metrics."""
        return f"http://127.0.0.1:{self.ports[service]}"

    def metrics(self, service: str) -> str:
        """What it shows Prometheus; empty while it does not answer."""
        connection = HTTPConnection("127.0.0.1", self.ports[service], timeout=5)
        try:
            connection.request("GET", "/metrics")
            return connection.getresponse().read().decode()
        except (OSError, HTTPException):
            return ""
        finally:
            connection.close()

    def has_ordered(self) -> bool:
        """Whether the first hedge has been decided and filled."""
        first = next(name for name in ("hedger", "up") if name in self.programs)
        text = self.metrics(first)
        held = [line for line in text.splitlines() if line.startswith("hedge_held_vega_dollars{")]
        return any(float(line.rpartition(" ")[2]) > 0 for line in held)

    def restart(self, name: str) -> None:
        """Stop a program in good order and start it again."""
        self.programs[name].send(signal.SIGTERM)
        assert self.programs[name].ended() == 0
        self.programs[name].start()
        eventually_sync(self._is_up, within_s=60)

    def __enter__(self) -> Self:
        try:
            self.redis.start()
            self.mosquitto.start()
            for program in self.programs.values():
                program.start()
            self.feed = Feed(self.mosquitto)
            eventually_sync(self._is_up, within_s=60)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self.feed is not None:
            self.feed.close()
        for program in self.programs.values():
            program.kill()
        self.mosquitto.kill()
        self.redis.kill()
        for program in self.programs.values():
            print(f"--- {program.name}\n{program.log[-4000:]}")  # noqa: T201 - when the test failed

    def _is_up(self) -> bool:
        for program in self.programs.values():
            assert program.is_running, program.log[-3000:]
        return self.has_ordered()

    def _program(self, name: str) -> Program:
        words = ["up"] if name == "up" else ["run", name]
        return hedgestat(*words, name=name, directory=self.directory, environment=self.environment)

    def _text(self, replacements: Mapping[str, str]) -> str:
        ports = ", ".join(f"{name} = {self.ports[name]}" for name in _PORTS)
        begin, _, rest = HEDGES.partition("\nports = {")
        text = f"{begin}\nports = {{ {ports} }}{rest[rest.index(chr(10)) :]}"
        quick = {
            'name = "XNYS" #': 'name = "24/7" #',
            "port = 8080": f"port = {self.ports['up']}",
            'half_life = "30 min"': 'half_life = "2 s"',
            'hold = "15 min and 3 ticks" # (trading) without': 'hold = "1 s and 2 ticks" # without',
            'vix_interval = "15 s"': 'vix_interval = "1 s"',
            'index_interval = "15 s"': 'index_interval = "1 s"',
            'vix_stale_after = "60 s"': 'vix_stale_after = "4 s"',
            'market_halted_after = "2 min"': 'market_halted_after = "8 s"',
        }
        for old, new in {**quick, **replacements}.items():
            assert old in text, old
            text = text.replace(old, new)
        return text
