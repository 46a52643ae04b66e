"""What the real store does when its server, its disk or the wire fails."""

import asyncio
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fakes.eventually import eventually
from fakes.proxy import proxy_before
from fakes.servers import RedisServer
from msgspec.structs import replace
from redis import Redis
from redis.exceptions import ResponseError

from shared.adapters.connections import RedisSettings
from shared.adapters.redis_store import RedisStore
from shared.adapters.store import (
    BatchMismatch,
    Commit,
    Extent,
    StageRecord,
    StoreUnavailable,
    StoreUnsafe,
)
from shared.wire import keys

STAGE = "hedger"
OUTBOX = keys.outbox(STAGE)
COMMIT = Commit(
    stage=STAGE, epoch=1, batch=1, state=b"1", emitted={OUTBOX: 1}, entries={OUTBOX: [b"order 1"]}
)
READABLE = {keys.signals(STAGE): {"vix": "1"}}

pytestmark = pytest.mark.server


def settings(url: str) -> RedisSettings:
    return RedisSettings(url=url, operation_timeout_s=0.5, connect_timeout_s=0.5)


def nth(batch: int) -> Commit:
    row = b"order %d" % batch
    return replace(
        COMMIT, batch=batch, state=b"%d" % batch, emitted={OUTBOX: batch}, entries={OUTBOX: [row]}
    )


@pytest.fixture
async def store(redis_server: RedisServer) -> AsyncIterator[RedisStore]:
    async with RedisStore(settings(redis_server.url)) as store:
        await store.take_lease(STAGE)
        yield store


@pytest.fixture
def raw(redis_server: RedisServer) -> Redis:
    return Redis(port=redis_server.port, single_connection_client=True)


async def test_a_commit_whose_reply_was_lost_is_made_once(redis_server: RedisServer) -> None:
    async with (
        proxy_before(redis_server.port) as proxy,
        RedisStore(settings(f"redis://127.0.0.1:{proxy.port}")) as store,
    ):
        await store.take_lease(STAGE)
        await store.commit(COMMIT)
        proxy.lose_replies = True
        with pytest.raises(StoreUnavailable):
            await store.commit(nth(2))
        assert proxy.lost == 1
        proxy.lose_replies = False
        assert (await store.load(STAGE)).batch == 2
        await store.commit(nth(2))
        assert await store.extent(OUTBOX) == Extent(1, 2)


async def test_a_commit_that_was_cancelled_can_be_made_again(store: RedisStore) -> None:
    for batch in range(1, 31):
        async with asyncio.TaskGroup() as tasks:
            commit = tasks.create_task(store.commit(nth(batch)))
            for _ in range(batch % 10):
                await asyncio.sleep(0)
            commit.cancel()
        await store.commit(nth(batch))
    assert [entry.payload for entry in await store.read({OUTBOX: 0}, count=100)] == [
        b"order %d" % batch for batch in range(1, 31)
    ]


async def test_a_server_that_forgot_its_scripts_is_taught_them_again(
    store: RedisStore, raw: Redis
) -> None:
    await store.commit(COMMIT)
    raw.script_flush()
    await store.commit(nth(2))
    raw.script_flush()
    assert await store.take_lease(STAGE) == 2


async def test_a_restarted_server_is_found_again_without_an_error(
    store: RedisStore, redis_server: RedisServer
) -> None:
    await store.commit(COMMIT)
    redis_server.stop()
    redis_server.start()
    async with RedisStore(settings(redis_server.url)) as another:  # our loop sees the end meanwhile
        await another.load(STAGE)
    await store.commit(nth(2))
    assert await store.extent(OUTBOX) == Extent(1, 2)


async def test_an_absent_server_is_unavailable_and_then_found(
    store: RedisStore, redis_server: RedisServer
) -> None:
    redis_server.stop()
    with pytest.raises(StoreUnavailable, match=str(redis_server.port)):
        await store.load(STAGE)
    redis_server.start()
    assert (await store.load(STAGE)).epoch == 1


async def test_a_server_killed_amid_a_waiting_read_is_unavailable(
    store: RedisStore, redis_server: RedisServer, raw: Redis
) -> None:
    with pytest.raises(ExceptionGroup) as group:  # noqa: PT012 - the kill belongs to it
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(store.read({OUTBOX: 0}, count=1, block_ms=400))
            await eventually(lambda: raw.info("clients")["blocked_clients"] == 1)
            redis_server.kill()
    assert group.group_contains(StoreUnavailable)


async def test_a_frozen_server_is_unavailable_within_the_timeout(
    store: RedisStore, redis_server: RedisServer
) -> None:
    process = redis_server._process  # noqa: SLF001 - to freeze it
    assert process is not None
    process.send_signal(signal.SIGSTOP)
    try:
        async with asyncio.timeout(2):
            with pytest.raises(StoreUnavailable):
                await store.commit(COMMIT)
    finally:
        process.send_signal(signal.SIGCONT)
    # The commit may be applied now, late, or never; either way the record tells, and a commit of
    # another batch split under the same number is refused in the first case, not made on top.
    await asyncio.sleep(0)
    record = await store.load(STAGE)
    if record.batch == 1:
        with pytest.raises(BatchMismatch):
            await store.commit(replace(COMMIT, state=b"split otherwise"))
    await store.commit(nth(record.batch + 1))


async def is_acknowledged(store: RedisStore, batch: int) -> bool:
    try:
        await store.commit(nth(batch))
    except StoreUnavailable:
        return False
    return True


async def test_nothing_acknowledged_is_lost_by_kill_9_with_fsync_always(tmp_path: Path) -> None:
    server = RedisServer(tmp_path / "orders", appendfsync="always")
    with server:
        async with RedisStore(settings(server.url)) as store:
            await store.take_lease(STAGE)
            acknowledged = 0
            for _ in range(5):
                for _ in range(40):
                    await store.commit(nth(acknowledged + 1))
                    acknowledged += 1
                async with asyncio.TaskGroup() as tasks:
                    last = tasks.create_task(is_acknowledged(store, acknowledged + 1))
                    await asyncio.sleep(0)
                    server.kill()  # amid the commit, or just after its answer
                acknowledged += last.result()
                server.start()
                record = await store.load(STAGE)
                assert record.batch in (acknowledged, acknowledged + 1)
                assert record.state == b"%d" % record.batch
                assert await store.extent(OUTBOX) == Extent(1, record.batch)
                acknowledged = record.batch


async def test_out_of_memory_is_unsafe_and_refuses_the_whole_commit(
    store: RedisStore, raw: Redis
) -> None:
    await store.commit(COMMIT)
    raw.set("ballast", b"x" * 3_000_000)
    raw.config_set("maxmemory-policy", "noeviction")
    raw.config_set("maxmemory", "3mb")
    before = await store.load(STAGE)
    with pytest.raises(StoreUnsafe, match="maxmemory"):
        await store.commit(replace(nth(2), readable=READABLE))
    assert await store.load(STAGE) == before
    assert await store.extent(OUTBOX) == Extent(1, 1)
    raw.config_set("maxmemory", 0)
    await store.commit(nth(2))


async def test_a_demoted_server_is_unsafe_and_its_connections_are_dropped(
    store: RedisStore, raw: Redis
) -> None:
    await store.commit(COMMIT)
    raw.config_set("replica-serve-stale-data", "yes")
    raw.slaveof("127.0.0.1", 1)
    with pytest.raises(StoreUnsafe, match="read only"):
        await store.commit(nth(2))
    with pytest.raises(StoreUnsafe):
        await store.take_lease(STAGE)
    assert len(raw.client_list()) == 1
    raw.slaveof()
    await store.commit(nth(2))


async def test_too_few_replicas_is_unsafe(store: RedisStore, raw: Redis) -> None:
    await store.commit(COMMIT)
    raw.config_set("min-replicas-to-write", 1)
    with pytest.raises(StoreUnsafe, match="NOREPLICAS"):
        await store.commit(nth(2))
    assert await store.extent(OUTBOX) == Extent(1, 1)


async def test_a_disk_that_fails_is_unsafe(
    store: RedisStore, redis_server: RedisServer, raw: Redis
) -> None:
    await store.commit(COMMIT)
    raw.config_set("save", "3600 100000")
    shutil.rmtree(redis_server.directory)
    raw.bgsave()
    await eventually(lambda: raw.info("persistence")["rdb_last_bgsave_status"] == "err")
    with pytest.raises(StoreUnsafe, match="MISCONF"):
        await store.commit(nth(2))
    assert await store.extent(OUTBOX) == Extent(1, 1)
    raw.config_set("save", "")  # else it refuses to stop


async def test_a_user_without_the_right_is_unsafe(store: RedisStore, raw: Redis) -> None:
    raw.acl_setuser("default", commands=["-eval", "-evalsha"], enabled=True)
    with pytest.raises(StoreUnsafe, match="permission"):
        await store.commit(COMMIT)


@pytest.mark.parametrize(
    "answer",
    [
        "LOADING Redis is loading the dataset in memory",
        "MASTERDOWN Link with MASTER is down",
        "CLUSTERDOWN The cluster is down",
        "TRYAGAIN Multiple keys request during rehashing of slot",
        "BUSY Redis is busy running a script",
        "ERR max number of clients reached",
    ],
)
async def test_a_server_that_will_answer_later_is_unavailable(answer: str) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while request := await reader.read(65536):
            for _ in range(request.count(b"CLIENT\r\n")):
                writer.write(b"+OK\r\n")
            if b"HGETALL" in request:
                writer.write(b"-%s\r\n" % answer.encode())
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listener:
        port = listener.sockets[0].getsockname()[1]
        async with RedisStore(settings(f"redis://127.0.0.1:{port}")) as store:
            with pytest.raises(StoreUnavailable):
                await store.load(STAGE)


async def test_a_key_of_the_wrong_kind_refuses_the_whole_commit(
    store: RedisStore, raw: Redis
) -> None:
    raw.set(keys.signals(STAGE), "not a hash")
    with pytest.raises(ResponseError, match="WRONGTYPE"):
        await store.commit(replace(COMMIT, readable=READABLE))
    assert await store.load(STAGE) == StageRecord(epoch=1)
    assert await store.extent(OUTBOX) == Extent(1, 0)


async def test_a_password_is_read_anew_and_never_shown(
    redis_server: RedisServer, raw: Redis, tmp_path: Path
) -> None:
    password = tmp_path / "password"
    password.write_text("wrong\n")
    raw.config_set("requirepass", "secret")
    with_file = replace(settings(redis_server.url), password_file=str(password))
    async with RedisStore(with_file) as store:
        with pytest.raises(StoreUnsafe) as refused:
            await store.load(STAGE)
        assert "secret" not in str(refused.value)
        password.write_text("secret\n")
        assert await store.take_lease(STAGE) == 1
    async with RedisStore(settings(f"redis://:secret@127.0.0.1:{redis_server.port}")) as store:
        assert (await store.load(STAGE)).epoch == 1


def _certificate(directory: Path) -> tuple[Path, Path]:
    certificate, key = directory / "certificate.pem", directory / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    return certificate, key


async def test_tls_checks_the_certificate(tmp_path: Path) -> None:
    certificate, key = _certificate(tmp_path)
    server = RedisServer(tmp_path / "secure")
    tls_port = server.port + 1 if server.port < 65535 else server.port - 1
    server.options = (
        *("--tls-port", str(tls_port), "--tls-auth-clients", "no"),
        *("--tls-cert-file", str(certificate), "--tls-key-file", str(key)),
    )
    with server:
        secure = settings(f"rediss://127.0.0.1:{tls_port}")
        async with RedisStore(replace(secure, ca_file=str(certificate))) as store:
            assert await store.take_lease(STAGE) == 1
        async with RedisStore(secure) as store:
            with pytest.raises(StoreUnavailable, match="certificate"):
                await store.load(STAGE)


async def test_only_fsync_always_at_all_times_keeps_what_it_confirms(
    store: RedisStore, raw: Redis
) -> None:
    assert await store.durability() == "everysec"
    raw.config_set("appendfsync", "always")
    assert await store.durability() == "always"
    raw.config_set("no-appendfsync-on-rewrite", "yes")
    assert await store.durability() == "everysec"
    raw.config_set("appendfsync", "no")
    assert await store.durability() == "never"
    raw.config_set("appendonly", "no")
    raw.config_set("appendfsync", "always")
    assert await store.durability() == "never"


async def test_a_store_that_may_not_be_asked_says_nothing(store: RedisStore, raw: Redis) -> None:
    raw.acl_setuser("default", commands=["-config"], enabled=True)
    assert await store.durability() is None


async def test_a_server_without_the_command_says_nothing(tmp_path: Path) -> None:
    managed = ("--rename-command", "CONFIG", "")
    with RedisServer(tmp_path / "managed", options=managed) as server:
        async with RedisStore(settings(server.url)) as store:
            assert await store.durability() is None


@pytest.mark.parametrize("block_ms", [0, 500, 5000])
async def test_no_wait_is_so_long_that_it_looks_like_a_lost_reply(
    store: RedisStore, block_ms: int
) -> None:
    assert await store.read({OUTBOX: 0}, count=1, block_ms=block_ms) == []


async def test_a_stream_that_is_none_is_a_plain_error(store: RedisStore, raw: Redis) -> None:
    raw.set(OUTBOX, "not a stream")
    with pytest.raises(ResponseError, match="WRONGTYPE"):
        await store.extent(OUTBOX)


async def test_the_pool_is_bounded(redis_server: RedisServer, raw: Redis) -> None:
    async with RedisStore(settings(redis_server.url), most_connections=3) as store:
        with pytest.raises(ExceptionGroup) as group:  # noqa: PT012 - they read at once
            async with asyncio.TaskGroup() as tasks:
                for _ in range(10):
                    tasks.create_task(store.read({OUTBOX: 0}, count=1, block_ms=300))
        assert group.group_contains(StoreUnavailable)
        assert len(raw.client_list()) <= 4


@pytest.mark.parametrize("turns", range(45))
async def test_a_cancelled_reader_ends_at_whichever_await_it_is(
    redis_server: RedisServer, turns: int
) -> None:
    async def follow(store: RedisStore) -> None:
        while True:
            await store.read({OUTBOX: 0}, count=1, block_ms=1_000)

    async with RedisStore(settings(redis_server.url)) as store:
        reading = asyncio.ensure_future(follow(store))
        for _ in range(turns):
            await asyncio.sleep(0)
        reading.cancel()
        done, _ = await asyncio.wait([reading], timeout=0.5)
        if not done:  # or nothing would ever end it
            reading.cancel()
        assert done
