"""Recorded ticks as the hedger would have seen them: intake and signals, no store, no broker.

Every variant of a study that shares its signals sees the very same snapshots, so they are made
once. Events are numbered as a journal without execution reports would number them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from shared.domain.events import ClockAdvanced, Tick
from shared.domain.intake import Intake
from shared.domain.market.signals import SignalMonitor
from shared.domain.policies import IntakePolicy, SignalPolicy
from shared.domain.sessions import SessionCalendar
from shared.domain.signals_observed import HedgerInput
from shared.domain.tick_block import TickBlock


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedStep:
    """One step of a replay: some ticks, then a clock event, and what was observed of them.

    Attributes:
        block: The ticks that were believed.
        clock: The clock event that ends the step.
        observed: What the hedger hears of ticks and clock, in order.
    """

    block: TickBlock
    clock: ClockAdvanced
    observed: tuple[HedgerInput, ...]


class StudyMarket:
    """Intake and signals over history.

    Args:
        intake: Which ticks are believed.
        signals: Which signals, computed how.
        calendar: When the market is open.

    Attributes:
        accepted: Ticks believed so far …
        refused: … and not.
    """

    def __init__(
        self, intake: IntakePolicy, signals: SignalPolicy, calendar: SessionCalendar
    ) -> None:
        self._intake = Intake(intake, lossless=True)
        self._monitor = SignalMonitor(signals, calendar)
        self._index = 0
        self.accepted = 0
        self.refused = 0

    def take(self, ticks: Sequence[Tick], clock: ClockAdvanced) -> ObservedStep:
        """Take a step's ticks, in event-time order and numbered, and its clock event."""
        screened = self._intake.receive_block(TickBlock.of(ticks), None)
        block = screened.accepted
        self.accepted += len(block)
        self.refused += int(np.sum(screened.verdicts != 0))
        observed = self._monitor.receive_block(block, self._index)
        self._index += len(block)
        self._intake.receive_clock(clock)
        observed += self._monitor.receive(clock, self._index)
        self._index += 1
        return ObservedStep(block=block, clock=clock, observed=tuple(observed))
