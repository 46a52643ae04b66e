"""A stage has the effect of taking each entry exactly once, whatever happens to it meanwhile."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import chain, repeat

import msgspec
import pytest
from fakes.eventually import eventually
from fakes.leases import lend
from fakes.servers import RedisServer
from fakes.store import FakeStore, Fault
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from shared.adapters.connections import RedisSettings
from shared.adapters.redis_store import RedisStore
from shared.adapters.store import (
    Commit,
    Entry,
    OutputMismatch,
    StageRecord,
    StoreHalted,
    StoreTrouble,
    StoreUnavailable,
    StoreUnsafe,
)
from shared.runtime.ledger import LeaseLost, StateUnreadable, StepOutput, StoreRegressed
from shared.runtime.stage import Committed, InputGap, StagePolicy, entries_behind, run_stage
from shared.wire import keys

STAGE = "signals"
INPUT = keys.journal()
LOG = keys.signal_log()
OUTBOX = keys.outbox(STAGE)
READABLE = keys.signals()


class Tally:
    """A step whose every output depends on every input before it."""

    def __init__(self, record: StageRecord) -> None:
        self.total = int(record.state or b"1")

    def receive(self, entries: Sequence[Entry]) -> StepOutput:
        log, rows = [], []
        for entry in entries:
            self.total = (31 * self.total + int(entry.payload)) % 1_000_003
            log += [b"%d" % self.total] * (self.total % 3)
            rows += [b"row %d" % self.total] * (self.total % 5 == 0)
        return StepOutput({LOG: log, OUTBOX: rows}, {READABLE: {"total": str(self.total)}})

    def snapshot(self) -> bytes:
        return b"%d" % self.total


class Seldom(Tally):
    """A tally that sets nothing for people, and so often says nothing."""

    def receive(self, entries: Sequence[Entry]) -> StepOutput:
        return StepOutput(super().receive(entries).entries)


class Journal(FakeStore):
    """An input that sets `stop` at its end, and gives as many entries at a time as it is told."""

    def __init__(
        self,
        payloads: Sequence[bytes],
        stop: asyncio.Event,
        *,
        sizes: Iterator[int] = repeat(500),  # noqa: B008 - never ends, so it has no state
        faults: Sequence[Fault | None] = (),
    ) -> None:
        super().__init__(faults)
        for payload in payloads:
            self.append(INPUT, payload)
        self._stop = stop
        self._sizes = sizes

    async def read(
        self, after: Mapping[str, int], *, count: int, block_ms: int | None = None
    ) -> list[Entry]:
        del block_ms
        found = await super().read(after, count=min(count, next(self._sizes)))
        if not found:
            self._stop.set()
        return found


class Crash(BaseException):
    """The process dies here."""


async def at_once(_: float) -> None:
    """Wait for nothing."""


run = partial(run_stage, stage=STAGE, inputs=[INPUT], make_step=Tally, pause=at_once)


async def run_until_done(
    store: FakeStore,
    journal: Journal,
    stop: asyncio.Event,
    policy: StagePolicy,
    make_step: type[Tally] = Tally,
) -> None:
    """Run the stage, as a supervisor would: anew whenever it dies, until all is in its state.

    A stop that meets trouble may leave the last state unstored: it is replayed by the next start.
    """
    while store.records[STAGE].cursors.get(INPUT, 0) < journal.last[INPUT]:
        with contextlib.suppress(Crash, asyncio.CancelledError):
            await run(store, stop=stop, source=journal, policy=policy, make_step=make_step)
        stop.clear()


def assert_as_if_undisturbed(
    store: FakeStore, payloads: Sequence[bytes], make_step: type[Tally] = Tally
) -> None:
    step = make_step(StageRecord())
    entries = [Entry(INPUT, index, payload) for index, payload in enumerate(payloads, 1)]
    undisturbed = step.receive(entries)
    for stream, expected in undisturbed.entries.items():
        assert store.streams[stream] == dict(enumerate(expected, 1))
    assert_state_after(store, payloads)
    if payloads:
        assert store.hashes == undisturbed.readable


def assert_state_after(store: FakeStore, payloads: Sequence[bytes]) -> None:
    step = Tally(StageRecord())
    step.receive([Entry(INPUT, index, payload) for index, payload in enumerate(payloads, 1)])
    record = store.records[STAGE]
    assert record.cursors.get(INPUT, 0) == len(payloads)
    assert record.state == (step.snapshot() if payloads else None)


PAYLOADS = st.lists(st.integers(0, 99).map(lambda number: b"%d" % number), max_size=25)
SIZES = st.lists(st.integers(1, 6), max_size=25).map(lambda sizes: chain(sizes, repeat(4)))
ERRORS = st.sampled_from(
    [StoreUnavailable("lost"), StoreUnsafe("OOM"), Crash(), asyncio.CancelledError()]
)
FAULTS = st.lists(st.none() | st.builds(Fault, ERRORS, st.booleans()), max_size=40)
POLICIES = st.builds(
    StagePolicy,
    silent_entries=st.integers(0, 9),
    snapshot_every=st.none() | st.integers(1, 9),
)


@settings(deadline=None)
@given(payloads=PAYLOADS, sizes=SIZES, policy=POLICIES)
def test_any_split_of_the_input_gives_the_same_outputs(
    payloads: list[bytes], sizes: Iterator[int], policy: StagePolicy
) -> None:
    store, stop = FakeStore(), asyncio.Event()
    journal = Journal(payloads, stop, sizes=sizes)
    asyncio.run(run_until_done(store, journal, stop, policy))
    assert_as_if_undisturbed(store, payloads)


@settings(deadline=None)
@given(payloads=PAYLOADS, sizes=SIZES, policy=POLICIES, faults=FAULTS, source_faults=FAULTS)
def test_a_crash_at_any_await_changes_no_output(
    payloads: list[bytes],
    sizes: Iterator[int],
    policy: StagePolicy,
    faults: list[Fault | None],
    source_faults: list[Fault | None],
) -> None:
    store, stop = FakeStore(faults), asyncio.Event()
    journal = Journal(payloads, stop, sizes=sizes, faults=source_faults)
    asyncio.run(run_until_done(store, journal, stop, policy))
    assert_as_if_undisturbed(store, payloads)


@settings(deadline=None)
@given(payloads=PAYLOADS, sizes=SIZES, faults=FAULTS, silent=st.integers(1, 9))
def test_silent_batches_taken_again_after_a_crash_change_no_output(
    payloads: list[bytes], sizes: Iterator[int], faults: list[Fault | None], silent: int
) -> None:
    store, stop = FakeStore(faults), asyncio.Event()
    journal = Journal(payloads, stop, sizes=sizes)
    policy = StagePolicy(silent_entries=silent)
    asyncio.run(run_until_done(store, journal, stop, policy, make_step=Seldom))
    assert_as_if_undisturbed(store, payloads, Seldom)


def numbers(count: int) -> list[bytes]:
    return [b"%d" % number for number in range(count)]


async def test_the_newest_starter_wins_and_the_older_ends_with_a_message() -> None:
    store, stop = FakeStore(), asyncio.Event()
    journal = Journal(numbers(3), stop, sizes=repeat(1))

    async def another_starts(_: Committed) -> None:
        await store.take_lease(STAGE)

    with pytest.raises(LeaseLost, match=r"another process .*2, ours 1"):
        await run(store, stop=stop, source=journal, after_commit=another_starts)
    assert store.records[STAGE].batch == 1


async def test_a_lease_lost_while_the_store_was_away_is_noticed_on_return() -> None:
    class Stolen(FakeStore):
        async def commit(self, commit: Commit) -> None:
            self.records[STAGE] = replace(self.records[STAGE], epoch=9)
            raise StoreUnavailable(f"at {commit.batch}")

    stop = asyncio.Event()
    with pytest.raises(LeaseLost):
        await run(
            Stolen(),
            stop=stop,
            source=Journal(numbers(1), stop),
        )


@pytest.mark.parametrize("older", [StageRecord(), StageRecord(epoch=1)])
async def test_a_store_that_forgot_a_confirmed_commit_ends_the_stage(older: StageRecord) -> None:
    store, stop = FakeStore(), asyncio.Event()
    journal = Journal(numbers(3), stop, sizes=repeat(1))

    async def lose_data(_: Committed) -> None:
        store.records[STAGE] = older
        store.faults = iter([Fault(StoreUnavailable("restarted"), applied=False)])

    with pytest.raises(StoreRegressed, match="lost data"):
        await run(
            store,
            stop=stop,
            source=journal,
            after_commit=lose_data,
        )


async def test_an_epoch_that_ran_backwards_ends_the_stage() -> None:
    store, stop = FakeStore(), asyncio.Event()
    journal = Journal(numbers(3), stop, sizes=repeat(1))

    async def fail_over(_: Committed) -> None:
        store.records[STAGE] = replace(store.records[STAGE], epoch=0)

    with pytest.raises(StoreRegressed, match="epoch 0, we hold 1"):
        await run(store, stop=stop, source=journal, after_commit=fail_over)


async def test_a_missing_entry_is_an_alarm_and_never_passed_over() -> None:
    store, stop = FakeStore(), asyncio.Event()
    journal = Journal(numbers(5), stop)
    del journal.streams[INPUT][3]
    with pytest.raises(InputGap, match="lacks entries 3 to 3"):
        await run(store, stop=stop, source=journal)
    assert store.records[STAGE].cursors[INPUT] <= 2


@pytest.mark.parametrize("before", [3, 99])
async def test_input_trimmed_before_it_was_read_is_an_alarm(before: int) -> None:
    store, stop = FakeStore(), asyncio.Event()
    journal = Journal(numbers(5), stop)
    await journal.trim(INPUT, before)
    with pytest.raises(InputGap, match=f"lacks entries 1 to {min(before, 6) - 1}"):
        await run(store, stop=stop, source=journal)


async def test_input_that_vanishes_while_the_stage_waits_is_an_alarm() -> None:
    source = FakeStore()
    source.append(INPUT, b"1")

    async def lose(_: Committed) -> None:
        source.last[INPUT] = 8

    with pytest.raises(InputGap, match="lacks entries 2 to 8"):
        await run(
            FakeStore(),
            stop=asyncio.Event(),
            source=source,
            after_commit=lose,
            policy=StagePolicy(block_ms=1),
        )


async def test_input_that_ends_before_the_cursor_is_an_alarm() -> None:
    store, stop = FakeStore(), asyncio.Event()
    await run_until_done(store, Journal(numbers(5), stop), stop, StagePolicy())
    with pytest.raises(InputGap, match="ends at 4, entry 5 was already taken"):
        await run(store, stop=stop, source=Journal(numbers(4), stop))


async def test_input_that_was_lost_and_written_otherwise_is_an_alarm() -> None:
    store, stop = FakeStore(), asyncio.Event()
    await run(store, stop=stop, source=Journal(numbers(5), stop))
    stop.clear()
    rewritten = [*numbers(4), b"77", b"78", b"79"]
    with pytest.raises(InputGap, match=r"entry 5 of .* is not the one that was taken"):
        await run(store, stop=stop, source=Journal(rewritten, stop))
    assert store.records[STAGE].cursors == {INPUT: 5}


async def test_a_last_entry_trimmed_since_is_no_alarm() -> None:
    store, stop = FakeStore(), asyncio.Event()
    journal = Journal(numbers(5), stop)
    await run(store, stop=stop, source=journal)
    await journal.trim(INPUT, 6)
    journal.append(INPUT, b"5")
    stop.clear()
    await run(store, stop=stop, source=journal)
    assert_as_if_undisturbed(store, numbers(6))


async def test_a_late_commit_of_a_dead_connection_is_found_out_and_not_doubled() -> None:
    class Late(FakeStore):
        late: Commit | None = None
        delivered = False

        async def load(self, stage: str) -> StageRecord:
            record = await super().load(stage)
            if self.late is not None:
                late, self.late = self.late, None
                await super().commit(late)
            return record

        async def commit(self, commit: Commit) -> None:
            if commit.batch == 2 and not self.delivered:
                self.delivered, self.late = True, commit
                raise StoreUnavailable("timed out")
            await super().commit(commit)

    store, stop = Late(), asyncio.Event()
    troubles: list[StoreTrouble] = []
    await run(
        store,
        stop=stop,
        on_trouble=troubles.append,
        source=Journal(numbers(9), stop, sizes=chain([1, 3, 3, 1], repeat(2))),
    )
    assert [type(trouble).__name__ for trouble in troubles] == [
        "StoreUnavailable",
        "BatchMismatch",
    ]
    assert_as_if_undisturbed(store, numbers(9))


async def test_an_output_stream_that_somebody_else_wrote_ends_the_stage() -> None:
    store, stop = FakeStore(), asyncio.Event()
    store.append(LOG, b"by hand")
    with pytest.raises(OutputMismatch):
        await run_until_done(store, Journal(numbers(3), stop), stop, StagePolicy())


async def test_between_snapshots_a_batch_that_says_nothing_is_not_committed() -> None:
    class Silent(Tally):
        def receive(self, entries: Sequence[Entry]) -> StepOutput:
            super().receive(entries)
            return StepOutput()

    store, stop = FakeStore(), asyncio.Event()
    await run(
        store,
        make_step=Silent,
        stop=stop,
        source=Journal(numbers(10), stop, sizes=repeat(1)),
        policy=StagePolicy(snapshot_every=4),
    )
    assert store.records[STAGE].batch == 3  # after 4, after 8, and on draining
    assert store.records[STAGE].cursors == {INPUT: 10}


class Terse(Tally):
    """Says other things than a tally, and fewer."""

    def receive(self, entries: Sequence[Entry]) -> StepOutput:
        super().receive(entries)
        return StepOutput(
            {LOG: [b"terse %d" % entry.index for entry in entries if entry.index % 2]}
        )


async def crash(committed: Committed) -> None:
    if committed.cursors[INPUT] == 5:
        raise Crash


@pytest.mark.parametrize("size", [1, 3, 500])
async def test_what_was_answered_before_a_crash_stays_and_the_rest_follows_a_new_configuration(
    size: int,
) -> None:
    store, stop = FakeStore(), asyncio.Event()
    policy = StagePolicy(snapshot_every=100)
    with pytest.raises(Crash):
        await run(
            store, stop=stop, source=Journal(numbers(5), stop), policy=policy, after_commit=crash
        )
    answered = list(store.streams[LOG].values())
    assert store.records[STAGE].state is None
    journal = Journal(numbers(9), stop, sizes=repeat(size))
    await run(store, stop=stop, source=journal, policy=policy, make_step=Terse)
    assert list(store.streams[LOG].values()) == [*answered, b"terse 7", b"terse 9"]
    assert_state_after(store, numbers(9))


async def test_a_state_behind_its_outputs_is_never_stored() -> None:
    store, stop = FakeStore(), asyncio.Event()
    with pytest.raises(Crash):
        await run(
            store,
            stop=stop,
            source=Journal(numbers(5), stop),
            policy=StagePolicy(snapshot_every=100),
            after_commit=crash,
        )

    async def stop_at_once(_: Committed) -> None:
        stop.set()

    policy = StagePolicy(snapshot_every=2)
    journal = Journal(numbers(5), stop, sizes=repeat(3))
    await run(store, stop=stop, source=journal, policy=policy, after_commit=stop_at_once)
    assert store.records[STAGE].state is None
    stop.clear()
    await run(store, stop=stop, source=journal, policy=policy)
    assert_as_if_undisturbed(store, numbers(5))


async def test_state_is_committed_with_what_is_said_and_with_enough_silence() -> None:
    class Aloud(Tally):
        def receive(self, entries: Sequence[Entry]) -> StepOutput:
            super().receive(entries)
            return StepOutput({LOG: [entry.payload for entry in entries if entry.index == 6]})

    store, stop = FakeStore(), asyncio.Event()
    cursors: list[int] = []

    async def note(_: Committed) -> None:
        cursors.append(store.records[STAGE].cursors.get(INPUT, 0))

    await run(
        store,
        make_step=Aloud,
        stop=stop,
        source=Journal(numbers(11), stop, sizes=repeat(1)),
        policy=StagePolicy(silent_entries=4),
        after_commit=note,
    )
    assert cursors == [0, 0, 0, 4, 4, 6, 6, 6, 6, 10, 10]
    assert store.records[STAGE].cursors == {INPUT: 11}


async def test_silence_is_committed_when_no_more_comes_so_that_a_lost_lease_is_noticed() -> None:
    class Silent(Tally):
        def receive(self, entries: Sequence[Entry]) -> StepOutput:
            super().receive(entries)
            return StepOutput()

    store = FakeStore()

    async def be_superseded() -> None:
        async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
            policy = StagePolicy(silent_entries=100, block_ms=10)
            tasks.create_task(run(store, make_step=Silent, stop=asyncio.Event(), policy=policy))
            store.append(INPUT, b"1")
            await eventually(lambda: store.records[STAGE].cursors == {INPUT: 1})
            await store.take_lease(STAGE)
            store.append(INPUT, b"2")

    with pytest.raises(ExceptionGroup) as ended:
        await be_superseded()
    assert ended.group_contains(LeaseLost, match="another process")


@pytest.mark.parametrize("policy", [StagePolicy(snapshot_every=5), StagePolicy(silent_entries=5)])
async def test_a_stage_that_replays_reads_one_stream(policy: StagePolicy) -> None:
    with pytest.raises(ValueError, match="reads one stream"):
        await run(FakeStore(), inputs=[INPUT, LOG], stop=asyncio.Event(), policy=policy)


async def test_a_state_that_another_version_wrote_ends_the_stage_with_what_to_do() -> None:
    stop = asyncio.Event()

    def make_step(_: StageRecord) -> Tally:
        return msgspec.msgpack.decode(b"\x01", type=dict[str, int])  # type: ignore[return-value]

    with pytest.raises(StateUnreadable, match=r"another version .* start all stages over"):
        await run_stage(
            FakeStore(), STAGE, [INPUT], make_step, stop=stop, source=Journal([b"1"], stop)
        )


async def test_every_batch_is_told() -> None:
    told: list[Committed] = []

    async def tell(committed: Committed) -> None:
        told.append(committed)

    stop = asyncio.Event()
    await run(
        FakeStore(),
        stop=stop,
        after_commit=tell,
        source=Journal(numbers(5), stop),
    )
    assert [(one.received, one.cursors) for one in told] == [
        (1, {INPUT: 1}),
        (2, {INPUT: 3}),
        (2, {INPUT: 5}),
    ]


async def test_a_stage_that_nobody_waits_for_rests_when_it_has_taken_all_there_was() -> None:
    happened: list[float] = []

    async def tell(committed: Committed) -> None:
        happened.append(committed.received)

    async def rest(seconds: float) -> None:
        happened.append(seconds)

    stop = asyncio.Event()
    journal = Journal(numbers(8), stop)
    policy = StagePolicy(rest_s=0.25)
    await run(FakeStore(), stop=stop, source=journal, policy=policy, after_commit=tell, pause=rest)
    assert happened == [1, 2, 4, 1, 0.25]


async def test_what_is_about_to_be_committed_is_told_before_it_is() -> None:
    stop, store = asyncio.Event(), FakeStore()
    journal = Journal([b"5", b"7"], stop, sizes=repeat(1))
    told = []

    def about_to(output: StepOutput) -> None:
        told.append((output, store.last[LOG]))

    await run(store, stop=stop, source=journal, before_commit=about_to)
    step, reached = Tally(StageRecord()), 0
    for payload, (output, before) in zip((b"5", b"7"), told, strict=True):
        assert output == step.receive([Entry(INPUT, 1, payload)])
        assert before == reached
        reached += len(output.entries[LOG])
    assert reached == store.last[LOG]


async def test_a_stop_while_waiting_ends_the_stage() -> None:
    store, stop = FakeStore(), asyncio.Event()
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        tasks.create_task(run(store, stop=stop, policy=StagePolicy(block_ms=10)))
        store.append(INPUT, b"1")
        await eventually(lambda: store.records[STAGE].batch == 1)
        stop.set()


async def test_while_the_halt_key_is_set_it_tries_ever_less_often_and_then_goes_on() -> None:
    store, stop = FakeStore(), asyncio.Event()
    journal = Journal(numbers(40), stop, sizes=repeat(1))
    store.halted.add(STAGE)
    troubles: list[StoreTrouble] = []
    pauses: list[float] = []

    async def wait(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 8:
            store.halted.clear()

    await run_stage(
        store,
        STAGE,
        [INPUT],
        Tally,
        stop=stop,
        source=journal,
        on_trouble=troubles.append,
        pause=wait,
    )
    assert {type(trouble) for trouble in troubles} == {StoreHalted}
    assert (pauses[0] <= 0.05, pauses[-1] >= 0.5) == (True, True)
    assert_as_if_undisturbed(store, numbers(40))


async def test_under_a_lease_a_store_that_does_not_write_ends_the_run() -> None:
    store, stop = FakeStore(), asyncio.Event()
    epoch = lend(store, STAGE)
    troubles: list[StoreTrouble] = []
    store.faults = iter([None, Fault(StoreUnsafe("READONLY"), applied=False)])
    with pytest.raises(StoreUnsafe):
        await run(
            store,
            stop=stop,
            epoch=epoch,
            source=Journal(numbers(3), stop),
            on_trouble=troubles.append,
        )
    assert [str(trouble) for trouble in troubles] == ["READONLY"]
    await run(store, stop=stop, epoch=lend(store, STAGE), source=Journal(numbers(3), stop))
    assert_as_if_undisturbed(store, numbers(3))


async def test_how_far_behind_is_the_end_less_the_cursor() -> None:
    store = FakeStore()
    for payload in numbers(7):
        store.append(INPUT, payload)
    assert await entries_behind(store, {INPUT: 3, LOG: 0}) == {INPUT: 4, LOG: 0}


@pytest.mark.server
async def test_a_store_killed_again_and_again_changes_no_output(redis_server: RedisServer) -> None:
    redis_server.stop()
    redis_server.appendfsync = "always"
    redis_server.start()
    payloads = numbers(400)
    settings = RedisSettings(url=redis_server.url, operation_timeout_s=1.0)
    stop = asyncio.Event()
    source, mirror = FakeStore(), FakeStore()
    for payload in payloads:
        source.append(INPUT, payload)
    troubles: list[StoreTrouble] = []
    reached = 0

    async def follow(committed: Committed) -> None:
        nonlocal reached
        reached = committed.cursors[INPUT]

    async with RedisStore(settings) as store, asyncio.TaskGroup() as tasks:
        tasks.create_task(
            run(
                store,
                stop=stop,
                source=source,
                policy=StagePolicy(max_entries=3, block_ms=20, snapshot_every=7),
                on_trouble=troubles.append,
                after_commit=follow,
            )
        )
        for goal in range(25, 400, 25):
            await eventually(lambda goal=goal: reached >= goal)  # type: ignore[misc]
            redis_server.kill()
            redis_server.start()
        await eventually(lambda: reached == len(payloads))
        stop.set()
    async with RedisStore(settings) as store:
        mirror.records[STAGE] = await store.load(STAGE)
        for stream in (LOG, OUTBOX):
            for entry in await store.read({stream: 0}, count=10_000):
                mirror.append(stream, entry.payload)
    mirror.hashes[READABLE] = {"total": (mirror.records[STAGE].state or b"").decode()}
    assert_as_if_undisturbed(mirror, payloads)
    assert troubles


@pytest.mark.parametrize(("an_entry_takes_s", "most"), [(0.0, 200), (0.01, 4), (0.2, 1)])
async def test_a_batch_is_never_so_long_that_the_lease_runs_out_meanwhile(
    monkeypatch: pytest.MonkeyPatch, an_entry_takes_s: float, most: int
) -> None:
    loop, late = asyncio.get_running_loop(), 0.0
    time = loop.time
    monkeypatch.setattr(loop, "time", lambda: time() + late)
    lengths = []

    class Slow(Tally):
        def receive(self, entries: Sequence[Entry]) -> StepOutput:
            nonlocal late
            lengths.append(len(entries))
            late += an_entry_takes_s * len(entries)
            return super().receive(entries)

    stop = asyncio.Event()
    journal = Journal([b"%d" % number for number in range(1_000)], stop)
    policy = StagePolicy(max_entries=200)
    await run(FakeStore(), source=journal, make_step=Slow, stop=stop, policy=policy)
    assert sum(lengths) == 1_000
    assert lengths[0] == 1  # of what nobody has taken yet nobody knows how long it takes
    assert max(lengths) == most


async def test_while_a_step_is_taken_in_a_thread_the_loop_is_free() -> None:
    loop = asyncio.get_running_loop()

    def loop_turns() -> None:
        turned = threading.Event()
        loop.call_soon_threadsafe(turned.set)
        assert turned.wait(2.0)

    class Long(Tally):
        def receive(self, entries: Sequence[Entry]) -> StepOutput:
            loop_turns()
            return super().receive(entries)

        def snapshot(self) -> bytes:
            loop_turns()
            return super().snapshot()

    payloads, stop = numbers(20), asyncio.Event()
    store, journal = FakeStore(), Journal(payloads, stop)
    policy = StagePolicy(max_entries=7, snapshot_every=10, in_thread=True)
    await run(store, source=journal, make_step=Long, stop=stop, policy=policy)
    assert_as_if_undisturbed(store, payloads)
