"""nginx in front of the `counter` example, configured as docs/operations.md says."""

import contextlib
import json
import re
import select
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import websockets
from conftest import PATIENCE, ROOT, Host, Peer
from httpx_sse import aconnect_sse

NGINX = "/usr/sbin/nginx"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def documented(port: int, upstream: str) -> str:
    """The configuration of the documentation, with other addresses."""
    text = (ROOT / "docs" / "operations.md").read_text()
    [config] = re.findall(r"```nginx\n(.*?)```", text, re.DOTALL)
    for old, new in [("listen 80;", f"listen 127.0.0.1:{port};"), ("127.0.0.1:8000", upstream)]:
        assert config.count(old) == 1, f"`{old}` stands once in the configuration"
        config = config.replace(old, new)
    return config


@pytest.fixture
def proxied(counter: Host, tmp_path: Path) -> Iterator[Host]:
    port = free_port()
    paths = "".join(
        f"{kind}_temp_path {tmp_path}/{kind};\n" for kind in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    )
    config = tmp_path / "nginx.conf"
    config.write_text(
        f"daemon off; master_process off; pid {tmp_path}/pid; error_log stderr;\n"
        f"events {{}}\nhttp {{\naccess_log off;\n{paths}{documented(port, counter.address)}\n}}\n"
    )
    process = subprocess.Popen([NGINX, "-p", tmp_path, "-c", config, "-e", "stderr"])
    try:
        deadline = time.monotonic() + PATIENCE
        while True:
            assert process.poll() is None, "nginx ended"
            assert time.monotonic() < deadline, "nginx does not start"
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            select.select([], [], [], 0.02)
        yield Host(f"127.0.0.1:{port}")
        assert process.poll() is None, "nginx ended"
    finally:
        process.kill()
        process.wait()


def proposal(count: int, name: str) -> str:
    ops = [{"Set": {"path": [{"Key": "count"}], "value": {"Int": count}}}]
    return json.dumps({"t": "patch", "id": 1, "patch": {"rev": 0, "ops": ops}, "proposal": name})


async def test_websockets_and_events_go_through(proxied: Host) -> None:
    async with Peer("msgpack").connected(proxied) as peer, Peer().connected(proxied, by="sse") as reader:
        await peer.propose(count={"Int": 5})
        await reader.until(lambda value: value["count"] == 5)
        rev = peer.rev
    # Resumed: no snapshot.
    async with websockets.connect(f"{proxied.ws}?since=%7B%221%22:{rev}%7D") as socket_:
        assert json.loads(await socket_.recv())["t"] == "patch"


async def test_an_event_source_edits_and_resumes(proxied: Host) -> None:
    headers = {"accept-encoding": "gzip"}
    async with httpx.AsyncClient(timeout=PATIENCE) as http:
        async with aconnect_sse(http, "GET", proxied.sse, headers=headers) as source:
            assert "content-encoding" not in source.response.headers
            events = source.aiter_sse()
            hello = await anext(events)
            assert hello.event == "transports"
            token = {"Transports-Uplink": json.loads(hello.data)["uplink"]}
            assert (await http.post(proxied.sse, content=proposal(7, "seven"), headers=token)).status_code == 204
            async for event in events:
                if json.loads(event.data).get("proposal") == "seven":
                    break
            last = event.id
        assert (await http.post(proxied.sse, content=proposal(8, "late"), headers=token)).status_code == 403
        async with aconnect_sse(http, "GET", proxied.sse, headers={"last-event-id": last}) as source:
            events = source.aiter_sse()
            assert (await anext(events)).event == "transports"
            assert json.loads((await anext(events)).data)["t"] == "patch"


async def test_only_pages_of_the_proxy_come_in(proxied: Host) -> None:
    async with httpx.AsyncClient(timeout=PATIENCE) as http:
        for origin, status in [
            (f"http://{proxied.address}", 200),
            ("http://127.0.0.1:1", 403),
            ("https://evil.example", 403),
        ]:
            async with http.stream("GET", proxied.sse, headers={"origin": origin}) as response:
                assert response.status_code == status
            try:
                async with websockets.connect(proxied.ws, origin=origin):
                    assert status == 200
            except websockets.InvalidStatus as refused:
                assert refused.response.status_code == status
