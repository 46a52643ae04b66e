"""Who runs the variants: this machine's cores, or a Dask cluster; the results are the same bytes.

Variants are dealt out in the order of the plan, in packs that share a pass of the market. A pack
that is done is handed on at once, so what was finished stays when a study is stopped.
"""

import multiprocessing
import os
import pickle
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import suppress
from math import ceil
from multiprocessing import forkserver
from typing import TYPE_CHECKING, Final

from services.command.endings import Failed, Refused
from services.command.study.material import Material
from services.command.study.passes import Outcome, Progress, run_variants
from shared.adapters.study.plan import Variant

if TYPE_CHECKING:
    from distributed import Client

PATIENCE_S: Final = 5
"""So long a scheduler may take to answer."""

MOST_IN_A_PACK: Final = 32
"""Variants in one pass: beyond it the market's own cost is a small part."""
FEWEST_IN_A_PACK: Final = 3
"""Below it the market's own cost is a large one."""

_PRELOADED: Final = ("services.__main__", "services.command.study.passes")


def packs_of(variants: Sequence[Variant], workers: int) -> list[tuple[Variant, ...]]:
    """Deal variants out: ever smaller packs, so that all workers end at about the same time."""
    fewest = min(FEWEST_IN_A_PACK, ceil(len(variants) / (2 * workers)))
    packs, at = [], 0
    while at < len(variants):
        share = ceil((len(variants) - at) / (2 * workers))
        size = max(fewest, min(MOST_IN_A_PACK, share))
        packs.append(tuple(variants[at : at + size]))
        at += size
    return packs


def make_ready() -> None:
    """Let workers of this machine be imported for while this process goes on with something else.

    Ctrl-C is for this process, which stops them.
    """
    multiprocessing.get_context("forkserver").set_forkserver_preload(list(_PRELOADED))
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def run_locally(
    material: Material,
    variants: Sequence[Variant],
    jobs: int,
    progress: Progress = lambda _: None,
) -> Iterator[list[Outcome]]:
    """Run variants on processes of this machine; yields packs as they are done.

    Ctrl-C, or closing the iterator, stops them. Steps are told where they are taken in this one.
    """
    packs = packs_of(variants, jobs)
    if jobs == 1 or len(packs) == 1:
        for pack in packs:
            yield run_variants(material, pack, progress)
        return
    context = multiprocessing.get_context("forkserver")
    pool = ProcessPoolExecutor(jobs, mp_context=context)
    pickled = pickle.dumps(material)  # once, not once a pack
    try:
        for done in as_completed([pool.submit(_run_pickled, pickled, pack) for pack in packs]):
            yield done.result()
    finally:
        processes = list((pool._processes or {}).values())  # noqa: SLF001 - there is no other way
        pool.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.terminate()


def _run_pickled(material: bytes, variants: Sequence[Variant]) -> list[Outcome]:
    return run_variants(pickle.loads(material), variants)  # noqa: S301 - of the process above


def run_on_cluster(
    material: Material, variants: Sequence[Variant], address: str
) -> Iterator[list[Outcome]]:
    """Run variants on a Dask cluster that is there already; yields packs as they are done.

    Closing the iterator cancels what is not done; the cluster stays.

    Raises:
        Refused: dask.distributed is not installed.
        Failed: The cluster does not answer, has no workers, or loses them.
    """
    try:
        from distributed import (  # noqa: PLC0415 - an extra, slow to import
            Client,
            KilledWorker,
            as_completed,
        )
    except ImportError:
        raise Refused('--dask needs dask.distributed: pip install "hedgestat[study]"') from None
    try:
        client = Client(address, timeout=PATIENCE_S, set_as_default=False)
    except (OSError, ValueError) as reason:
        raise Failed(f"no Dask scheduler answers at {address}: {reason}") from None
    with client:
        workers = _workers_of(client, address)
        sent = client.scatter(material, broadcast=True)
        futures = [
            client.submit(run_variants, sent, pack, pure=False)
            for pack in packs_of(variants, workers)
        ]
        try:
            for future in as_completed(futures, loop=client.loop):
                yield future.result()
        except KilledWorker as reason:
            raise Failed(f"the cluster at {address} lost its workers again and again") from reason
        finally:
            with suppress(Exception):
                client.cancel(futures)


def _workers_of(client: "Client", address: str) -> int:
    workers = len(client.scheduler_info(n_workers=-1)["workers"])
    if not workers:
        raise Failed(f"the cluster at {address} has no workers")
    return workers


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
