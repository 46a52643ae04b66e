"""What befalls the services: faults drawn from a seed, counted by name, until the weather clears.

Each seed draws which faults there are at all, and how often: a run in which everything fails all
the time gets nowhere, and shows little.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Final, TypeVar

Choice = TypeVar("Choice")

_SELDOM: Final = (0.0005, 0.005)
_RARELY: Final = (0.002, 0.02)
_OFTEN: Final = (0.01, 0.05)

FAULTS: Final[Mapping[str, tuple[float, float]]] = {
    "store_refuses": _RARELY,
    "store_unsafe": _RARELY,
    "store_loses_reply": _RARELY,
    "store_applies_late": _RARELY,
    "store_restarts": _RARELY,
    "orders_forgotten_by_their_store": (0.002, 0.01),
    "orders_halted_by_key": _RARELY,
    "broker_restarts_and_forgets": _RARELY,
    "broker_freezes": _RARELY,
    "connection_cut": _OFTEN,
    "message_dropped": _OFTEN,
    "message_doubled": _OFTEN,
    "message_delayed": _OFTEN,
    "publish_refused": _OFTEN,
    "publish_answer_lost": _OFTEN,
    "process_killed": _RARELY,
    "process_killed_before_a_commit": _SELDOM,
    "process_killed_after_a_commit": _SELDOM,
    "process_killed_before_a_publish": _SELDOM,
    "process_killed_after_a_publish": _SELDOM,
    "process_frozen": _RARELY,
    "hedgers_silenced": (0.002, 0.01),
    "market_silenced": (0.002, 0.01),
}
"""Every fault there is, and between which two probabilities a seed draws the one it strikes with at
each occasion; a fault that never struck in a campaign fails it."""

_SHARE_OF_SEEDS: Final = 0.5


class Weather:
    """The faults of one seed.

    Args:
        seed: Of every draw.
        now_s: The virtual time.
        tell: Told of all that happens, for whoever follows one seed.

    Attributes:
        struck: How often each fault did.
    """

    def __init__(
        self, seed: int, now_s: Callable[[], float], tell: Callable[[str], None] | None = None
    ) -> None:
        self.struck: Counter[str] = Counter()
        self._random = Random(seed)  # noqa: S311 - a simulation
        self._now_s = now_s
        self._tell = tell
        self._trace = hashlib.sha256()
        self._rates = {
            fault: self._random.uniform(*bounds)
            for fault, bounds in FAULTS.items()
            if self._random.random() < _SHARE_OF_SEEDS
        }

    def clear_up(self) -> None:
        """End the faults; delays remain."""
        self._rates.clear()
        self.note("the weather clears")

    def has(self, fault: str) -> bool:
        """Whether this seed has a fault, now."""
        return fault in self._rates

    def strikes(self, fault: str, about: str = "") -> bool:
        """Draw whether a fault strikes here, and count it."""
        rate = self._rates.get(fault)
        if rate is None or self._random.random() >= rate:
            return False
        self.strike(fault, about)
        return True

    def strike(self, fault: str, about: str = "") -> None:
        """Count a fault that strikes."""
        self.struck[fault] += 1
        self.note(f"{fault} {about}")

    def between(self, least: float, most: float) -> float:
        """Draw a number evenly."""
        return self._random.uniform(least, most)

    def chance(self, probability: float) -> bool:
        """Draw whether something happens."""
        return self._random.random() < probability

    def one_of(self, choices: Sequence[Choice]) -> Choice:
        """Draw one."""
        return self._random.choice(choices)

    def note(self, text: str) -> None:
        """Add to what two runs of a seed must have in common, in this order."""
        line = f"{self._now_s():10.4f} {text}"
        self._trace.update(line.encode())
        if self._tell is not None:
            self._tell(line)

    @property
    def digest(self) -> str:
        """Of everything noted."""
        return self._trace.hexdigest()
