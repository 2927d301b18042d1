"""The published Python client against the `device` example."""

import asyncio
import contextlib
import json
from contextlib import AsyncExitStack

import pytest
import websockets
from conftest import PATIENCE, Host, Peer
from plain import plain
from pydantic import BaseModel
from transports import protocol
from websockets.exceptions import ConnectionClosed, InvalidStatus

CODECS = ["json", "msgpack", "cbor"]

OPENING = {
    "name": "lamp",
    "on": False,
    "brightness": 50,
    "tags": ["a", "b"],
    "meta": {"x": 1},
    "children": [{"id": 1, "label": "one"}, {"id": 2, "label": "two"}],
}


class Child(BaseModel):
    id: int
    label: str


class Device(BaseModel):
    name: str
    on: bool
    brightness: int
    tags: list[str]
    meta: dict[str, int]
    children: list[Child]


def set_field(field: str, value: dict) -> str:
    op = {"Set": {"path": [{"Key": field}], "value": value}}
    return json.dumps({"t": "patch", "id": 1, "patch": {"rev": 0, "ops": [op]}})


async def still_served(host: Host, peer: Peer) -> None:
    """An edit of the peer still finds its way."""
    await peer.propose(meta={"Map": {"still": {"Int": 1}}})
    await peer.until(lambda value: value["meta"] == {"still": 1})


@pytest.mark.parametrize("codec", CODECS)
async def test_opening_snapshot(device: Host, codec: str) -> None:
    async with Peer(codec).connected(device) as peer:
        assert peer.value == OPENING
        assert peer.rev == 0
        assert peer.client.model(1, Device) == Device(**OPENING)


@pytest.mark.parametrize("codec", CODECS)
async def test_frames_are_of_the_codec_asked_for(device: Host, codec: str) -> None:
    async with websockets.connect(f"{device.ws}?codec={codec}") as socket:
        frame = await asyncio.wait_for(socket.recv(), PATIENCE)
        assert isinstance(frame, str if codec == "json" else bytes)
        assert plain(protocol.decode(frame, codec)["value"]) == OPENING


@pytest.mark.parametrize("codec", CODECS)
async def test_an_edit_is_acknowledged_and_all_see_it(device: Host, codec: str) -> None:
    async with AsyncExitStack() as stack:
        editor = await stack.enter_async_context(Peer(codec).connected(device))
        others = [await stack.enter_async_context(Peer(other).connected(device)) for other in CODECS]
        await editor.propose(on={"Bool": True}, tags={"List": [{"Str": "b"}, {"Str": "ü"}]})
        assert editor.value == OPENING, "the mirror waits for the server"

        echo = await editor.patch()
        assert echo["proposal"] == "auto-1"
        assert (await editor.event())[0] == "ack"
        assert editor.client.pending_proposals() == []

        expected = OPENING | {"on": True, "tags": ["b", "ü"]}
        for other in others:
            assert "proposal" not in await other.patch()
        for peer in [editor, *others]:
            assert (peer.rev, peer.value) == (1, expected)


@pytest.mark.parametrize("codec", CODECS)
async def test_a_refused_edit_is_taken_back(device: Host, codec: str) -> None:
    async with Peer(codec).connected(device) as peer, Peer().connected(device) as other:
        await peer.propose(brightness={"Int": 101})

        kind, change = await peer.event()
        assert (kind, change["t"]) == ("change", "snapshot")
        kind, reject = await peer.event()
        assert kind == "reject"
        assert (reject["id"], reject["rev"], reject["proposal"]) == (1, 0, "auto-1")
        assert "brightness" in reject["error"]
        assert peer.client.pending_proposals() == []
        assert (peer.rev, peer.value) == (0, OPENING)

        # Nobody else noticed: the next thing the other sees is the next edit.
        await peer.propose(brightness={"Int": 100})
        assert (await other.patch())["patch"]["rev"] == 1


@pytest.mark.parametrize("codec", CODECS)
async def test_the_host_reacts_after_the_echo(device: Host, codec: str) -> None:
    async with Peer(codec).connected(device) as peer:
        await peer.propose(name={"Str": "tick"})

        echo = await peer.patch()
        assert (echo["patch"]["rev"], echo["proposal"]) == (1, "auto-1")
        assert (await peer.event())[0] == "ack"
        reaction = await peer.patch()
        assert reaction["patch"]["rev"] == 2
        assert "proposal" not in reaction
        assert peer.value == OPENING | {"name": "tick", "brightness": 51}

        # It was named "tick" before, so there is no reaction: the next revision is the next edit's.
        await peer.propose(name={"Str": "tick"}, on={"Bool": True})
        assert (await peer.patch())["patch"]["rev"] == 3
        assert (await peer.event())[0] == "ack"
        await peer.propose(on={"Bool": False})
        assert (await peer.patch())["patch"]["rev"] == 4
        assert peer.value["brightness"] == 51


@pytest.mark.parametrize("codec", CODECS)
async def test_after_a_cut_only_what_was_missed_is_sent(device: Host, codec: str) -> None:
    away = Peer(codec)
    async with away.connected(device):
        pass
    async with Peer().connected(device) as editor:
        for brightness in [60, 70]:
            await editor.propose(brightness={"Int": brightness})
            await editor.until(lambda value: value["brightness"] == brightness)

    # On a bare socket, to see the frames as they are.
    async with websockets.connect(away.client._connect_url(device.ws)) as socket:
        for rev in [1, 2]:
            frame = await asyncio.wait_for(socket.recv(), PATIENCE)
            message = protocol.decode(frame, codec)
            assert (message["t"], message["patch"]["rev"]) == ("patch", rev)
        # That was all: what follows is the answer to this edit.
        await socket.send(set_field("on", {"Bool": True}))
        frame = await asyncio.wait_for(socket.recv(), PATIENCE)
        assert protocol.decode(frame, codec)["patch"]["rev"] == 3

    async with away.connected(device):
        revs = [(await away.patch())["patch"]["rev"] for _ in range(3)]
        assert revs == [1, 2, 3]
        assert away.value == OPENING | {"brightness": 70, "on": True}


async def test_edits_of_many_end_the_same_everywhere(device: Host) -> None:
    rounds = 20
    async with AsyncExitStack() as stack:
        peers = [await stack.enter_async_context(Peer(codec).connected(device)) for codec in CODECS]
        for number in range(1, rounds + 1):
            for key, peer in enumerate(peers):
                op = {"Set": {"path": [{"Key": "meta"}, {"Key": f"k{key}"}], "value": {"Int": number}}}
                assert await peer.client.propose_ops(1, [op])
        expected = OPENING | {"meta": {"x": 1, "k0": rounds, "k1": rounds, "k2": rounds}}
        for peer in peers:
            while peer.rev < rounds * len(peers):
                await peer.event()
            assert peer.value == expected
            assert peer.client.pending_proposals() == []


async def test_events_bring_the_snapshot_and_then_patches(device: Host) -> None:
    async with Peer().connected(device, by="sse") as reader, Peer("cbor").connected(device) as editor:
        assert reader.value == OPENING
        await editor.propose(children={"List": []})
        patch = await reader.patch()
        assert patch["patch"]["rev"] == 1
        assert "proposal" not in patch
        assert reader.value == editor.value == OPENING | {"children": []}


async def closing(socket: websockets.ClientConnection) -> tuple[int, str]:
    """The code and the reason with which the server closes."""
    with pytest.raises(ConnectionClosed) as closed:
        while True:
            await asyncio.wait_for(socket.recv(), PATIENCE)
    assert closed.value.rcvd is not None, "there was no close frame"
    return closed.value.rcvd.code, closed.value.rcvd.reason


@pytest.mark.parametrize(
    "frame",
    [
        "not JSON",
        b"\xc1",
        "[]",
        '{"t":"patch","id":1}',
        '{"t":"patch","id":1,"patch":{"rev":0,"ops":[{"Swap":{"path":[]}}]}}',
        '{"t":"patch","id":-1,"patch":{"rev":0,"ops":[]}}',
    ],
)
async def test_a_malformed_frame_ends_its_connection_only(device: Host, frame: str | bytes) -> None:
    async with Peer().connected(device) as other:
        async with websockets.connect(device.ws) as socket:
            await socket.send(frame)
            code, reason = await closing(socket)
            assert code == 1007
            assert reason.startswith("malformed frame")
        await still_served(device, other)


LIMIT = 1 << 20


@pytest.mark.parametrize(
    "size",
    # Beyond the second the WebSocket library refuses them by itself.
    [LIMIT + 1, LIMIT + 2, 3 * LIMIT],
)
async def test_an_oversized_frame_ends_its_connection_only(device: Host, size: int) -> None:
    async with Peer().connected(device) as other:
        async with websockets.connect(device.ws) as socket:
            # The server may be done with the frame before all of it is sent.
            with contextlib.suppress(ConnectionClosed):
                await socket.send("x" * size)
            code, reason = await closing(socket)
            assert code == 1009
            assert reason
        await still_served(device, other)


@pytest.mark.parametrize(
    ("query", "text"),
    [("codec=xml", "xml"), ("codec=JSON", "JSON"), ("since=7", "since"), ("since=%7B%221%22", "since")],
)
async def test_a_bad_query_is_refused_before_the_upgrade(device: Host, query: str, text: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await websockets.connect(f"{device.ws}?{query}")
    assert refused.value.response.status_code == 400
    assert text in refused.value.response.body.decode()
