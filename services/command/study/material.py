"""The history of a study: read, held against the calendar, cut into the steps of a replay."""

import hashlib
from collections.abc import Sequence
from datetime import date

import msgspec
from msgspec import Struct, structs

from services.command.endings import Refused
from services.command.recorded import (
    check_days,
    day_of,
    known_series,
    read_history,
    steps_between,
)
from services.command.study.journalled import journalled_steps, opened
from shared.adapters.calendars import CalendarError
from shared.adapters.export import Exported
from shared.adapters.history.contracts import vix_curve
from shared.adapters.history.replay import ReplayStep
from shared.adapters.history.series import DailyBar, Finding, Series
from shared.adapters.settings import Settings
from shared.adapters.study.plan import FUTURES, StudyPlan
from shared.domain.instruments.expiries import SessionDays
from shared.domain.sessions import SessionCalendar
from shared.domain.study.curve import VixCurve
from shared.domain.study.instruments import InstrumentHistory, study_instruments
from shared.domain.study.points import points_of
from shared.runtime.site import Site


class Material(Struct, frozen=True, kw_only=True):
    """What every variant of a study is run over.

    Attributes:
        steps: Ticks and clocks, as a replaying feed would publish them.
        calendar: The sessions.
        findings: What is odd about the files, between the first and the last day.
        digest: SHA-256, in hex, of every bar that was used.
        first: Day of the first step …
        last: … and of the last.
        instruments: What is marked beside what the ticks say.
    """

    steps: tuple[ReplayStep, ...]
    calendar: SessionCalendar
    findings: tuple[Finding, ...]
    digest: str
    first: date
    last: date
    instruments: InstrumentHistory

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of any figure should know."""
        return self.instruments.notes


def read_material(plan: StudyPlan, settings: Settings) -> Material:
    """Read a plan's history.

    Args:
        plan: Which files and days.
        settings: Any variant's: which symbols are known, on which calendar.

    Raises:
        Refused: It cannot be read, lacks what the configuration needs, or has none of the days.
    """
    check_days(plan.first, plan.last)
    try:
        calendar = Site(settings=settings).calendar()
    except CalendarError as error:
        raise Refused(str(error)) from error
    exported = opened(plan.history[0]) if len(plan.history) == 1 else None
    if exported is not None:
        return _journalled(plan, settings, calendar, exported)
    everything = read_history(settings, plan.history)
    curve = vix_curve(everything, SessionDays(calendar))
    history = known_series(settings, everything, FUTURES)
    if plan.prints == "closes":
        history = tuple(map(_closes, history))
    first, last = _days(plan, history)
    steps = tuple(steps_between(history, calendar, first, last))
    findings = tuple(
        finding
        for series in history
        for finding in series.findings
        if finding.day is None or first <= finding.day <= last
    )
    bars = [(series.symbol, series.bars) for series in history]
    settled = [(s.symbol, s.bars) for s in everything if s not in history] if curve else []
    priced = (plan.instruments, plan.surface, plan.costs, settled)
    digest = hashlib.sha256(msgspec.msgpack.encode((bars, priced), order="sorted"))
    return Material(
        steps=steps,
        calendar=calendar,
        findings=findings,
        digest=digest.hexdigest(),
        first=first,
        last=last,
        instruments=_instruments(plan, settings, steps, calendar, curve),
    )


def _journalled(
    plan: StudyPlan, settings: Settings, calendar: SessionCalendar, exported: Exported
) -> Material:
    """Make the material of a recorded journal: its ticks are judged and counted as they stand."""
    steps = journalled_steps(plan.history[0], exported, calendar, plan.first, plan.last)
    priced = (plan.instruments, plan.surface, plan.costs)
    digest = hashlib.sha256(msgspec.msgpack.encode((steps, priced), order="sorted"))
    return Material(
        steps=steps,
        calendar=calendar,
        findings=(),
        digest=digest.hexdigest(),
        first=day_of(steps[0]),
        last=day_of(steps[-1]),
        instruments=_instruments(plan, settings, steps, calendar, VixCurve(())),
    )


def _instruments(
    plan: StudyPlan,
    settings: Settings,
    steps: Sequence[ReplayStep],
    calendar: SessionCalendar,
    curve: VixCurve,
) -> InstrumentHistory:
    vix, index = settings.signals.vix_symbol, settings.signals.index_symbol
    points = points_of(((step.clock_ns, step.ticks) for step in steps), calendar, index, vix)
    try:
        return study_instruments(
            plan.instruments,
            points,
            SessionDays(calendar),
            curve=curve,
            surface=plan.surface,
            quotes={vix: plan.costs["variance_swap"]},
        )
    except ValueError as reason:
        raise Refused(str(reason)) from None


def _closes(series: Series) -> Series:
    bars = tuple(
        structs.replace(bar, open=None, high=None, low=None)
        for bar in series.bars
        if isinstance(bar, DailyBar)
    )
    if len(bars) < len(series.bars):
        raise Refused(f'{series.place} has intraday bars: say prints = "bars" under [history]')
    return structs.replace(series, bars=bars)


def _days(plan: StudyPlan, history: Sequence[Series]) -> tuple[date, date]:
    """Return the days asked for, or else those that every series covers."""
    daily = [[bar.day for bar in s.bars if isinstance(bar, DailyBar)] for s in history]
    covered = [days for days in daily if days]
    if not covered and not (plan.first and plan.last):
        raise Refused("say from which day to which: `from` and `to` in the plan, or as options")
    return (
        plan.first or max(days[0] for days in covered),
        plan.last or min(days[-1] for days in covered),
    )
