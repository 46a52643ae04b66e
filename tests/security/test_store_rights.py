"""Every identity and every key, on real stores as deployed: what the table grants, nothing else."""

import hashlib
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

import pytest
import redis
from fakes.secured import Role, SecuredServers
from redis.backoff import NoBackoff
from redis.retry import Retry

from shared.adapters import redis_scripts
from shared.adapters.access_lists import DOCTORS_KEYS
from shared.adapters.redis_store import RedisStore
from shared.adapters.store import Commit, StoreUnavailable, StoreUnsafe
from shared.wire import keys
from shared.wire.access import IDENTITIES, NAMES, Identity

pytestmark = pytest.mark.server

ROLES: Final[tuple[Role, ...]] = ("orders", "market")
ROLE_AND_IDENTITY: Final = [
    pytest.param(role, identity, id=f"{role}-{identity.name}")
    for role in ROLES
    for identity in IDENTITIES
]
STAGES: Final = (*NAMES, "ingest-announcer", "hedger-announcer", "hedger-2", "doctor")
KEYS: Final = (
    *(
        make(stage)
        for stage in STAGES
        for make in (
            *(keys.record, keys.lease, keys.halt, keys.announcements),
            *(keys.journal, keys.signal_log, keys.decisions, keys.outbox, keys.expected),
            *(keys.signals, keys.exposure_log),
        )
    ),
    keys.exposure("overlay"),
    "hedge:v1:hedger:record",  # without braces it is nobody's
    "hedge:v2:{hedger}:record",
    "elsewhere",
)
WRITES: Final = (
    ("HSET", "KEY", "field", "value"),
    ("SET", "KEY", "value"),
    ("XADD", "KEY", "*", "payload", "value"),
    ("XTRIM", "KEY", "MAXLEN", "0"),
    ("XDEL", "KEY", "1-0"),
    ("PEXPIRE", "KEY", "1"),
    ("DEL", "KEY"),
)
READS: Final = (
    ("EXISTS", "KEY"),
    ("GET", "KEY"),
    ("HGETALL", "KEY"),
    ("XREAD", "STREAMS", "KEY", "0"),
    ("XRANGE", "KEY", "-", "+"),
    ("XINFO", "STREAM", "KEY"),
)
FOREIGN: Final = "return redis.call('GET', KEYS[1])"
NOBODYS: Final = (
    *(("FLUSHALL",), ("FLUSHDB",), ("KEYS", "*"), ("SCAN", "0"), ("RANDOMKEY",), ("DBSIZE",)),
    *(("CONFIG", "SET", "appendonly", "no"), ("CONFIG", "REWRITE"), ("CONFIG", "RESETSTAT")),
    *(("EVAL", FOREIGN, "1", "KEY"), ("EVAL_RO", FOREIGN, "1", "KEY"), ("FUNCTION", "LIST")),
    *(("FCALL", "f", "0"), ("FUNCTION", "LOAD", "#!lua name=f"), ("SCRIPT", "FLUSH")),
    *(("SCRIPT", "KILL"), ("DEBUG", "SLEEP", "0"), ("SHUTDOWN", "NOSAVE"), ("SAVE",), ("BGSAVE",)),
    *(("BGREWRITEAOF",), ("REPLICAOF", "NO", "ONE"), ("FAILOVER",), ("MONITOR",)),
    *(("ACL", "LIST"), ("ACL", "SETUSER", "me"), ("ACL", "LOAD"), ("ACL", "WHOAMI")),
    *(("CLIENT", "LIST"), ("CLIENT", "KILL", "TYPE", "normal"), ("CLIENT", "PAUSE", "1")),
    *(("MODULE", "LIST"), ("SLOWLOG", "GET"), ("LATENCY", "RESET"), ("MEMORY", "STATS")),
    *(("SUBSCRIBE", "any"), ("PSUBSCRIBE", "*"), ("PUBLISH", "any", "word"), ("SWAPDB", "0", "1")),
    *(("SELECT", "1"), ("MOVE", "KEY", "1"), ("COPY", "KEY", "KEY"), ("RENAME", "KEY", "KEY")),
    *(("RESTORE", "KEY", "0", "x"), ("DUMP", "KEY"), ("MIGRATE", "h", "1", "KEY", "0", "1")),
    *(
        ("SORT", "KEY"),
        ("OBJECT", "ENCODING", "KEY"),
        ("MULTI",),
        ("WATCH", "KEY"),
        ("PERSIST", "KEY"),
    ),
    *(("XGROUP", "CREATE", "KEY", "g", "0"), ("XSETID", "KEY", "1-0"), ("APPEND", "KEY", "x")),
    *(
        ("MGET", "KEY"),
        ("MSET", "KEY", "x"),
        ("GETDEL", "KEY"),
        ("UNLINK", "KEY"),
        ("LPUSH", "KEY", "x"),
    ),
)
DENIED: Final = ("NOPERM", "DEBUG command not allowed")


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredServers]:
    prepared = SecuredServers(tmp_path_factory.mktemp("secured"))
    prepared.admit("witness")
    with prepared.orders, prepared.market:
        yield prepared


def client(servers: SecuredServers, role: Role, name: str, password: str | None = None) -> Any:  # noqa: ANN401 - redis-py's, whose commands return unions
    return redis.Redis(
        port=(servers.orders if role == "orders" else servers.market).port,
        username=name or None,
        password=password if password is not None else servers.password(name, "redis"),
        ssl=True,
        ssl_ca_certs=servers.ca_file,
        protocol=2,
        retry=Retry(NoBackoff(), 0),
    )


def is_denied(connection: Any, *words: str) -> bool:  # noqa: ANN401 - as above
    """Whether the server refuses a command for want of a right; any other error is none."""
    try:
        connection.execute_command(*words)
    except redis.exceptions.NoPermissionError:
        return True
    except redis.exceptions.ResponseError as error:
        return str(error).startswith(DENIED)  # and DEBUG to all, whatever their rights
    return False


def allowed(connection: Any, commands: tuple[tuple[str, ...], ...]) -> set[str]:  # noqa: ANN401
    """Keys that any of some commands reaches."""
    tried = [(key, words) for key in KEYS for words in commands]
    with connection.pipeline(transaction=False) as pipeline:
        for key, words in tried:
            pipeline.execute_command(*(key if word == "KEY" else word for word in words))
        answers = pipeline.execute(raise_on_error=False)
    return {
        key
        for (key, _), answer in zip(tried, answers, strict=True)
        if not isinstance(answer, redis.exceptions.NoPermissionError)
    }


def has_business(identity: Identity, role: Role) -> bool:
    rights = identity.store(role)
    return bool(rights.leads or rights.reads or rights.sets or rights.examines)


def writable(identity: Identity, role: Role) -> set[str]:
    rights = identity.store(role)
    patterns = [keys.stage_key(stage, "*") for stage in rights.leads] + list(rights.sets)
    patterns += [DOCTORS_KEYS] if rights.examines else []
    return {key for key in KEYS if any(fnmatchcase(key, pattern) for pattern in patterns)}


def readable(identity: Identity, role: Role) -> set[str]:
    """What it writes it reads, but for a doctor, who tries only whether it can."""
    rights = identity.store(role)
    only = {key for key in KEYS if any(fnmatchcase(key, pattern) for pattern in rights.reads)}
    return only | (writable(identity, role) if rights.leads or rights.sets else set())


@pytest.mark.parametrize(("role", "identity"), ROLE_AND_IDENTITY)
def test_an_identity_writes_and_reads_what_the_table_says_and_nothing_else(
    servers: SecuredServers, role: Role, identity: Identity
) -> None:
    with client(servers, role, identity.name) as connection:
        if not has_business(identity, role):
            with pytest.raises(redis.AuthenticationError):
                connection.ping()
            return
        assert allowed(connection, WRITES) == writable(identity, role)
        assert allowed(connection, READS) == readable(identity, role)


@pytest.mark.parametrize(("role", "identity"), ROLE_AND_IDENTITY)
def test_nobody_may_do_what_is_dangerous(
    servers: SecuredServers, role: Role, identity: Identity
) -> None:
    if not has_business(identity, role):
        return
    key = next(iter(writable(identity, role)), keys.record("hedger"))
    with client(servers, role, identity.name) as connection:
        reached = [
            words
            for words in NOBODYS
            if not is_denied(connection, *(key if word == "KEY" else word for word in words))
        ]
        assert reached == []
        asks = is_denied(connection, "CONFIG", "GET", "appendonly"), is_denied(connection, "INFO")
        assert asks == ((False, False) if identity.store(role).examines else (True, True))


@pytest.mark.parametrize(("role", "identity"), ROLE_AND_IDENTITY)
def test_only_our_own_scripts_run_and_only_for_who_leads_a_stage(
    servers: SecuredServers, role: Role, identity: Identity
) -> None:
    if not has_business(identity, role):
        return
    stage = next(iter(identity.store(role).leads), "hedger")
    key, foreign = keys.record(stage), hashlib.sha1(FOREIGN.encode()).hexdigest()  # noqa: S324 - Redis's
    ours = redis_scripts.TAKE_LEASE
    leads = bool(identity.store(role).leads)
    with client(servers, role, "witness", "witness") as witness:
        witness.script_load(FOREIGN)
        witness.script_load(ours.source)
    with client(servers, role, identity.name) as connection:
        assert is_denied(connection, "EVALSHA", foreign, "1", key)
        assert is_denied(connection, "EVALSHA", ours.digest, "1", key, "0") is not leads
        assert is_denied(connection, "EVALSHA", ours.digest, "1", "hedge:v1:{other}:record", "0")


@pytest.mark.parametrize("role", ROLES)
def test_there_is_no_default_user_and_no_login_without_the_right_password(
    servers: SecuredServers, role: Role
) -> None:
    with (
        client(servers, role, "", "") as stranger,
        pytest.raises(redis.AuthenticationError),
    ):
        stranger.ping()
    for name, password in (("hedger", "guess"), ("default", "guess"), ("hedger", "x" * 32)):
        with (
            client(servers, role, name, password) as guesser,
            pytest.raises(redis.AuthenticationError),
        ):
            guesser.ping()


def test_no_command_that_redis_calls_dangerous_is_anybodys_but_the_doctors(
    servers: SecuredServers,
) -> None:
    with client(servers, "orders", "witness", "witness") as witness:
        dangerous = {each.decode() for each in witness.execute_command("ACL", "CAT", "dangerous")}
    for role in ROLES:
        lines = (servers.directory / f"redis-{role}" / "run" / "users.acl").read_text().splitlines()
        for line in lines:
            name = line.split()[1]
            granted = {word[1:].partition("|")[0] for word in line.split() if word.startswith("+")}
            if name not in {"witness", "operator"}:
                assert not granted & dangerous - {"script", "xinfo", "config"}, line


async def test_one_server_may_be_both_stores_with_a_list_of_its_own(tmp_path: Path) -> None:
    prepared = SecuredServers(tmp_path)
    prepared.play_both_roles()
    with prepared.orders:
        for stage, identity in (("hedger", "hedger"), ("signals", "signals")):
            async with RedisStore(prepared.redis("orders", identity)) as store:
                assert await store.take_lease(stage) == 1
        async with RedisStore(prepared.redis("orders", "reader")) as store:
            assert (await store.load("hedger")).epoch == 1


async def test_a_stage_commits_with_scripts_the_server_had_never_heard_of(
    servers: SecuredServers,
) -> None:
    with client(servers, "market", "witness", "witness") as witness:
        witness.script_flush()
    async with RedisStore(servers.redis("market", "signals")) as store:
        epoch = await store.take_lease("signals")
        log = keys.signal_log()
        commit = Commit(
            stage="signals", epoch=epoch, batch=1, emitted={log: 1}, entries={log: [b"payload"]}
        )
        await store.commit(commit)
        assert (await store.extent(log)).last == 1
        with pytest.raises(StoreUnsafe, match="permission"):
            await store.take_lease("ingest")


async def test_a_password_that_is_wrong_says_whose(servers: SecuredServers, tmp_path: Path) -> None:
    (tmp_path / "hedger").mkdir()
    (tmp_path / "hedger/redis").write_text("guess")
    settings = servers.redis("orders", "hedger")
    wrong = type(settings)(
        url=settings.url,
        username="hedger",
        password_file=str(tmp_path / "hedger/redis"),
        ca_file=settings.ca_file,
    )
    async with RedisStore(wrong) as store:
        with pytest.raises((StoreUnsafe, StoreUnavailable), match="user 'hedger'") as refusal:
            await store.leader("hedger")
    assert "guess" not in str(refusal.value)
