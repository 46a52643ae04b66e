"""What a replay came to: read back from the streams that the run left in the store."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time
from typing import Final

from msgspec import Struct
from prometheus_client.parser import text_string_to_metric_families
from rich.table import Table

from services.command.figures import rounded
from shared.adapters.redis_store import RedisStore
from shared.domain.accounts.accounting import HedgeComparison
from shared.domain.accounts.effectiveness import ComparisonReport, WindowResult
from shared.domain.effects import TargetChanged
from shared.domain.events import ExecutionReported
from shared.domain.instants import DAY, SECOND
from shared.domain.policies import BookPolicy
from shared.domain.sessions import SessionCalendar
from shared.domain.signals_observed import SignalsObserved
from shared.runtime.site import Site
from shared.wire import keys
from shared.wire.decisions import read_decision
from shared.wire.journal import decode_log

WINDOWS: Final = {
    "August 2015": (date(2015, 8, 17), date(2015, 8, 28)),
    "February 2018": (date(2018, 1, 29), date(2018, 2, 16)),
}
_AT_ONCE: Final = 1000


class Account(Struct, frozen=True, kw_only=True):
    """One book's run.

    Attributes:
        book: Which.
        counts: Ticks, triggers, orders, fills and the like, by name.
        report: Dynamic, static and none, side by side.
        windows: Named windows of history, those with sessions in the replay.
        notes: What a reader of the figures must know.
    """

    book: str
    counts: dict[str, float]
    report: ComparisonReport
    windows: dict[str, WindowResult]
    notes: tuple[str, ...]

    def table(self) -> Table:
        """Lay it out for a terminal."""
        table = Table(title=f"Book {self.book}", show_header=True, title_justify="left")
        table.add_column("")
        for hedge in ("dynamic", "static", "none"):
            table.add_column(hedge, justify="right")
        for name, count in self.counts.items():
            table.add_row(name, f"{count:,.0f}")
        self._add_multipliers(table)
        self._add_costs(table)
        for name, window in self.windows.items():
            _add_window(table, name, window)
        table.caption = "\n".join(self.notes)
        table.caption_justify = "left"
        return table

    def _add_multipliers(self, table: Table) -> None:
        report = self.report
        table.add_row("average multiplier", _figure(report.average_multiplier, ".3f"), "1.000", "0")
        table.add_row("maximum multiplier", _figure(report.maximum_multiplier, ".3f"), "1.000", "0")
        table.add_row("sessions at floor", f"{report.sessions_at_floor:,}", end_section=False)
        table.add_row("sessions at cap", f"{report.sessions_at_cap:,}", end_section=True)

    def _add_costs(self, table: Table) -> None:
        hedges = (self.report.dynamic, self.report.static, self.report.none)
        rows: dict[str, list[float | None]] = {
            "carry profit": [hedge.carry_profit for hedge in hedges],
            "transaction cost": [hedge.transaction_cost for hedge in hedges],
            "net profit": [hedge.net_profit for hedge in hedges],
            "hedge cost outside crashes": [hedge.cost for hedge in hedges],
            "the same a year": [hedge.cost_per_year for hedge in hedges],
        }
        for name, figures in rows.items():
            table.add_row(name, *(_figure(figure, ",.0f") for figure in figures))
        sharpes = (_figure(hedge.sharpe, ".3f") for hedge in hedges)
        table.add_row("Sharpe with the portfolio", *sharpes, end_section=True)


async def account_of(site: Site, calendar: SessionCalendar, metrics: str) -> list[Account]:
    """Account for every book from what the run left behind.

    Args:
        site: Whose store holds the run.
        calendar: The sessions.
        metrics: The metrics page, as scraped when the replay was done.
    """
    accounts = []
    async with site.market() as market, site.orders() as orders:
        for book in site.settings.books:
            comparison = _comparison(site, book, calendar)
            targets = [target async for target in _targets(orders, book.name)]
            last_ns = 0
            async for event in _observed(market):
                while targets and targets[0].event_ns < event.event_ns:
                    comparison.receive_target(targets.pop(0))
                if isinstance(event, SignalsObserved) or event.book == book.name:
                    comparison.receive(event)
                last_ns = event.event_ns
            for target in targets:
                comparison.receive_target(target)
            comparison.advance_to(last_ns + 1)  # the last event is the last close itself
            accounts.append(_account(book, comparison, metrics))
    return accounts


def _comparison(site: Site, book: BookPolicy, calendar: SessionCalendar) -> HedgeComparison:
    settings = site.settings
    return HedgeComparison(book, calendar, settings.signals.index_symbol, settings.paper.commission)


def _account(book: BookPolicy, comparison: HedgeComparison, metrics: str) -> Account:
    report = comparison.report()
    windows = {
        name: comparison.window(_midnight_ns(first), _midnight_ns(last) + DAY)
        for name, (first, last) in WINDOWS.items()
    }
    return Account(
        book=book.name,
        counts={"sessions": report.sessions} | _counts(metrics, book.name),
        report=report,
        windows={name: window for name, window in windows.items() if window.sessions},
        notes=_notes(book),
    )


async def _observed(market: RedisStore) -> AsyncIterator[SignalsObserved | ExecutionReported]:
    async for payload in _payloads(market, keys.signal_log()):
        for event in decode_log(payload):
            if isinstance(event, SignalsObserved | ExecutionReported):
                yield event


async def _targets(orders: RedisStore, book: str) -> AsyncIterator[TargetChanged]:
    async for payload in _payloads(orders, keys.decisions()):
        effect = read_decision(payload).effect
        if isinstance(effect, TargetChanged) and effect.book == book:
            yield effect


async def _payloads(store: RedisStore, stream: str) -> AsyncIterator[bytes]:
    index = 0
    while entries := await store.read({stream: index}, count=_AT_ONCE):
        for entry in entries:
            yield entry.payload
        index = entries[-1].index


def _counts(metrics: str, book: str) -> dict[str, float]:
    """Read figures off the metrics page: what an operator's Prometheus would have."""
    totals: dict[str, float] = dict.fromkeys(_ROWS.values(), 0.0)
    for family in text_string_to_metric_families(metrics):
        for sample in family.samples:
            row = _row(sample.name, sample.labels)
            if row is not None and sample.labels.get("book", book) == book:
                totals[row] += sample.value
    return totals


_ROWS: Final = {
    ("hedge_ticks_total", "verdict", "accepted"): "ticks",
    ("hedge_trigger_transitions_total", "state", "firing"): "triggers fired",
    ("hedge_whipsaws_suppressed_total", "", ""): "whipsaws suppressed",
    ("hedge_orders_total", "outcome", "decided"): "orders",
    ("hedge_gateway_executions_total", "kind", "fill"): "orders filled",
    ("hedge_gateway_executions_total", "kind", "partial"): "partial fills",
    ("hedge_gateway_executions_total", "kind", "expire"): "orders expired",
}


def _row(name: str, labels: dict[str, str]) -> str | None:
    for (wanted, label, value), row in _ROWS.items():
        if name == wanted and labels.get(label, "") == value:
            return row
    return None


def _notes(book: BookPolicy) -> tuple[str, ...]:
    swaps = [leg.name for leg in book.legs if leg.instrument == "variance_swap"]
    notes = [
        "Money in " + book.currency + ". Cost: what the hedge lost outside crash windows "
        "(drawdown beyond 5%), transaction cost included. "
        "HER: hedge gain / portfolio loss. The page's effectiveness is the HER of all falls beyond "
        "5% together; its budget counts another cost, of the calendar year: carry by model, which "
        "never gains, and what fills cost against their reference prices."
    ]
    if swaps:
        notes.append(
            f"No futures or option quotes in this history: {', '.join(swaps)} is a 30-day variance "
            "swap, re-struck daily, marked from VIX and realized variance."
        )
    return tuple(notes)


def _add_window(table: Table, name: str, window: WindowResult) -> None:
    table.add_row(f"{name}: portfolio loss", "", "", _figure(window.portfolio_loss, ",.0f"))
    gains = (window.dynamic_gain, window.static_gain, 0.0)
    table.add_row(f"{name}: hedge gain", *(rounded(gain, ",.0f") for gain in gains))
    ratios = (window.dynamic_effectiveness, window.static_effectiveness)
    table.add_row(
        f"{name}: HER", *(_figure(ratio, ".4f") for ratio in ratios), "0", end_section=True
    )


def _figure(value: float | None, form: str) -> str:
    return "-" if value is None else rounded(value, form)


def _midnight_ns(day: date) -> int:
    return int(datetime.combine(day, time(), tzinfo=UTC).timestamp()) * SECOND
