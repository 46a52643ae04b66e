"""Recorded ticks as the hedger would have seen them: intake and signals, no store, no broker.

Every variant of a study that shares its signals sees the very same snapshots, so they are made
once. Events are numbered as a journal without execution reports would number them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from shared.domain.accounts.rolled import Rolled
from shared.domain.events import ClockAdvanced, Tick
from shared.domain.intake import Intake
from shared.domain.market.signals import SignalMonitor
from shared.domain.policies import IntakePolicy, SignalPolicy
from shared.domain.sessions import SessionCalendar
from shared.domain.signals_observed import HedgerInput
from shared.domain.study.instruments import InstrumentHistory, study_intake, study_signals
from shared.domain.tick_block import TickBlock


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedStep:
    """One step of a replay: some ticks, then a clock event, and what was observed of them.

    Attributes:
        block: The ticks that were believed.
        clock: The clock event that ends the step.
        observed: What the hedger hears of ticks and clock, in order.
        rolls: Of instruments, right after the clock.
        measured: Greeks of one contract of each option, at the clock.
    """

    block: TickBlock
    clock: ClockAdvanced
    observed: tuple[HedgerInput, ...]
    rolls: tuple[Rolled, ...] = ()
    measured: Mapping[str, float] = field(default_factory=dict)


class StudyMarket:
    """Intake and signals over history.

    Args:
        intake: Which ticks are believed.
        signals: Which signals, computed how.
        calendar: When the market is open.
        instruments: What is marked beside what the ticks say; `None`: nothing.

    Attributes:
        accepted: Ticks believed so far …
        refused: … and not.
    """

    def __init__(
        self,
        intake: IntakePolicy,
        signals: SignalPolicy,
        calendar: SessionCalendar,
        instruments: InstrumentHistory | None = None,
    ) -> None:
        if instruments is not None:
            intake = study_intake(intake, instruments)
            signals = study_signals(signals, instruments)
        self._intake = Intake(intake, lossless=True)
        self._monitor = SignalMonitor(signals, calendar)
        self._instruments = instruments
        self._index = 0
        self.accepted = 0
        self.refused = 0

    def take(self, ticks: Sequence[Tick], clock: ClockAdvanced) -> ObservedStep:
        """Take a step's ticks, in event-time order and numbered, and its clock event."""
        marked = self._instruments
        if marked is not None:
            ticks = marked.joined(ticks, clock.event_ns)
        screened = self._intake.receive_block(TickBlock.of(ticks), None)
        block = screened.accepted
        self.accepted += len(block)
        self.refused += int(np.sum(screened.verdicts != 0))
        observed = self._monitor.receive_block(block, self._index)
        self._index += len(block)
        self._intake.receive_clock(clock)
        observed += self._monitor.receive(clock, self._index)
        self._index += 1
        return ObservedStep(
            block=block,
            clock=clock,
            observed=tuple(observed),
            rolls=() if marked is None else marked.rolls.get(clock.event_ns, ()),
            measured={} if marked is None else marked.measured.get(clock.event_ns, {}),
        )
