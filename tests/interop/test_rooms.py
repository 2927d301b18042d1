"""The published Python client against the `rooms` example, which serves a hub."""

import asyncio
import copy
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest
from conftest import PATIENCE, Host, Peer, running
from plain import plain
from transports import Client

SHARED = 1 << 40
TEA = SHARED + 1  # the first room that is asked for; before it comes the desk


@dataclass(frozen=True)
class Door(Host):
    """Where somebody goes in."""

    guest: str = ""

    @property
    def ws(self) -> str:
        return f"{super().ws}?{self.guest}"

    @property
    def sse(self) -> str:
        return f"{super().sse}?{self.guest}"


@pytest.fixture
def rooms() -> Iterator[Host]:
    with running("rooms") as host:
        yield host


def door(host: Host, guest: str) -> Door:
    return Door(host.address, guest)


class Guest(Peer):
    """Somebody in the room `tea`."""

    @property
    def value(self):
        return plain(self.client.value(TEA)) if TEA in self.client.ids() else None

    async def write(self, text: str) -> None:
        wanted = copy.deepcopy(self.client.value(TEA))
        line = {"Map": {"by": {"Str": "somebody"}, "text": {"Str": text}}}
        wanted["Map"]["lines"]["List"].append(line)
        assert await self.client.propose(TEA, wanted)


def has(text: str):
    return lambda board: board is not None and any(line["text"] == text for line in board["lines"])


async def test_a_board_is_shared_and_notes_are_not(rooms: Host) -> None:
    async with AsyncExitStack() as stack:
        ann = await stack.enter_async_context(Guest().connected(door(rooms, "room=tea&name=ann")))
        bob = await stack.enter_async_context(Guest("cbor").connected(door(rooms, "room=tea&name=bob")))
        looker = await stack.enter_async_context(Guest().connected(door(rooms, "room=tea"), by="sse"))
        people = lambda board: board is not None and board["people"] == ["ann", "bob"]  # noqa: E731
        for guest in [ann, bob, looker]:
            await guest.until(people)
        assert ann.client.ids() == bob.client.ids() == [1, TEA]
        assert looker.client.ids() == [TEA]

        await ann.propose(text={"Str": "hush"})
        await bob.write("hello")
        for guest in [ann, bob, looker]:
            await guest.until(has("hello"))
        assert plain(bob.client.value(1)) == {"text": ""}


async def test_a_spectator_cannot_write(rooms: Host) -> None:
    async with AsyncExitStack() as stack:
        ann = await stack.enter_async_context(Guest().connected(door(rooms, "room=tea&name=ann")))
        await ann.until(lambda board: board is not None and board["people"] == ["ann"])
        looker = await stack.enter_async_context(Guest("msgpack").connected(door(rooms, "room=tea")))
        await looker.write("boo")
        while (await looker.event())[0] != "reject":
            pass
        await ann.write("quiet, please")
        await looker.until(has("quiet, please"))
        assert not has("boo")(looker.value)


async def test_who_is_there_is_told_to_all(rooms: Host) -> None:
    """Typed presence at the server is ordinary awareness here: one peer for all connections of somebody."""

    def bob_is(connections: int, typing: bool) -> dict:
        return {"who": "bob", "connections": connections, "state": {"typing": typing}}

    async with AsyncExitStack() as stack:
        ann = await stack.enter_async_context(Guest().connected(door(rooms, "room=tea&name=ann")))
        told: asyncio.Queue = asyncio.Queue()
        ann.client.on_awareness(told.put_nowait)
        await ann.until(lambda board: board is not None)

        async def hears() -> tuple:
            message = await asyncio.wait_for(told.get(), PATIENCE)
            assert message["id"] == TEA
            return message["peer"], message["state"]

        async with Guest().connected(door(rooms, "room=tea&name=bob")) as bob:
            await bob.until(lambda board: board is not None)
            peer, state = await hears()
            assert (len(peer), state) == (32, bob_is(1, False))
            async with Guest("cbor").connected(door(rooms, "room=tea&name=bob")) as tab:
                await tab.until(lambda board: board is not None)
                assert await hears() == (peer, bob_is(2, False))
                await bob.client.set_awareness(TEA, {"cursor": 3})
                await tab.client.set_awareness(TEA, {"typing": True})
                assert await hears() == (peer, bob_is(2, True)), "what is no such state is not told"
            assert await hears() == (peer, bob_is(1, False))
        assert await hears() == (peer, None)


async def test_nobody_comes_in_without_a_name_for_the_room(rooms: Host) -> None:
    with pytest.raises(Exception, match="403"):
        await asyncio.wait_for(Client().connect(door(rooms, "name=ann").ws), PATIENCE)
