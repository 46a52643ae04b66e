"""Orders as far as their status says."""

from typing import Final, Literal

from page.instants import at

from shared.wire.messages import AckMessage
from shared.wire.views import ExecutionView, OrderView

Kind = Literal["new", "partial", "fill", "cancel", "reject", "expire"]

_EXECUTIONS: Final[dict[str, tuple[Kind, ...]]] = {
    "working": ("new",),
    "partial": ("new", "partial"),
    "filled": ("new", "fill"),
    "cancelled": ("new", "cancel"),
    "rejected": ("reject",),
    "expired": ("new", "expire"),
}


def order(number: int = 1, status: str = "filled", name: str = "overlay") -> OrderView:
    """An order, as far as its status says."""
    filled = {"filled": 4_100.0, "partial": 1_500.0}.get(status, 0.0)
    ack = AckMessage(
        order_id=f"{name}-{number:08d}-varswap_3m",
        status="refused" if status == "refused" else "accepted",
        reason="halted: all by operator" if status == "refused" else "",
        epoch=7,
    )
    return OrderView(
        order_id=f"{name}-{number:08d}-varswap_3m",
        book=name,
        decision=number,
        leg="varswap_3m",
        symbol="VIX",
        side="buy",
        quantity=4_100.0,
        target_quantity=18_450.0,
        limit_price=24.2,
        notional=92_701.0,
        currency="USD",
        trigger="vix_move",
        reason="VIX 22.41 against 18: a move of 4.41 points, above 3",
        status=status,  # type: ignore[arg-type] # tests name those there are
        decided_time=at(f"20:{10 + number:02d}:00"),
        valid_until=at("20:45:00"),
        why=(
            "vix_move fired: smoothed VIX 22.41 is 4.41 points above 18, held for 15 min and 41"
            " ticks; option_a wants 1.041 x base, the budget cuts it to 0.41: buy 4,100."
        ),
        acknowledgement=None if status == "decided" else ack,
        filled=filled,
        average_price=22.61 if filled else None,
        executions=tuple(
            ExecutionView(
                kind=kind,
                event_time=at(f"20:{10 + number:02d}:01"),
                quantity=filled if kind in {"partial", "fill"} else 0.0,
                price=22.61 if kind in {"partial", "fill"} else None,
                reason="no liquidity" if kind == "reject" else "",
            )
            for kind in _EXECUTIONS.get(status, ())
        ),
    )
