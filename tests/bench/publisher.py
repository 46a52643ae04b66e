"""A feed as fast or as steady as asked: QoS 0 publishes over one plain socket.

`python tests/bench/publisher.py PORT …` writes ticks to a broker and prints, when done, the wall
clock of the first write in ns. It is a process of its own, so that what it costs is not measured.
"""

import argparse
import json
import socket
import struct
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import pyarrow as pa
from bench.workload import SYMBOLS, VIX, Market

from shared.adapters.clock import SystemClock
from shared.domain.tick_block import TickBlock
from shared.wire import topics

CONNECT: Final = b"\x10\x10\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x03pub"
CALM, SHAKEN = 18.0, 21.0
AT_ONCE: Final = 20
clock = SystemClock()


def packet(topic: str, payload: bytes) -> bytes:
    """An MQTT 5 PUBLISH of QoS 0."""
    body = struct.pack("!H", len(topic)) + topic.encode() + b"\x00" + payload
    length, rest = b"", len(body)
    while True:
        rest, digit = rest >> 7, rest & 0x7F
        length += bytes([digit | 0x80 if rest else digit])
        if not rest:
            return b"\x30" + length + body


def as_json(symbols: list[int], prices: list[float], instants: list[int]) -> bytes:
    """One tick, on its symbol's topic; several, as an array."""
    ticks = [
        {"symbol": SYMBOLS[symbol], "event_time": instant, "price": price, "source": "bench"}
        for symbol, price, instant in zip(symbols, prices, instants, strict=True)
    ]
    if len(ticks) == 1:
        return packet(topics.ticks(SYMBOLS[symbols[0]]), json.dumps(ticks[0]).encode())
    return packet(topics.TICKS, json.dumps(ticks).encode())


def as_arrow(block: TickBlock) -> bytes:
    """Many ticks as columns."""
    symbol = pa.DictionaryArray.from_arrays(pa.array(block.symbol), pa.array(block.symbols))
    columns = {"symbol": symbol, "event_time": block.event_ns, "price": block.price}
    table = pa.table(columns)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return bytes(sink.getvalue())


def steady(connection: socket.socket, options: argparse.Namespace) -> None:
    """Publish at a rate; VIX jumps by three points now and then, else it stands still."""
    gap_s = options.batch / options.rate
    jump_every = max(1, round(options.jump_every / gap_s))
    block = Market().ticks(np.zeros(int(options.rate * options.seconds), dtype=np.int64))
    symbols, prices = block.symbol.tolist(), block.price.tolist()
    vix, begun_s = CALM, clock.monotonic_s()
    for number in range(len(symbols) // options.batch):
        time.sleep(max(0.0, begun_s + number * gap_s - clock.monotonic_s()))
        rows = slice(number * options.batch, (number + 1) * options.batch)
        those, levels = symbols[rows], prices[rows]
        if number % jump_every == jump_every - 1:
            vix = CALM + SHAKEN - vix
            those[-1] = VIX
        levels = [
            vix if symbol == VIX else level for symbol, level in zip(those, levels, strict=True)
        ]
        connection.sendall(as_json(those, levels, [clock.now_ns()] * len(those)))


def flat_out(connection: socket.socket, options: argparse.Namespace) -> None:
    """Publish a number of ticks as fast as the broker takes them, laid out before."""
    packets = list(_packets(options))
    print(clock.now_ns())  # noqa: T201 - read by intake.py
    for first in range(0, len(packets), AT_ONCE):
        connection.sendall(b"".join(packets[first : first + AT_ONCE]))


def _packets(options: argparse.Namespace) -> Iterator[bytes]:
    market, begun_ns = Market(), clock.now_ns()
    if options.arrow:
        for first in range(0, options.count, options.batch):
            yield packet(
                topics.TICKS,
                as_arrow(market.ticks(begun_ns + np.arange(first, first + options.batch))),
            )
        return
    block = market.ticks(begun_ns + np.arange(options.count))
    columns = (block.symbol.tolist(), block.price.tolist(), block.event_ns.tolist())
    for first in range(0, options.count, options.batch):
        yield as_json(*(column[first : first + options.batch] for column in columns))


def main() -> None:
    """Publish."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("port", type=int, help="of the broker on this machine")
    parser.add_argument("--batch", type=int, default=1, help="ticks in a message [1]")
    parser.add_argument("--rate", type=float, help="ticks a second; left out: flat out")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long at that rate [10]")
    parser.add_argument("--jump-every", type=float, default=0.2, help="seconds [0.2]")
    parser.add_argument("--count", type=int, default=100_000, help="ticks flat out [100000]")
    parser.add_argument("--arrow", action="store_true", help="as Arrow streams, not JSON")
    options = parser.parse_args()
    with socket.create_connection(("127.0.0.1", options.port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(CONNECT)
        connection.recv(1024)
        (steady if options.rate else flat_out)(connection, options)
        connection.sendall(b"\xe0\x00")
        connection.recv(1)


if __name__ == "__main__":
    main()
