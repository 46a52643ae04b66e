"""What a replaying feed sends next: a protocol core that is fed reports and asked what is due.

Theory of operation. A replay is a row of steps: some ticks, then a clock event. Ticks and clock
events of a replay are numbered in one series, from 1. A step is *done* when `ingest` says that
its last number is in the journal, every service waited for says that it has settled the step's
clock event, and the hedger has taken every execution report that the gateway has made and every
measurement of the exposure stage: all that came of it is decided, delivered and journalled. Only
then is the next step sent. So whatever a step caused
stands in the journal before the next one begins, and the journal, hence every decision, is the
same however fast the machines are.

What is not reported as journalled is sent again, with growing pauses: neither a broker that
forgets nor a killed `ingest` loses a tick, and one who got it already drops the duplicate.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct, structs

from shared.adapters.history.replay import ReplayStep
from shared.domain.events import ClockAdvanced, Tick

FIRST_RESEND_S: Final = 0.5
LONGEST_RESEND_S: Final = 5.0
MAKERS: Final = ("gateway", "exposure")
"""They make the execution reports and the measurements …"""
TAKER: Final = "hedger"
"""… that this one must have taken."""


class NumberedStep(Struct, frozen=True):
    """A step as it is sent."""

    ticks: tuple[Tick, ...]
    clock: ClockAdvanced

    @property
    def last_sequence(self) -> int:
        """The number of its clock event, the step's last."""
        return self.clock.sequence or 0

    def after(self, sequence: int) -> "NumberedStep":
        """Leave out the ticks up to a number."""
        rest = tuple(tick for tick in self.ticks if (tick.sequence or 0) > sequence)
        return NumberedStep(rest, self.clock)


def number(steps: Iterable[ReplayStep], source: str) -> Iterator[NumberedStep]:
    """Number ticks and clock events of a replay in one series from 1."""
    sequence = 0
    for step in steps:
        ticks = []
        for tick in step.ticks:
            sequence += 1
            ticks.append(structs.replace(tick, source=source, sequence=sequence))
        sequence += 1
        clock = ClockAdvanced(event_ns=step.clock_ns, source=source, sequence=sequence)
        yield NumberedStep(tuple(ticks), clock)


class JournalWentBack(RuntimeError):  # noqa: N818 - reads as what happened, like KeyError
    """The journal lost what it had reported: its store lost data, and nothing built on it holds."""


class Pacer:
    """Decides when the step in hand is done, and when to send it again.

    Tell it (`begin`, `journalled`, `settled`), then ask it (`is_done`, `due`).

    Args:
        waits_for: Names of the services that must settle a step.
    """

    def __init__(self, waits_for: frozenset[str]) -> None:
        self._journalled = 0
        self._done = 0
        self._settled = dict.fromkeys(waits_for, 0)
        self._reports = dict.fromkeys((*waits_for, *MAKERS), 0)
        self._step: NumberedStep | None = None
        self._send_at_s = 0.0
        self._pause_s = FIRST_RESEND_S

    def begin(self, step: NumberedStep, now_s: float) -> None:
        """Take the next step in hand; the one before must be done."""
        if self._step is not None:
            self._done = self._step.last_sequence
        self._step = step
        self._send_at_s = now_s
        self._pause_s = FIRST_RESEND_S

    def journalled(self, sequence: int) -> None:
        """`ingest` has everything up to `sequence`.

        Raises:
            JournalWentBack: It had more when an earlier step was done.
        """
        if sequence < self._done:
            raise JournalWentBack(
                f"the journal was at {self._done} and is at {sequence}: its store lost data. "
                "Start all services over on an empty store, or restore it."
            )
        self._journalled = sequence

    def settled(self, service: str, clock_ns: int, reports: int) -> None:
        """A service has dealt with everything up to a clock event, and so many reports."""
        if service in self._settled:
            self._settled[service] = max(self._settled[service], clock_ns)
            self._reports[service] = reports

    @property
    def is_done(self) -> bool:
        """Whether the step in hand is journalled and settled by all; true without a step."""
        return self._step is None or not (self._is_missing() or self.unsettled())

    def unsettled(self) -> tuple[str, ...]:
        """Services that have not settled the step in hand."""
        if self._step is None:
            return ()
        due_ns = self._step.clock.event_ns
        made = sum(self._reports[maker] for maker in MAKERS)
        return tuple(
            name
            for name, settled_ns in self._settled.items()
            if settled_ns < due_ns or (name == TAKER and self._reports[name] < made)
        )

    def due(self, now_s: float) -> NumberedStep | None:
        """What is to be sent now, if anything; asking counts as sending."""
        if self._step is None or not self._is_missing() or now_s < self._send_at_s:
            return None
        self._send_at_s = now_s + self._pause_s
        self._pause_s = min(2 * self._pause_s, LONGEST_RESEND_S)
        return self._step.after(self._journalled)

    def next_deadline(self) -> float | None:
        """When to ask `due` again if nothing is reported before."""
        return self._send_at_s if self._step is not None and self._is_missing() else None

    def _is_missing(self) -> bool:
        return self._step is not None and self._journalled < self._step.last_sequence
