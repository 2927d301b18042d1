"""Example programs to connect to, and published clients whose events can be waited for."""

import asyncio
import contextlib
import copy
import os
import select
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from plain import plain
from transports import Client

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(os.environ.get("TEST_PROGRAMS", ROOT / "target" / "debug"))
PATIENCE = 10.0  # seconds until something awaited counts as missing

# The servers are on this machine, whatever proxy there may be.
os.environ["NO_PROXY"] = "127.0.0.1"


@dataclass(frozen=True)
class Host:
    """Where a program listens."""

    address: str

    @property
    def ws(self) -> str:
        return f"ws://{self.address}/ws"

    @property
    def sse(self) -> str:
        return f"http://{self.address}/sse"


@contextlib.contextmanager
def running(program: str) -> Iterator[Host]:
    process = subprocess.Popen([PROGRAMS / program, "--port", "0"], stdout=subprocess.PIPE, text=True)
    try:
        ready, _, _ = select.select([process.stdout], [], [], PATIENCE)
        assert ready, f"{program} does not start"
        line = process.stdout.readline()
        address = line.removeprefix("open http://").rstrip("/\n")
        yield Host(address)
        assert process.poll() is None, f"{program} ended"
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture
def device() -> Iterator[Host]:
    with running("device") as host:
        yield host


@pytest.fixture
def counter() -> Iterator[Host]:
    with running("counter") as host:
        yield host


class Peer:
    """A published client. Its callbacks come as events, in order: pairs of a kind and what the callback was given."""

    def __init__(self, codec: str = "json") -> None:
        self.client = Client(codec=codec)
        self._events: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        self._task: asyncio.Task | None = None
        self.client.on_change(lambda change: self._events.put_nowait(("change", change)))
        self.client.on_ack(lambda message: self._events.put_nowait(("ack", message)))
        self.client.on_reject(lambda message: self._events.put_nowait(("reject", message)))

    @property
    def value(self) -> Any:
        return plain(self.client.value(1))

    @property
    def rev(self) -> int:
        return self.client._rev[1]

    @contextlib.asynccontextmanager
    async def connected(self, host: Host, *, by: str = "ws"):
        """Connected, and up to date with the opening snapshot if there is one to come."""
        is_new = not self.client.ids()
        connect = self.client.connect if by == "ws" else self.client.connect_sse
        self._task = asyncio.create_task(connect(getattr(host, by)))
        try:
            if is_new:
                kind, change = await self.event()
                assert (kind, change["t"]) == ("change", "snapshot")
            yield self
        finally:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def event(self) -> tuple[str, Any]:
        """The next event. If the connection fails instead, that is raised."""
        getter = asyncio.create_task(self._events.get())
        await asyncio.wait({getter, self._task}, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        if not getter.done():
            getter.cancel()
            if self._task.done():
                self._task.result()
            pytest.fail("no event came")
        return getter.result()

    async def patch(self) -> dict:
        """The next event, which has to be a patch."""
        kind, change = await self.event()
        assert (kind, change["t"]) == ("change", "patch")
        return change

    async def until(self, condition) -> None:
        """Takes events until the value is as wanted."""
        while not condition(self.value):
            await self.event()

    async def propose(self, **fields: dict) -> None:
        """Proposes to set fields of model 1 to tagged values."""
        wanted = copy.deepcopy(self.client.value(1))
        wanted["Map"].update(fields)
        assert await self.client.propose(1, wanted)
