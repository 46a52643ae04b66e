"""`Store` over Redis or Valkey.

Refusals (READONLY, OOM, MISCONF, NOREPLICAS) are not connection errors to redis-py, and so the
connection to a demoted server would be kept: it is dropped here. Each command runs under one
`asyncio.timeout`.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, Final, Literal, Self, TypeVar

import msgspec
from redis import exceptions

from shared.adapters import redis_scripts as scripts
from shared.adapters.connections import RedisSettings, redacted
from shared.adapters.redis_client import connect
from shared.adapters.redis_scripts import Script
from shared.adapters.refusals import explained
from shared.adapters.store import (
    BatchMismatch,
    Commit,
    Entry,
    Extent,
    Leader,
    OutputMismatch,
    StageRecord,
    StaleEpoch,
    StoreHalted,
    StoreUnavailable,
    StoreUnsafe,
    check,
)
from shared.wire import keys

_UNSAFE: Final = ("READONLY", "OOM", "MISCONF", "NOREPLICAS", "NOPERM", "NOAUTH", "WRONGPASS")
_NOT_YET: Final = ("LOADING", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "BUSY", "UNBLOCKED")
Durability = Literal["always", "everysec", "never"]
"""What a server keeps: every commit, all but about its last second, or nothing for certain."""

Value = TypeVar("Value")

_encode: Final = msgspec.msgpack.Encoder().encode


class RedisStore:
    """A store on one Redis or Valkey server; also an async context manager.

    Args:
        settings: Where it is.
        most_connections: A blocked read holds one, each command in flight one more.
    """

    def __init__(self, settings: RedisSettings, *, most_connections: int = 8) -> None:
        self._settings = settings
        self._where = redacted(settings.url)
        self._timeout_s = settings.operation_timeout_s
        self._longest_wait_ms = int(1_000 * self._timeout_s / 2)
        self._client = connect(settings, most_connections)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()
        await self._client.connection_pool.disconnect()

    async def durability(self) -> Durability | None:
        """Tell what survives kill -9 and power loss; `None`: the server won't say."""
        try:
            found: dict[str, str] = await self._command("CONFIG GET", "*append*")
        except (StoreUnsafe, exceptions.ResponseError):  # no right to ask, as on a managed server
            return None
        if not {"appendonly", "appendfsync"} <= found.keys():
            return None
        if found["appendonly"] != "yes" or found["appendfsync"] == "no":
            return "never"
        at_all_times = found.get("no-appendfsync-on-rewrite", "no") == "no"
        return "always" if found["appendfsync"] == "always" and at_all_times else "everysec"

    async def acquire(
        self, stage: str, holder: str, ttl_ms: int, *, above: int = 0, digest: str = ""
    ) -> int | None:
        """Lead a stage under a new epoch, unless somebody leads it; see `Store.acquire`."""
        names = [keys.lease(stage), keys.record(stage)]
        epoch = await self._run(scripts.ACQUIRE, names, [holder, ttl_ms, above, digest])
        return None if epoch is None else int(epoch)

    async def renew(self, stage: str, epoch: int, ttl_ms: int) -> bool:
        """Go on leading for `ttl_ms` from now; whether we still do."""
        return bool(await self._run(scripts.RENEW, [keys.lease(stage)], [epoch, ttl_ms]))

    async def release(self, stage: str, epoch: int) -> None:
        """Let the next one lead; nothing happens when we do not lead."""
        await self._run(scripts.RELEASE, [keys.lease(stage)], [epoch])

    async def leader(self, stage: str) -> Leader | None:
        """Return who leads a stage, if anybody does."""
        fields = await self._command("HMGET", keys.lease(stage), "holder", "epoch", "digest")
        if None in fields:
            return None
        holder, epoch, digest = fields
        return Leader(holder.decode(), int(epoch), digest.decode())

    async def fence(self, stage: str, epoch: int) -> int:
        """Keep all below an epoch out of a stage; see `Store.fence`."""
        return int(await self._run(scripts.FENCE, [keys.record(stage)], [epoch]))

    async def take_lease(self, stage: str, *, above: int = 0) -> int:
        """Begin a new epoch, higher than any before and than `above`; older holders are out."""
        return int(await self._run(scripts.TAKE_LEASE, [keys.record(stage)], [above]))

    async def load(self, stage: str) -> StageRecord:
        """Return what the last commit left."""
        fields = await self._command("HGETALL", keys.record(stage))
        return _record({name.decode(): value for name, value in fields.items()})

    async def commit(self, commit: Commit) -> None:
        """Make a commit; see `Store.commit`."""
        check(commit)
        written = [keys.record(commit.stage), *commit.emitted, *commit.readable]
        if commit.entries.get(keys.outbox(commit.stage)):
            written.append(keys.halt(commit.stage))
        words = [_numbers(commit), commit.state or b"", *_payloads(commit)]
        verdict, stored, *where = await self._run(scripts.COMMIT, written, [_digest(words), *words])
        match verdict:
            case b"done":
                return
            case b"epoch":
                raise StaleEpoch(commit.stage, commit.epoch, stored)
            case b"halted":
                raise StoreHalted(f"{keys.halt(commit.stage)} is set: no order is committed")
            case b"batch":
                raise BatchMismatch(commit.stage, commit.batch, stored)
            case _:
                raise OutputMismatch(f"{where[0].decode()}: {verdict.decode()} after {stored}")

    async def read(
        self, after: Mapping[str, int], *, count: int, block_ms: int | None = None
    ) -> list[Entry]:
        """Return what follows the given index in each stream; see `Store.read`."""
        wait: tuple[str | int, ...] = ()
        if block_ms is not None:  # 0 would wait for ever; too long would look like a lost reply
            wait = ("BLOCK", max(1, min(block_ms, self._longest_wait_ms)))
        positions = [f"{index}-0" for index in after.values()]
        found = await self._command(
            "XREAD", "COUNT", count, *wait, "STREAMS", *after.keys(), *positions
        )
        return [
            Entry(stream.decode(), _index(identifier), fields[b"payload"])
            for stream, entries in found or ()
            for identifier, fields in entries
        ]

    async def extent(self, stream: str) -> Extent:
        """Return the first and the last index of a stream; (1, 0) when it was never written."""
        try:
            facts = await self._command("XINFO STREAM", stream)
        except exceptions.ResponseError as error:
            if "no such key" in str(error):
                return Extent(1, 0)
            raise
        last = _index(facts["last-generated-id"])
        oldest = facts["first-entry"]
        return Extent(_index(oldest[0]) if oldest else last + 1, last)

    async def cursor(self, stage: str, stream: str) -> int:
        """Return the cursor of a stage in a stream, without its state; 0 when it has none."""
        return int(await self._command("HGET", keys.record(stage), f"cursor:{stream}") or 0)

    async def reached(self, stage: str, stream: str) -> int:
        """Return up to which entry of a stream a stage has committed, with its state or without."""
        fields = f"cursor:{stream}", f"reached:{stream}"
        found = await self._command("HMGET", keys.record(stage), *fields)
        return max(int(each or 0) for each in found)

    async def settle(self, stream: str, indices: Sequence[int]) -> None:
        """Remove acknowledged rows from an outbox."""
        if indices:
            await self._command("XDEL", stream, *(f"{index}-0" for index in indices))

    async def trim(self, stream: str, before: int) -> None:
        """Remove every entry with an index below `before`."""
        await self._command("XTRIM", stream, "MINID", f"{before}-0")

    async def _run(self, script: Script, names: list[str], arguments: list[Any]) -> Any:  # noqa: ANN401 - replies have any shape
        try:
            return await self._command("EVALSHA", script.digest, len(names), *names, *arguments)
        except exceptions.NoScriptError:  # never ran: the server has not kept it, or was restarted
            await self._command("SCRIPT LOAD", script.source)  # EVAL is granted to nobody
            return await self._command("EVALSHA", script.digest, len(names), *names, *arguments)

    async def _command(self, *words: Any) -> Any:  # noqa: ANN401 - replies have any shape
        async with self._named_troubles(), asyncio.timeout(self._timeout_s):
            return await self._client.execute_command(*words)  # type: ignore[no-untyped-call]

    @contextlib.asynccontextmanager
    async def _named_troubles(self) -> AsyncIterator[None]:
        try:
            yield
        except (exceptions.ConnectionError, exceptions.TimeoutError, OSError) as error:
            reason = explained(error, self._settings)
            if _begins_with(error, _UNSAFE):
                raise StoreUnsafe(f"{self._where}: {reason}") from error
            reason = reason or f"no answer within {self._timeout_s} s"
            raise StoreUnavailable(f"{self._where}: {reason}") from error
        except exceptions.ResponseError as error:
            if _begins_with(error, _NOT_YET):
                raise StoreUnavailable(f"{self._where}: {error}") from error
            if not _begins_with(error, _UNSAFE):
                raise
            # Another server may hold this address by now: connect anew.
            await self._client.connection_pool.disconnect(inuse_connections=False)
            raise StoreUnsafe(f"{self._where}: {error}") from error


def _numbers(commit: Commit) -> bytes:
    """Write all of a commit that is not bytes; lists stand in the order of the script's keys."""
    return _encode(
        {
            "epoch": commit.epoch,
            "batch": commit.batch,
            "has_state": commit.state is not None,
            "cursors": [
                {"stream": stream, "index": index, "seen": commit.seen.get(stream, "")}
                for stream, index in commit.cursors.items()
            ],
            "streams": [
                {
                    "emitted": emitted,
                    "keep": commit.keep.get(stream),
                    "count": len(commit.entries.get(stream, ())),
                }
                for stream, emitted in commit.emitted.items()
            ],
            "readable": [
                [text for field in fields.items() for text in field]
                for fields in commit.readable.values()
            ],
        }
    )


def _payloads(commit: Commit) -> list[bytes]:
    return [payload for stream in commit.emitted for payload in commit.entries.get(stream, ())]


def _digest(words: list[bytes]) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    for word in words:
        digest.update(len(word).to_bytes(8))
        digest.update(word)
    return digest.digest()


def _record(fields: Mapping[str, bytes]) -> StageRecord:
    def by_stream(kind: str, read: Callable[[bytes], Value]) -> dict[str, Value]:
        return {
            name.removeprefix(kind): read(value)
            for name, value in fields.items()
            if name.startswith(kind)
        }

    return StageRecord(
        epoch=int(fields.get("epoch", 0)),
        batch=int(fields.get("batch", 0)),
        state=fields.get("state"),
        cursors=by_stream("cursor:", int),
        seen=by_stream("seen:", bytes.decode),
        emitted=by_stream("last:", int),
        reached=by_stream("reached:", int),
    )


def _index(identifier: bytes) -> int:
    return int(identifier.partition(b"-")[0])


def _begins_with(error: Exception, words: tuple[str, ...]) -> bool:
    code = getattr(error, "status_code", None) or str(error).partition(" ")[0]
    return code in words
