"""What operators have begun in the console: it goes on when the browser has left."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

PATIENCE_SECONDS = 3.0  # of a page, for its end

Begun = Callable[[UUID], None]  # to be called with the id of the recorded action


class Work:
    """Tasks of this process; its end breaks them off, and their actions say so."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    async def begin(self, work: Callable[[Begun], Awaitable[None]]) -> UUID | None:
        """Start it; the action's id once it has ended, or has taken three seconds, None if it has
        not even begun by then. Raises what it raises until then."""
        action: list[UUID] = []
        task = asyncio.create_task(self._do(work, action.append))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        await asyncio.wait({task}, timeout=PATIENCE_SECONDS)
        if task.done():
            task.result()
        else:
            task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        return action[0] if action else None

    async def _do(self, work: Callable[[Begun], Awaitable[None]], begun: Begun) -> None:
        await work(begun)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
