"""Run a task for some turns of the event loop, then cancel it: at one await after the other."""

import asyncio
from collections.abc import Coroutine


async def run_for_turns(turns: int, work: Coroutine[None, None, None]) -> None:
    """Cancel `work` after so many turns of the loop; whatever it waits for then is cut off.

    Raises:
        BaseExceptionGroup: `work` failed by itself.
    """
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(work)
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
