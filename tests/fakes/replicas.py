"""Two programs of one service, of which one leads."""

import signal
import time
from collections.abc import Callable

import psutil
from fakes.eventually import eventually_sync
from fakes.installation import Installation
from fakes.programs import Program
from redis import Redis

from shared.wire import keys


class Replicas:
    """Two programs of one service in an installation, both tended by it.

    Args:
        installation: Entered already.
        service: Its name.
    """

    def __init__(self, installation: Installation, service: str) -> None:
        self._service = service
        self._redis = Redis.from_url(installation.redis.url)
        self.programs = [installation.services[service], installation.another(service)]
        installation.services[f"{service}-2"] = self.programs[1]
        self.programs[1].start()
        eventually_sync(
            lambda: "standing_by" in self.programs[1].log + self.programs[0].log, within_s=30
        )

    @property
    def leader(self) -> Program | None:
        """Who holds the lease now; its name has its process's number."""
        holder: bytes | None = self._redis.hget(keys.lease(self._service), "holder")  # type: ignore[assignment]
        if holder is None:
            return None
        number = holder.decode().rsplit("-", 3)[1]
        running = (each for each in self.programs if each.is_running)
        return next((each for each in running if str(each.pid) == number), None)

    @property
    def leading(self) -> Program:
        """Who leads, once somebody does."""
        eventually_sync(lambda: self.leader is not None)
        leader = self.leader
        assert leader is not None
        return leader

    def other(self, program: Program) -> Program:
        """The one that it is not."""
        return self.programs[self.programs[0] is program]

    def replace(self, disturb: Callable[[Program], None]) -> tuple[Program, float]:
        """Do something to the leader; answers who led, and how long until the other leads."""
        old = self.leading
        new = self.other(old)
        eventually_sync(lambda: stands_by(new), within_s=20)
        terms = new.log.count('"leading"')
        began_s = time.perf_counter()
        disturb(old)
        eventually_sync(lambda: new.log.count('"leading"') > terms)
        return old, time.perf_counter() - began_s


def stands_by(program: Program) -> bool:
    """Whether a program has begun to wait since it last led."""
    return program.log.rfind('"standing_by"') > program.log.rfind('"leading"')


def freeze(program: Program) -> None:
    """Freeze a process until it is thawed."""
    program.send(signal.SIGSTOP)


def thaw(program: Program) -> None:
    """Let a frozen process go on."""
    program.send(signal.SIGCONT)


def is_frozen(program: Program) -> bool:
    """Whether a process is stopped."""
    return program.is_running and psutil.Process(program.pid).status() == psutil.STATUS_STOPPED


def percentile(values: list[float], share: float) -> float:
    """The value that this share of them does not exceed."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]
