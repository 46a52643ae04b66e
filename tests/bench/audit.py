"""How long it takes to verify a million decisions: `python tests/bench/audit.py [--records N]`.

The records are what a hedger writes: mostly changes of triggers, every tenth a new target with its
grounds. They are read from Parquet segments of an archive, as `hedgestat audit verify` reads them;
writing them is not measured.
"""

import argparse
import resource
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from fakes.hedged_market import policy
from rich.console import Console

from services.command.audit import Verifier
from shared.adapters.archive import Archive, ArchiveReader
from shared.adapters.store import Entry
from shared.domain.effects import Effect, SizingStep, TargetChanged, TriggerChanged
from shared.domain.policies import LimitPolicy
from shared.domain.signals_observed import Quality, Signal, SignalsObserved
from shared.wire import keys
from shared.wire.decisions import ChainHead, DecisionRecord, Grounds, append

GOAL_S = 10.0
SEGMENT = 5_000


def effect_of(number: int) -> Effect:
    """Every tenth a target, else a trigger."""
    if number % 10:
        return TriggerChanged(
            book="overlay",
            event_ns=number,
            trigger="vix_move",
            state="firing",
            previous="pending",
            since_ns=number - 1,
            observations=61,
            sessions=1,
            inputs={"vix_smooth": number / 7},
            reference=18.0,
            reason="the hold is complete",
        )
    names = ("rule", "persistence", "equity_share", "budget", "floor_and_cap", "allocation")
    return TargetChanged(
        book="overlay",
        event_ns=number,
        decision=number,
        trigger="vix_move",
        multiplier=1.0,
        steps=tuple(
            SizingStep(name=name, multiplier=number / 3, note=f"{name}: as it was", binding=False)
            for name in names
        ),
        target_vega=1000.0,
        current_vega=600.0,
        legs=(),
        quality=Quality.GOOD,
        reference_vix=22.0,
        budget_used=0.1,
        at_floor=False,
        at_cap=False,
    )


def write(archive: Archive, records: int, limits: LimitPolicy) -> tuple[ChainHead, int]:
    """Write the log; returns its head and its size in bytes."""
    signal = Signal(value=18.0, unit="points", quality=Quality.GOOD, event_ns=1, observations=1)
    observed = SignalsObserved(
        event_ns=1, index=1, cause="VIX", signals={f"signal{n}": signal for n in range(8)}
    )
    grounds = Grounds(
        code_version="0.1.0+abc", config_digest="ab" * 32, limits=limits, observed=observed
    )
    head, size, numbers = ChainHead(), 0, iter(range(1, records + 1))
    while part := list(islice(numbers, SEGMENT)):
        entries = []
        for number in part:
            record = DecisionRecord(effect_of(number), None if number % 10 else grounds)
            payload, head = append(head, record)
            size += len(payload)
            entries.append(Entry(keys.decisions(), number, payload))
        archive.write(entries)
    return head, size


def main() -> int:
    """Run it; exit code 1 when it takes longer than promised."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    records: int = parser.parse_args().records
    with tempfile.TemporaryDirectory() as directory:
        archive = Archive(Path(directory), keys.decisions())
        head, size = write(archive, records, policy().limits)
        begun, used = time.perf_counter(), time.process_time()
        verifier = Verifier({head.index: head.hash})
        for segment in ArchiveReader(Path(directory), keys.decisions()).segments():
            verifier.take(segment())
        verifier.finish()
        seconds, used = time.perf_counter() - begun, time.process_time() - used
    assert verifier.head == head
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    Console().print(
        f"{records:,} records, {size / 1e6:.0f} MB: verified in {seconds:.2f} s "
        f"({used:.2f} s of processor), {records / seconds:,.0f} a second, peak {peak_mb:.0f} MB"
    )
    return 0 if seconds <= GOAL_S * records / 1_000_000 else 1


if __name__ == "__main__":
    sys.exit(main())
