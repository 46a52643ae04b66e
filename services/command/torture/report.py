"""What a campaign says at its end: one table, and what is wrong."""

from collections import Counter
from collections.abc import Iterable, Sequence

from rich.table import Table

from services.command.torture.guards import PROVOKED_GUARDS, STORE_GUARDS, SWEEP_GUARDS
from services.command.torture.scenarios import ScenarioFound
from services.command.torture.sweep import MOST_UNKNOWN_S, SweepFound


def total(counters: Iterable[Counter[str]]) -> Counter[str]:
    """Add counters up."""
    summed: Counter[str] = Counter()
    for each in counters:
        summed.update(each)
    return summed


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that so large a share of them does not exceed; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def violations(found: Sequence[SweepFound], played: Sequence[ScenarioFound]) -> list[str]:
    """Return all that must never be and is."""
    return [
        *(text for each in found for text in each.violations),
        *(text for each in played for text in each.violations),
    ]


def sum_of(found: Sequence[SweepFound], played: Sequence[ScenarioFound]) -> str:
    """Say in one line what the sweeps have tried: orders and kills of scenarios do not count."""
    orders, kills = sum(each.orders for each in found), sum(each.kills for each in found)
    return f"{orders:,} orders, {kills:,} kills, {len(violations(found, played)):,} violations"


def table_of(found: Sequence[SweepFound], played: Sequence[ScenarioFound]) -> Table:
    """Lay out what sweeps and scenarios found."""
    table = Table(title="hedgestat torture", title_justify="left")
    table.add_column("what", overflow="fold")
    table.add_column("figure", overflow="fold")
    answers = total(each.answers for each in found)
    done = total(each.done for each in found)
    guards = total([*(each.guards for each in found), *(each.guards for each in played)])
    waits_s = [wait_s for each in found for wait_s in each.waits_s.values()]
    recoveries_s = [each.recovery_s for each in found if each.recovery_s is not None]
    takeovers_s = [took_s for each in played for took_s in each.takeovers_s]
    duplicates = guards['hedge_gateway_orders_total{status="duplicate"}']
    rows: list[tuple[str, object]] = [
        ("sweeps, seeds", f"{len(found)}: {' '.join(str(each.plan.seed) for each in found)}"),
        ("violations", len(violations(found, played))),
        ("orders answered", f"{answers.total():,}"),
        *((f"  {name}", f"{count:,}") for name, count in sorted(answers.items())),
        ("kills", sum(each.kills for each in found)),
        *((f"  {name}", count) for name, count in sorted(done.items())),
        ("halts and resumes of a book", sum(each.halts for each in found)),
        ("duplicates on the wire, absorbed", f"{duplicates:,}"),
        ("unknown at the last fault's end", sum(each.unknown for each in found)),
        ("  answered after, p99", f"{percentile(waits_s, 0.99):.2f} s"),
        ("  unknown after 10 s", sum(wait_s > MOST_UNKNOWN_S for wait_s in waits_s)),
        ("recovery, p50 and most", _spread(recoveries_s)),
        (
            "take-over, p50 and p99",
            f"{percentile(takeovers_s, 0.5):.2f} s, {percentile(takeovers_s, 0.99):.2f} s",
        ),
        *((f"scenario {each.name}", each.seen) for each in played),
        *((name, f"{guards[name]:,}") for name in (*SWEEP_GUARDS, *PROVOKED_GUARDS, *STORE_GUARDS)),
        *((f"ended by itself: {name}", n) for name, n in total(e.ends for e in found).items()),
        *(
            (f"stopped safely, seed {each.plan.seed}: {name}", reason)
            for each in found
            for name, reason in each.stopped.items()
        ),
    ]
    for name, figure in rows:
        table.add_row(name, str(figure))
    return table


def _spread(values: Sequence[float]) -> str:
    return f"{percentile(values, 0.5):.2f} s, {max(values, default=0.0):.2f} s"
