"""The whole of hedgestat on loopback: real servers, a process a service, a feed, and a witness.

What dies is started again, as compose's `restart: unless-stopped` does.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Self

from fakes.keys import write_keys
from fakes.outcome import Outcome, read_outcome
from fakes.programs import Program, freezing_command, hedgestat
from fakes.servers import MosquittoServer, RedisServer, Server
from fakes.witness import Witness

DEMO: Final = (Path(__file__).parents[2] / "deploy" / "demo.toml").read_text()
SERVERS: Final = ("redis", "mosquitto")
SERVICES: Final = ("ingest", "signals", "hedger", "gateway")

FREE_PORTS: Final = """
[http]
port = 0
[http.ports]
ingest = 0
signals = 0
hedger = 0
gateway = 0
feed = 0
auditor = 0
exposure = 0
dashboard = 0
"""

Disturbance = tuple[Callable[[Witness], bool], Callable[[], None]]
"""From when on, and what to do."""


def _nothing() -> None:
    """Leave the run alone."""


class Installation:
    """Servers, services, feed and witness of one run; a context manager.

    Args:
        directory: For all they write.
        history: Folder of the CSV files to replay.
        services: The programs: a process a service, or `("up",)` for all in one.
        configuration: In place of the demo's.
    """

    def __init__(
        self,
        directory: Path,
        history: Path,
        services: Sequence[str] = SERVICES,
        configuration: str = DEMO,
    ) -> None:
        self.directory = directory
        self.keys = write_keys(directory / "keys")
        self.redis = RedisServer(directory / "redis", appendfsync="always")
        self.mosquitto = MosquittoServer(directory / "mosquitto")
        self.servers: dict[str, Server] = {"redis": self.redis, "mosquitto": self.mosquitto}
        self._freezing: dict[str, Path] = {}
        self.witness = Witness(directory, self.mosquitto.port)
        self._configuration = directory / "hedgestat.toml"
        self._configuration.write_text(configuration + FREE_PORTS)
        self.services = {
            name: self._program(name, "up") if name == "up" else self._program(name, "run", name)
            for name in services
        }
        self.feed = self._program("feed", "replay", str(history))
        self.programs = {**self.services, "feed": self.feed}

    def __enter__(self) -> Self:
        try:
            for server in self.servers.values():
                server.start()
            self.tend()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for program in (*self.programs.values(), *self.services.values(), self.witness.program):
            program.kill()
        for server in self.servers.values():
            server.kill()
        self._print_logs()

    def kill(self, name: str) -> None:
        """Kill -9 a server, a service or the feed, and start it again."""
        victim = self.servers.get(name) or self.programs[name]
        victim.kill()
        victim.start()

    def another(self, service: str, *words: str) -> Program:
        """A second program of a service, not started; run by these words, if they are another's."""
        return self._program(f"{service}-2", *(words or ("run", service)))

    def make_freezing(self, service: str, noted: Path) -> None:
        """Have programs of a service freeze before the first sending of an order: `fakes.freezing`.

        Args:
            service: Not started yet, or killed here.
            noted: Where the orders that did are noted.
        """
        self._freezing[service] = noted
        self.services[service].kill()
        self.services[service] = self.programs[service] = self._program(service, "run", service)
        self.tend()

    def tend(self) -> None:
        """Start again what has died."""
        for program in (self.witness.program, *self.services.values()):
            program.start()

    def replay(
        self,
        *disturbances: Disturbance,
        every_time: Callable[[], None] = _nothing,
        within_s: float = 60.0,
    ) -> list[int]:
        """Run the feed to its end; disturb the run on its way.

        Args:
            disturbances: Each once, in this order.
            every_time: Done again and again.
            within_s: The run must have ended.

        Returns:
            How far ingest had come at each disturbance, in numbers of the feed's series.
        """
        waiting, reached = list(disturbances), []
        deadline = time.perf_counter() + within_s
        while not self._feed_is_done():
            assert time.perf_counter() < deadline, f"stuck at number {self.witness.reached}"
            if waiting and waiting[0][0](self.witness):
                reached.append(self.witness.reached)
                waiting.pop(0)[1]()
            every_time()
            self.tend()
            time.sleep(0.005)
        assert not waiting, f"the replay was over before it was disturbed: {waiting}"
        return reached

    def outcome(self) -> Outcome:
        """Read back what the run has left; its gateway ends here."""
        for program in self.services.values():
            program.kill()
        return read_outcome(self.redis.url, self.directory / "gateway.sqlite")

    def _feed_is_done(self) -> bool:
        if self.feed.is_running:
            return False
        if self.feed.exits[-1:] == [0]:
            return True
        self.feed.start()
        return False

    def _program(self, name: str, *words: str) -> Program:
        environment = {
            "HEDGESTAT_MQTT_URL": self.mosquitto.url,
            "HEDGESTAT_REDIS_URL": f"{self.redis.url}/0",
        }
        command = [*words, "-c", str(self._configuration)]
        if (noted := self._freezing.get(words[-1])) is not None:
            environment["FROZEN_ORDERS"] = str(noted)
            return Program(name, freezing_command(command), self.directory, environment)
        return hedgestat(*command, name=name, directory=self.directory, environment=environment)

    def _print_logs(self) -> None:
        """Shown by pytest when the test has failed."""
        for program in self.programs.values():
            print(f"--- {program.name}, ended with {program.exits}\n{program.log[-6000:]}")  # noqa: T201
        for name, server in self.servers.items():
            print(f"--- {name}\n{server.log[-1000:]}")  # noqa: T201
