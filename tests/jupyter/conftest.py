"""The kernel of `examples/notebook`, installed as a user would, and a client that talks to it as a front end does."""

import os
import pathlib
import queue
import subprocess
import time

import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

PATIENCE = 30  # seconds; only a failure waits for it


@pytest.fixture(scope="session")
def prefix(tmp_path_factory):
    """Where the kernel is installed."""
    folder = tmp_path_factory.mktemp("prefix")
    program = pathlib.Path(os.environ["TEST_PROGRAMS"]) / "notebook"
    subprocess.run([program, "--install", "--prefix", folder], check=True, timeout=PATIENCE)
    return folder


@pytest.fixture(scope="session")
def specs(prefix):
    manager = KernelSpecManager()
    manager.kernel_dirs = [str(prefix / "share/jupyter/kernels"), *manager.kernel_dirs]
    return manager


@pytest.fixture
def kernel(specs):
    with Kernel(specs, "greenhouse") as kernel:
        yield kernel


class Kernel:
    """A running kernel with one client."""

    def __init__(self, specs, name):
        self.manager = KernelManager(kernel_name=name, kernel_spec_manager=specs)

    def __enter__(self):
        self.manager.start_kernel(stdout=subprocess.DEVNULL)
        self.connect()
        return self

    def __exit__(self, *_):
        self.client.stop_channels()
        if self.manager.is_alive():
            self.manager.shutdown_kernel(now=True)

    def connect(self):
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=PATIENCE)

    def restart(self):
        self.client.stop_channels()
        self.manager.restart_kernel()
        self.connect()

    def request(self, kind, content, channel="shell"):
        """Sends a request and returns its id."""
        message = self.client.session.msg(kind, content)
        getattr(self.client, f"{channel}_channel").send(message)
        return message["header"]["msg_id"]

    def ask(self, kind, content, channel="shell"):
        """Sends a request and returns the content of its answer."""
        return self.answer(self.request(kind, content, channel), channel)

    def answer(self, request, channel="shell"):
        deadline = time.monotonic() + PATIENCE
        while True:
            left = deadline - time.monotonic()
            message = getattr(self.client, f"{channel}_channel").get_msg(timeout=max(left, 0.01))
            if message["parent_header"].get("msg_id") == request:
                return message["content"]

    def published(self, until, timeout=PATIENCE):
        """What is published, up to the first message that `until` is true of."""
        messages = []
        deadline = time.monotonic() + timeout
        while True:
            left = deadline - time.monotonic()
            try:
                message = self.client.get_iopub_msg(timeout=max(left, 0.01))
            except queue.Empty:
                shown = [(m["msg_type"], m["content"]) for m in messages[-20:]]
                raise AssertionError(f"it never came, but {shown}") from None
            messages.append(message)
            if until(message):
                return messages

    def idle(self, request):
        """What is published until the request is done with."""
        messages = self.published(
            lambda m: m["msg_type"] == "status"
            and m["content"]["execution_state"] == "idle"
            and m["parent_header"].get("msg_id") == request
        )
        return [m for m in messages if m["parent_header"].get("msg_id") == request]

    def run(self, code):
        """Runs a cell: its answer and what it published."""
        request = self.request("execute_request", {"code": code, "silent": False})
        published = self.idle(request)
        return self.answer(request), published


def outputs(messages, kind):
    return [m["content"] for m in messages if m["msg_type"] == kind]


def text_of(messages):
    return "".join(content["text"] for content in outputs(messages, "stream"))


def result_of(messages):
    [content] = outputs(messages, "execute_result")
    return content["data"]["text/plain"]
