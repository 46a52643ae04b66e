"""The edge: which ticks are believed (spec section 9), judged in one compiled pass over a block.

Order of judgement, the first that fails names the refusal:

1. *sequence*: a number seen before is a duplicate; in a lossless series a number too far ahead is
   held back, for its sender will send it again after the missing ones; elsewhere the gap is
   reported and the tick goes on. A refused tick has used up its number all the same.
2. *shape*: known symbol, a price or both quotes, finite, positive, not crossed, not too wide.
3. *time*: not ahead of our clock, not behind its symbol's last tick, nor far behind the newest.
4. *jump*: a move beyond `max_jump` is refused until `confirmations` consecutive prints, each later
   than the one before, agree with each other, or two independent sources agree: causal, so that a
   bad print does not trade and a crash does (promises C5).

A refused tick changes nothing but its sequence number and, after a jump, what would confirm it.

Quotes of options are judged by themselves, for there are too many to remember each, and what they
are worth is judged where all of a chain is seen: an ask, and a bid that is not above it and may be
absent or 0; not after the day that the name says. Whoever reads them must expect one that is older
than the last of its symbol, by `late_limit_ns` at most.

Longer than most: the compiled judgement and its state are read together.
"""

from dataclasses import fields, replace
from enum import IntEnum
from typing import Final
from zlib import crc32

import numpy as np
from msgspec import Struct, UnsetType
from numba import njit
from numpy.typing import NDArray

from shared.domain.events import ClockAdvanced
from shared.domain.instruments.option_names import OptionNames
from shared.domain.policies import IntakePolicy
from shared.domain.tick_block import TickBlock

NOT_A_NUMBER: Final = float("inf")
"""In a block that has not been judged yet: a field that was given, and was no number."""

LARGEST: Final = 1e15
"""No market makes a larger number; below it, sums and squares of prices stay finite."""

MAX_SOURCES: Final = 1024
"""Sources are names from outside: their number is bounded."""


class Verdict(IntEnum):
    """What became of a tick. The names in lower case are the reasons in `rejects`."""

    ACCEPTED = 0
    DUPLICATE = 1
    HELD = 2
    UNKNOWN_SYMBOL = 3
    NO_PRICE = 4
    NOT_A_NUMBER = 5
    NOT_POSITIVE = 6
    CROSSED = 7
    WIDE_QUOTE = 8
    FUTURE = 9
    LATE = 10
    JUMP = 11
    TOO_MANY_SOURCES = 12
    TOO_MANY_SYMBOLS = 13
    EXPIRED = 14

    @property
    def is_refusal(self) -> bool:
        """Whether the sender should hear of it: duplicates and held ticks are business as usual."""
        return self > Verdict.HELD


class SymbolState(Struct, frozen=True, array_like=True):
    """What the edge remembers of one symbol."""

    level: float
    event_ns: int
    candidate: float
    confirmed: int
    candidate_ns: int = 0
    witness: int = 0
    """The independent source that printed the candidate; 0 for any other."""


class IntakeState(Struct, frozen=True):
    """Snapshot of an `Intake`."""

    symbols: dict[str, SymbolState] = {}
    sequences: dict[str, int] = {}
    newest_ns: int = 0


class Screened(Struct, frozen=True):
    """The judgement of one block.

    Attributes:
        accepted: Ticks to journal, in order.
        verdicts: uint8, shape `(n,)`, a `Verdict` for each tick of the block.
        missing: Sequence numbers that were skipped, by source.
    """

    accepted: TickBlock
    verdicts: NDArray[np.uint8]
    missing: dict[str, int]


_SYMBOL: Final = np.dtype(
    [
        ("level", np.float64),
        ("event_ns", np.int64),
        ("candidate", np.float64),
        ("confirmed", np.int64),
        ("candidate_ns", np.int64),
        ("witness", np.int64),
        ("max_jump", np.float64),
        ("confirmations", np.int64),
        ("max_spread", np.float64),
    ]
)

_REMEMBERED: Final = list(SymbolState.__struct_fields__)


class Intake:
    """Judges ticks and clock events as they arrive.

    Args:
        policy: What may arrive.
        lossless: Whether numbered sources send again what was not journalled (a replaying feed):
            then nothing is accepted out of turn, and a gap cannot be.
    """

    def __init__(self, policy: IntakePolicy, *, lossless: bool) -> None:
        self._policy = policy
        self._lossless = lossless
        self._names = tuple(policy.symbols)
        self._numbers = {name: number for number, name in enumerate(self._names)}
        options = policy.options
        self._options = (
            OptionNames(frozenset(), 0)
            if isinstance(options, UnsetType)
            else OptionNames(options.roots, options.max_symbols)
        )
        self._symbols = np.zeros(len(self._names), dtype=_SYMBOL)
        for row, limit in zip(self._symbols, policy.symbols.values(), strict=True):
            row["max_jump"] = limit.max_jump
            row["confirmations"] = limit.confirmations
            row["max_spread"] = limit.max_spread
        self._witnesses = {name: crc32(name.encode()) + 1 for name in policy.independent_sources}
        self._known: dict[str, SymbolState] = {}
        self._stale = set(range(len(self._names)))
        self._sequences: dict[str, int] = {}
        self._newest_ns = 0

    def receive_block(self, block: TickBlock, now_ns: int | None) -> Screened:
        """Judge a block in its order.

        Args:
            block: As it arrived; absent fields NaN, fields that were no number `NOT_A_NUMBER`.
            now_ns: The wall clock, or `None` in a replay: event time knows no future.
        """
        numbers = self._numbers_of(block.symbols)
        last = np.array([self._sequences.get(name, 0) for name in block.sources], dtype=np.int64)
        witnesses = [self._witnesses.get(name, 0) for name in block.sources]
        latest_ns = _NEVER if now_ns is None else now_ns + self._policy.future_skew_ns
        columns = (block.price, block.bid, block.ask, block.bid_size, block.ask_size)
        last_instants = self._last_instants(block, numbers)
        verdicts, missing, newest_ns = _judge(
            numbers[block.symbol],
            last_instants,
            block.event_ns,
            np.column_stack(columns),
            block.source,
            np.array(witnesses, dtype=np.int64),
            block.sequence,
            last,
            MAX_SOURCES - len(self._sequences),
            self._symbols,
            self._newest_ns,
            self._policy.late_limit_ns,
            latest_ns,
            self._lossless,
        )
        self._stale.update(numbers[numbers >= 0].tolist())
        self._newest_ns = int(newest_ns)
        self._sequences.update(
            {name: at for name, at in zip(block.sources, last.tolist(), strict=True) if at > 0}
        )
        accepted = verdicts == Verdict.ACCEPTED
        taken = block if accepted.all() else _rows(block, accepted)
        return Screened(
            _bids_at_zero(taken, numbers) if len(last_instants) else taken,
            verdicts,
            {name: int(count) for name, count in zip(block.sources, missing, strict=True) if count},
        )

    def receive_clock(self, event: ClockAdvanced) -> Verdict:
        """Judge a clock event of a replaying feed: numbered like a tick, never backwards."""
        if event.sequence is not None:
            last = self._sequences.get(event.source, 0)
            room = MAX_SOURCES - len(self._sequences)
            verdict = Verdict(_sequence_verdict(event.sequence, last, room, self._lossless))
            if verdict is not Verdict.ACCEPTED:
                return verdict
            self._sequences[event.source] = event.sequence
        if event.event_ns < self._newest_ns:
            return Verdict.LATE
        self._newest_ns = event.event_ns
        return Verdict.ACCEPTED

    def advance_to(self, now: int) -> None:
        """Let the wall clock raise the newest instant."""
        self._newest_ns = max(self._newest_ns, now)

    def _numbers_of(self, names: tuple[str, ...]) -> NDArray[np.int64]:
        """Row of each symbol, or what it is that has none."""
        numbers = np.array([self._numbers.get(name, _UNKNOWN) for name in names], dtype=np.int64)
        if self._policy.option_roots:
            for unknown in np.flatnonzero(numbers == _UNKNOWN).tolist():
                numbers[unknown] = self._option_number(names[unknown])
        return numbers

    def _option_number(self, name: str) -> int:
        if name not in self._options:
            return _UNKNOWN
        if not self._options.admit(name):
            return _TOO_MANY
        self._numbers[name] = _OPTION
        return _OPTION

    def _last_instants(self, block: TickBlock, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """By row, the last instant of a tick that is of an option; empty when there is none."""
        if not (numbers == _OPTION).any():
            return _NO_OPTIONS
        last_ns = [self._options.last_ns(name) for name in block.symbols]
        return np.array(last_ns, dtype=np.int64)[block.symbol]

    @property
    def sequences(self) -> dict[str, int]:
        """The last sequence number taken from each source."""
        return dict(self._sequences)

    def snapshot(self) -> IntakeState:
        """Copy the state."""
        for number in self._stale:  # of a thousand symbols a commit moves a few
            row = self._symbols[number][_REMEMBERED].item()
            self._known[self._names[number]] = SymbolState(*row)
        self._stale.clear()
        return IntakeState(dict(self._known), dict(self._sequences), self._newest_ns)

    @classmethod
    def resume(cls, policy: IntakePolicy, state: IntakeState, *, lossless: bool) -> "Intake":
        """Go on from a snapshot; symbols no longer in the policy are forgotten."""
        intake = cls(policy, lossless=lossless)
        for name, known in state.symbols.items():
            if name in intake._numbers:
                row = intake._symbols[intake._numbers[name]]
                row["level"], row["event_ns"] = known.level, known.event_ns
                row["candidate"], row["confirmed"] = known.candidate, known.confirmed
                row["candidate_ns"], row["witness"] = known.candidate_ns, known.witness
        intake._sequences = dict(state.sequences)
        intake._newest_ns = state.newest_ns
        return intake


_NEVER: Final = 2**63 - 1
_UNKNOWN: Final = -1
_OPTION: Final = -2
_TOO_MANY: Final = -3
_NO_OPTIONS: Final = np.empty(0, dtype=np.int64)


def _bids_at_zero(block: TickBlock, numbers: NDArray[np.int64]) -> TickBlock:
    """Write what nobody bids for as what it is: a quote whose bid is 0."""
    absent = (numbers[block.symbol] == _OPTION) & np.isnan(block.bid)
    return replace(block, bid=np.where(absent, 0.0, block.bid)) if absent.any() else block


def _rows(block: TickBlock, keep: NDArray[np.bool_]) -> TickBlock:
    """Take some rows of a block."""
    columns = {
        field.name: getattr(block, field.name)[keep]
        for field in fields(block)
        if field.name not in {"symbols", "sources"}
    }
    return replace(block, **columns)


_PRICE, _BID, _ASK = 0, 1, 2
_compiled = njit(cache=True)


@_compiled
def _sequence_verdict(number: int, last: int, room: int, lossless: bool) -> int:  # noqa: FBT001 - compiled
    """Judge a source's number; `last` is 0 for a source not heard before: they count from 1."""
    if number < 0:
        return Verdict.ACCEPTED
    if last == 0 and room == 0:
        return Verdict.TOO_MANY_SOURCES
    if number <= last:
        return Verdict.DUPLICATE
    if lossless and number > last + 1:
        return Verdict.HELD
    return Verdict.ACCEPTED


@_compiled
def _shape_verdict(fields: NDArray[np.float64], max_spread: float) -> int:
    has_quote = not (np.isnan(fields[_BID]) or np.isnan(fields[_ASK]))
    if (np.abs(fields) > LARGEST).any():
        return Verdict.NOT_A_NUMBER
    if np.isnan(fields[_PRICE]) and not has_quote:
        return Verdict.NO_PRICE
    if (fields[: _ASK + 1] <= 0).any() or (fields[_ASK + 1 :] < 0).any():
        return Verdict.NOT_POSITIVE
    if has_quote and fields[_BID] > fields[_ASK]:
        return Verdict.CROSSED
    if has_quote and fields[_ASK] - fields[_BID] > max_spread * (fields[_ASK] + fields[_BID]) / 2:
        return Verdict.WIDE_QUOTE
    return Verdict.ACCEPTED


@_compiled
def _quote_verdict(fields: NDArray[np.float64]) -> int:
    """Judge the shape of an option's tick: nobody may bid, but somebody must ask."""
    if (np.abs(fields) > LARGEST).any():
        return Verdict.NOT_A_NUMBER
    if np.isnan(fields[_ASK]):
        return Verdict.NO_PRICE
    if fields[_PRICE] <= 0 or fields[_ASK] <= 0 or (fields < 0).any():
        return Verdict.NOT_POSITIVE
    if fields[_BID] > fields[_ASK]:
        return Verdict.CROSSED
    return Verdict.ACCEPTED


@_compiled
def _option_verdict(  # noqa: PLR0913, PLR0917 - compiled: plain arguments
    event_ns: int,
    fields: NDArray[np.float64],
    last_ns: int,
    newest_ns: int,
    late_limit_ns: int,
    latest_ns: int,
) -> int:
    verdict = _quote_verdict(fields)
    if verdict != Verdict.ACCEPTED:
        return verdict
    if event_ns > latest_ns:
        return Verdict.FUTURE
    if event_ns < newest_ns - late_limit_ns:
        return Verdict.LATE
    return Verdict.EXPIRED if event_ns > last_ns else Verdict.ACCEPTED


@_compiled
def _jump_verdict(level: float, event_ns: int, witness: int, known: np.void) -> int:
    """Believe a jump only when enough consecutive prints agree with each other.

    Prints count when they are later than the one before: a bad print that is delivered again
    confirms nothing. An independent source that agrees with another is as good as all of them.
    """
    if known["level"] == 0 or abs(level - known["level"]) <= known["max_jump"] * known["level"]:
        known["confirmed"] = 0
        return Verdict.ACCEPTED
    agrees = known["confirmed"] > 0 and (
        abs(level - known["candidate"]) <= known["max_jump"] * known["candidate"]
    )
    if agrees and known["witness"] > 0 and witness > 0 and witness != known["witness"]:
        known["confirmed"] = 0
        return Verdict.ACCEPTED
    if known["confirmed"] > 0 and event_ns <= known["candidate_ns"]:
        return Verdict.JUMP
    known["confirmed"] = known["confirmed"] + 1 if agrees else 1
    known["candidate"], known["candidate_ns"] = level, event_ns
    known["witness"] = witness
    if known["confirmed"] < known["confirmations"]:
        return Verdict.JUMP
    known["confirmed"] = 0
    return Verdict.ACCEPTED


@_compiled
def _content_verdict(  # noqa: PLR0913, PLR0917 - compiled: plain arguments
    event_ns: int,
    fields: NDArray[np.float64],
    witness: int,
    known: np.void,
    newest_ns: int,
    late_limit_ns: int,
    latest_ns: int,
) -> int:
    verdict = _shape_verdict(fields, known["max_spread"])
    if verdict != Verdict.ACCEPTED:
        return verdict
    if event_ns > latest_ns:
        return Verdict.FUTURE
    if event_ns < known["event_ns"] or event_ns < newest_ns - late_limit_ns:
        return Verdict.LATE
    level = (fields[_BID] + fields[_ASK]) / 2 if np.isnan(fields[_PRICE]) else fields[_PRICE]
    verdict = _jump_verdict(level, event_ns, witness, known)
    if verdict == Verdict.ACCEPTED:
        known["level"] = level
        known["event_ns"] = event_ns
    return verdict


@_compiled
def _judge(  # noqa: PLR0913, PLR0917 - compiled: plain arguments
    symbol: NDArray[np.int64],
    last_ns: NDArray[np.int64],
    event_ns: NDArray[np.int64],
    fields: NDArray[np.float64],
    source: NDArray[np.int32],
    witnesses: NDArray[np.int64],
    sequence: NDArray[np.int64],
    last: NDArray[np.int64],
    room: int,
    symbols: NDArray[np.void],
    newest_ns: int,
    late_limit_ns: int,
    latest_ns: int,
    lossless: bool,  # noqa: FBT001 - compiled
) -> tuple[NDArray[np.uint8], NDArray[np.int64], int]:
    verdicts = np.zeros(len(symbol), dtype=np.uint8)
    missing = np.zeros(len(last), dtype=np.int64)
    for i in range(len(symbol)):
        verdict = _sequence_verdict(sequence[i], last[source[i]], room, lossless)
        if verdict == Verdict.ACCEPTED:
            if sequence[i] >= 0:
                if last[source[i]] == 0:
                    room -= 1
                else:
                    missing[source[i]] += sequence[i] - last[source[i]] - 1
                last[source[i]] = sequence[i]
            if symbol[i] == _UNKNOWN:
                verdict = Verdict.UNKNOWN_SYMBOL
            elif symbol[i] == _TOO_MANY:
                verdict = Verdict.TOO_MANY_SYMBOLS
            elif symbol[i] == _OPTION:
                verdict = _option_verdict(
                    event_ns[i], fields[i], last_ns[i], newest_ns, late_limit_ns, latest_ns
                )
            else:
                verdict = _content_verdict(
                    event_ns[i],
                    fields[i],
                    witnesses[source[i]],
                    symbols[symbol[i]],
                    newest_ns,
                    late_limit_ns,
                    latest_ns,
                )
        if verdict == Verdict.ACCEPTED:
            newest_ns = max(newest_ns, event_ns[i])
        verdicts[i] = verdict
    return verdicts, missing, newest_ns
