"""`hedgestat rebalance`: an operator asks books, and hears what each of them answers."""

import asyncio
from typing import Final

from msgspec import UnsetType
from rich.markup import escape

from services.command.endings import Failed
from services.command.figures import rounded
from services.command.operator_link import OperatorLink, Wish, publish, refusal_in
from services.command.standing_requests import TRIGGER, StandingRequests, closed_until
from shared.adapters.bus import Message
from shared.domain.trading import ALL
from shared.runtime.site import Site
from shared.wire import codec, topics
from shared.wire.codec import MalformedMessage
from shared.wire.messages import RebalanceMessage, TargetMessage, WithheldMessage

_CLOSED: Final = (
    "no answer in {seconds:g} s from {books}: the exchange is closed until {opens}\n"
    "  -> nothing refused the request: it stands, and is decided at the opening"
)
_UNANSWERED: Final = (
    "no answer in {seconds:g} s from {books}; nothing refused the request, so it may stand\n"
    "  -> do ingest, signals and hedger run? is VIX good? hedgestat tail rejects shows what was\n"
    "     not believed, hedgestat tail withheld what a control held back"
)


class Rebalancer:
    """Asks, and waits until every book has answered.

    Args:
        link: Whose wish it is.
    """

    def __init__(self, link: OperatorLink) -> None:
        self._link = link
        self._lines = link.lines

    async def ask(self, wish: Wish) -> None:
        """Ask books to rebalance now.

        Raises:
            Failed: A book has not answered; it says which have taken the request, and wait.
        """
        self._link.check_scope(wish.scope)
        message = RebalanceMessage(
            scope=wish.scope,
            reason=wish.reason,
            operator=wish.operator,
            issued_at=self._link.clock.now_ns(),
        )
        payload = self._link.keyring.seal("operator", topics.REBALANCE, message)
        waiting = set(self._link.books if wish.scope == ALL else [wish.scope])
        standing = StandingRequests()
        answers = [topics.TARGETS, topics.WITHHELD, topics.REJECTS]
        async with self._link.connected(
            [*answers, *standing.SUBSCRIPTIONS], wish.patience_s
        ) as bus:
            await publish(bus, topics.REBALANCE, payload)
            try:
                async with asyncio.timeout(wish.patience_s):
                    async for heard in bus.messages():
                        heard.ack()
                        waiting -= self._answered(heard, payload, standing)
                        if not waiting:
                            return
            except TimeoutError:
                raise Failed(*self._unanswered(waiting, standing, wish.patience_s)) from None

    def _unanswered(
        self, waiting: set[str], standing: StandingRequests, patience_s: float
    ) -> list[str]:
        """Say of each book that has not answered whether it holds the request, and why."""
        told = {book: standing.told(book) for book in sorted(waiting)}
        reasons = [reason for reason in told.values() if reason is not None]
        if silent := ", ".join(book for book, reason in told.items() if reason is None):
            opens = closed_until(Site(settings=self._link.settings, clock=self._link.clock))
            words = _UNANSWERED if opens is None else _CLOSED
            reasons.append(words.format(books=silent, seconds=patience_s, opens=opens))
        return reasons

    def _answered(self, message: Message, payload: bytes, standing: StandingRequests) -> set[str]:
        """Print what a book answers; returns its name, when it was to us."""
        if message.topic == topics.REJECTS:
            refusal = refusal_in(message, payload)
            if refusal:
                raise Failed(refusal)
            return set()
        try:
            if standing.take(message) or message.retain:
                return set()
            return self._book_in(message)
        except MalformedMessage as error:
            self._lines.say(f"[yellow]malformed: {escape(str(error))}[/]")
            return set()

    def _book_in(self, message: Message) -> set[str]:
        if message.topic.endswith("/withheld"):
            withheld = codec.decode(WithheldMessage, message.payload)
            self._lines.say(f"{withheld.book}: {withheld.leg} withheld by {withheld.control}")
            return set()
        target = codec.decode(TargetMessage, message.payload)
        if target.trigger != TRIGGER:
            return set()
        sized = (
            f"multiplier {target.multiplier:.3f}, "
            f"vega {rounded(target.current_vega, ',.0f')} -> {rounded(target.target_vega, ',.0f')}"
        )
        if not isinstance(target.strategies, UnsetType):
            sized = ", ".join(f"{leg.leg} to hold {leg.quantity}" for leg in target.legs)
        self._lines.say(f"{target.book}: decision {target.decision}, {sized}")
        return {target.book}
