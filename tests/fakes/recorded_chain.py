"""A real chain, at test time: SPY's of 2026-09-17 from the source package of svi-py.

The package (MIT licence) carries six expiries of delayed quotes beside its examples. It is fetched
through the package registry into a test's own directory, checked against the digest that was looked
at, and read from within its archive: nothing of it is copied, built or installed.
"""

import csv
import hashlib
import io
import json
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from shared.domain.events import Tick
from shared.domain.instants import SECOND
from shared.domain.instruments.instrument import Instrument, Kind, Model, Option

_PACKAGE: Final = "svi-py"
_VERSION: Final = "1.0.0"
_SHA256: Final = "e6ede60c64f048e7daea49fb73c75ef755527759ee664c44dc9e4052e81f25a7"
_DATA: Final = f"svi_py-{_VERSION}/examples/data/spy_chain_latest"
_NEW_YORK: Final = ZoneInfo("America/New_York")


class RegistryUnreachable(Exception):  # noqa: N818 - reads as what happened, like KeyError
    """No registry here, or it has not what we know."""


class RecordedChain(Struct, frozen=True, kw_only=True):
    """Options of one underlying and their quotes, all of one instant.

    Attributes:
        now_ns: When.
        level: Of the underlying.
        rate: Of three months, continuously compounded.
        options: In the order of the quotes.
        quotes: Bid and ask of each.
    """

    now_ns: int
    level: float
    rate: float
    options: tuple[Instrument, ...]
    quotes: tuple[Tick, ...]


def recorded_spy_chain(directory: Path) -> RecordedChain:
    """Fetch the package into `directory` and read its chain.

    Raises:
        RegistryUnreachable: It cannot be had.
    """
    with tarfile.open(_fetched(directory)) as archive:
        about = json.loads(_member(archive, ".meta.json"))
        lines = list(csv.DictReader(io.StringIO(_member(archive, ".csv"))))
    now_ns = int(datetime.fromisoformat(about["snapshot_utc"]).timestamp()) * SECOND
    return RecordedChain(
        now_ns=now_ns,
        level=about["spot"],
        rate=about["r_13w_cc"],
        options=tuple(_options(lines)),
        quotes=tuple(
            Tick(
                symbol=line["contractSymbol"],
                event_ns=now_ns,
                bid=float(line["bid"]),
                ask=float(line["ask"]),
            )
            for line in lines
        ),
    )


def _fetched(directory: Path) -> Path:
    wanted = (f"{_PACKAGE}=={_VERSION}", "--no-deps", "--no-binary", ":all:")
    # It asks for a newer Python than ours, to run; we only read.
    command = (sys.executable, "-m", "pip", "download", "-q", "--ignore-requires-python", *wanted)
    done = subprocess.run([*command, "-d", str(directory)], capture_output=True, check=False)
    archive = directory / f"svi_py-{_VERSION}.tar.gz"
    if done.returncode or hashlib.sha256(archive.read_bytes()).hexdigest() != _SHA256:
        raise RegistryUnreachable(done.stderr.decode()[-500:])
    return archive


def _member(archive: tarfile.TarFile, ending: str) -> str:
    member = archive.extractfile(_DATA + ending)
    assert member is not None
    return member.read().decode()


def _options(lines: list[dict[str, str]]) -> Iterator[Instrument]:
    for line in lines:
        day = date.fromisoformat(line["expiry_date"])
        close = datetime(day.year, day.month, day.day, 16, tzinfo=_NEW_YORK).astimezone(UTC)
        yield Instrument(
            symbol=line["contractSymbol"],
            kind=Kind.OPTION,
            root="SPY",
            underlying="SPY",
            model=Model.AMERICAN,
            multiplier=100.0,
            expiry_ns=int(close.timestamp()) * SECOND,
            option=Option(
                right="call" if line["cp"] == "c" else "put",
                strike=float(line["strike"]),
                style="american",
                settlement="pm",
                delivery="physical",
            ),
        )
