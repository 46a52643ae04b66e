"""`hedgestat why ORDER_ID`: reads what an order came of, and lays it out for people."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec
from msgspec import UnsetType
from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from services.command.endings import Refused, named_reasons
from services.command.explanation import Explanation, Trail, executions_of
from services.command.figures import counted, figure, rounded, spaced
from shared.adapters.archive import ArchiveReader, recall
from shared.adapters.control_socket import GatewayUnreachable, gateway_orders
from shared.adapters.export import NoExport, read_export
from shared.adapters.record import RecordedOrder
from shared.adapters.settings import Settings
from shared.adapters.store import Entry, Store
from shared.domain.sessions import SessionCalendar
from shared.runtime.logs import configure_logging
from shared.runtime.site import Site
from shared.wire import keys
from shared.wire.decisions import read_decision
from shared.wire.times import format_instant


def run_why(
    settings: Settings, order_id: str, *, export: Path | None, as_json: bool, console: Console
) -> None:
    """Print why an order was sent.

    Raises:
        Refused: No such order was decided, or the file is no export.
        Failed: The store does not answer.
    """
    configure_logging("error", stream=sys.stderr)
    try:
        with named_reasons():
            found = asyncio.run(_explain(Site(settings=settings), order_id, export))
    except NoExport as error:
        raise Refused(str(error)) from None
    if found is None:
        raise Refused(f"no order {order_id} was decided: not in the archive, not in the store")
    if as_json:
        console.print_json(msgspec.json.encode(found).decode())
    else:
        console.print(rendered(found))


async def _explain(site: Site, order_id: str, export: Path | None) -> Explanation | None:
    async with AsyncExitStack() as stack:
        if export is None:
            orders = await stack.enter_async_context(site.orders())
            market = await stack.enter_async_context(site.market())
            decisions = _recalled(site, orders, keys.decisions())
            journal = _recalled(site, market, keys.journal())
        else:
            decisions = _exported(export, keys.decisions())
            journal = _exported(export, keys.journal())
        found = await _find(decisions, order_id, site.calendar())
        if found is None:
            return None
        executions = [
            report async for entries in journal for report in executions_of(entries, order_id)
        ]
    answer = None if export is not None else await _answer(site, order_id)
    return msgspec.structs.replace(found, executions=tuple(executions), answer=answer)


async def _find(
    log: AsyncIterator[Sequence[Entry]], order_id: str, calendar: SessionCalendar
) -> Explanation | None:
    trail = Trail(order_id, calendar)
    async for entries in log:
        for entry in entries:
            found = trail.take(entry.index, read_decision(entry.payload))
            if found is not None:
                return found
    return trail.finish()


async def _recalled(site: Site, store: Store, stream: str) -> AsyncIterator[Sequence[Entry]]:
    directory = site.settings.retention.archive
    archive = None if directory is None else ArchiveReader(Path(directory), stream)
    async for entries in recall(store, stream, archive):
        yield entries


async def _exported(path: Path, stream: str) -> AsyncIterator[Sequence[Entry]]:
    for entries in await asyncio.to_thread(lambda: read_export(path).entries()):
        if entries[0].stream == stream:
            yield entries


async def _answer(site: Site, order_id: str) -> RecordedOrder | None:
    """Return the gateway's answer, if there is a gateway on this machine."""
    socket = site.settings.gateway.socket_path
    if socket is None:
        return None
    try:
        return next((row for row in await gateway_orders(socket) if row.order_id == order_id), None)
    except GatewayUnreachable:
        return None


# --- for people --------------------------------------------------------------------------------


def rendered(found: Explanation) -> Group:
    """Lay an explanation out for a terminal."""
    return Group(
        Panel(_order(found), title=found.order.order_id, title_align="left"),
        _path(found),
        _signals(found),
        _steps(found),
        *_strategies(found),
        _limits(found),
        _afterwards(found),
    )


def _order(found: Explanation) -> Table:
    order, grounds = found.order, found.grounds
    table = Table.grid(padding=(0, 2))
    decided, until = format_instant(order.event_ns), format_instant(order.valid_until_ns)
    size = f"{order.quantity:,.10g} {order.leg} ({order.instrument} on {order.symbol})"
    price = f"{order.limit_price:.10g}, reference {order.reference_price:.10g}"
    table.add_row(order.side, f"{size}, to hold {order.target_quantity:,.10g}")
    table.add_row("limit", f"{price}, {order.notional:,.2f} {order.currency}")
    if isinstance(order.delta, UnsetType):
        table.add_row("vega", f"{order.vega:+,.10g} {order.currency} a point")
    else:
        table.add_row("delta", f"{order.delta:+,.10g} of {order.symbol}")
    table.add_row("because", order.reason)
    table.add_row("decided", f"{decided}, valid until {until}")
    table.add_row("decision", f"{order.decision} of book {order.book}, entry {found.entry}")
    table.add_row("config", grounds.config_digest)
    table.add_row("code", grounds.code_version)
    return table


def _path(found: Explanation) -> Table:
    """Lay out every step of every trigger: below one another, so that 80 columns hold them."""
    table = _table("What fired", "instant", "what")
    for trigger, path in found.triggers.items():
        for changed in path:
            inputs = _named(changed.inputs)
            against = "" if changed.reference is None else f" (from {figure(changed.reference)})"
            observed = counted(changed.observations, "observation")
            lines = (
                f"{trigger}: {changed.previous} -> {changed.state}",
                f"since {_second(changed.since_ns)}, {observed}",
                inputs + against,
                changed.reason,
            )
            table.add_row(_second(changed.event_ns), Text("\n".join(filter(None, lines))))
    return table


def _named(figures: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {figure(value)}" for name, value in figures.items())


def _second(instant_ns: int) -> str:
    """Write an instant to the second: `--json` has the nanoseconds."""
    return format_instant(instant_ns)[:19].replace("T", " ")


def _signals(found: Explanation) -> Table:
    table = _table("Signals at the decision", "signal", "value", "quality", "of")
    observed = found.grounds.observed
    for name, signal in {} if observed is None else observed.signals.items():
        value = "-" if signal.value is None else f"{figure(signal.value)} {signal.unit}"
        state = f" ({signal.state})" if signal.state else ""
        at = format_instant(signal.event_ns) if signal.event_ns else "-"
        table.add_row(name, value + state, signal.quality.value, at)
    for symbol, mark in {} if observed is None else observed.marks.items():
        table.add_row(f"mark {symbol}", figure(mark.level), "", format_instant(mark.event_ns))
    if not isinstance(measured := found.grounds.measured, UnsetType):
        at = format_instant(measured.event_ns)
        for name, greek in measured.greeks.items():
            table.add_row(name, figure(greek), "measured", at)
    return table


def _steps(found: Explanation) -> Table:
    target = found.target
    table = _table(f"Sizing: multiplier {figure(target.multiplier)}", "step", "after it", "", "why")
    for step in target.steps:
        binding = "binding" if step.binding else ""
        table.add_row(step.name, figure(step.multiplier), binding, spaced(step.note))
    for leg in target.legs:
        quantity = "unknown" if leg.quantity is None else f"{leg.quantity:,.10g}"
        table.add_row(f"leg {leg.leg}", quantity, "", f"vega {figure(leg.vega)}, mark {leg.mark}")
    return table


def _strategies(found: Explanation) -> Iterator[Table]:
    """Lay out what each strategy saw, and what every other band would have done (spec 11)."""
    told = found.target.strategies
    for each in () if isinstance(told, UnsetType) else told:
        table = _table(
            f"Strategy {each.strategy}", "band", "half width", "hedge", "trades", "cost", ""
        )
        for band in each.bands:
            width = "" if band.half_width is None else figure(band.half_width)
            taken = "taken" if band.kind == each.band else band.refusal
            hedge, cost = figure(band.hedge, "+"), rounded(band.cost, ",.2f")
            table.add_row(band.kind, width, hedge, str(band.trades), cost, taken)
        table.caption = _named(each.figures)
        yield table


def _limits(found: Explanation) -> Table:
    table = _table("Limits it was held against", "limit", "this order", "at most")
    for checked in found.limits:
        value = "held, not logged" if checked.value is None else figure(checked.value)
        table.add_row(checked.name, value, figure(checked.limit))
    for withheld in found.withheld:
        table.add_row(f"{withheld.leg} withheld", withheld.control, _named(withheld.figures))
    return table


def _afterwards(found: Explanation) -> Table:
    table = _table("What became of it", "instant", "what", "quantity", "price", "")
    if found.answer is not None:
        at = format_instant(found.answer.received_ns)
        what = f"gateway: {found.answer.status}"
        table.add_row(at, what, "", "", found.answer.reason)
    for report in found.executions:
        price = "" if report.price is None else f"{report.price:.10g}"
        quantity = f"{report.quantity:+,.10g}" if report.quantity else ""
        at = format_instant(report.event_ns)
        table.add_row(at, report.kind.value, quantity, price, report.reason)
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
