"""The published Python client against the `counter` example."""

import asyncio
import json
from contextlib import AsyncExitStack

import websockets
from conftest import PATIENCE, Host, Peer
from transports import Client


async def test_all_clients_show_one_counter(counter: Host) -> None:
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(Peer().connected(counter))
        second = await stack.enter_async_context(Peer("msgpack").connected(counter))
        reader = await stack.enter_async_context(Peer().connected(counter, by="sse"))
        everybody = [first, second, reader]
        for peer in everybody:
            await peer.until(lambda value: value["people"] == 3)

        await first.propose(count={"Int": 1})
        await second.until(lambda value: value["count"] == 1)
        await second.propose(count={"Int": 2})
        for peer in everybody:
            await peer.until(lambda value: value["count"] == 2)

        # It ticks by itself, and at any one revision it is the same counter.
        rev = first.rev + 1
        for peer in everybody:
            while peer.rev < rev:
                await peer.event()
        assert first.value["tick"] > 0
        same = {json.dumps(peer.value, sort_keys=True) for peer in everybody if peer.rev == rev}
        assert len(same) == 1


async def test_what_the_host_counts_is_not_for_clients(counter: Host) -> None:
    async with Peer().connected(counter) as peer:
        await peer.propose(people={"Int": 1000})
        kind = "change"
        while kind == "change":
            kind, message = await peer.event()
        assert kind == "reject"
        assert "people" in message["error"]
        assert peer.value["people"] < 1000


async def test_people_go(counter: Host) -> None:
    async with Peer().connected(counter) as stays:
        async with websockets.connect(counter.ws):
            await stays.until(lambda value: value["people"] == 2)
        await stays.until(lambda value: value["people"] == 1)
