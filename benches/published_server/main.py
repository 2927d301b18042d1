"""The published Python package serving the same model, with the routes of `bench_server`."""

import argparse
import asyncio
import contextlib
import resource
import time

import transports
import uvicorn
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route, WebSocketRoute


class Row(BaseModel):
    id: int
    name: str
    price: float = 1.5
    qty: int = 0


class Board(BaseModel):
    tick: int = 0
    ts: int = 0
    v00: float = 0.5
    v01: float = 1.5
    v02: float = 2.5
    v03: float = 3.5
    v04: float = 4.5
    v05: float = 5.5
    v06: float = 6.5
    v07: float = 7.5
    i00: int = 0
    i01: int = 1
    i02: int = 2
    i03: int = 3
    i04: int = 4
    i05: int = 5
    s00: str = "text of s00"
    s01: str = "text of s01"
    s02: str = "text of s02"
    s03: str = "text of s03"
    rows: list[Row] = []


def app(rows: int) -> Starlette:
    board = Board(rows=[Row(id=id, name=f"row {id}") for id in range(rows)])
    session = transports.Session()
    session.host(board)
    server = transports.Server(session)
    stats = {"mutations": 0, "last_ts": 0}
    running = set()

    def change() -> None:
        board.tick += 1
        board.ts = time.time_ns()
        if board.rows:
            board.rows[board.tick % len(board.rows)].qty += 1
        stats["mutations"] += 1
        stats["last_ts"] = board.ts

    async def run(hz: float, secs: float) -> None:
        """As `Control::run` of the Rust servers: late ticks make the run longer, not denser."""
        total = int(hz * secs + 0.5)
        period = max(1 / hz, 0.001)
        due = 0.0
        done = 0
        next_tick = time.monotonic() + period
        while done < total:
            await asyncio.sleep(max(0.0, next_tick - time.monotonic()))
            next_tick = max(next_tick, time.monotonic() - 0.005) + period
            due += hz * period
            while done < total and done < due - 0.5:
                change()
                done += 1

    async def ctl(request):
        query = request.query_params
        task = asyncio.create_task(run(float(query["hz"]), float(query["secs"])))
        running.add(task)
        task.add_done_callback(running.discard)
        return PlainTextResponse("", status_code=202)

    async def show(_request):
        return JSONResponse(stats)

    @contextlib.asynccontextmanager
    async def lifespan(_app):
        task = asyncio.create_task(transports.autosync(server))
        yield
        task.cancel()

    return Starlette(
        lifespan=lifespan,
        routes=[
            Route("/ctl", ctl),
            Route("/stats", show),
            WebSocketRoute("/ws", transports.ws_endpoint(server)),
            Route("/sse", transports.sse_endpoint(server)),
        ],
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--rows", type=int, default=0)
    args = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    # Without compression, which other servers here do not do either.
    uvicorn.run(
        app(args.rows),
        host="127.0.0.1",
        port=args.port,
        log_level="warning",
        ws_per_message_deflate=False,
    )
