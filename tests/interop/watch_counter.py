"""Prints the counter at the given WebSocket address, as a line of JSON, whenever it changes."""

import asyncio
import json
import os
import sys

from plain import plain
from transports import Client

# The server is on this machine, whatever proxy there may be.
os.environ["NO_PROXY"] = "127.0.0.1"

client = Client()
client.on_change(lambda change: print(json.dumps(plain(client.value(1))), flush=True))
asyncio.run(client.run(sys.argv[1], retry=0.1))
