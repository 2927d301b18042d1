"""Comms and widgets of the kernel, and the same script against the published package under ipykernel."""

import json
from datetime import datetime

import pytest
from conftest import PATIENCE, Kernel, outputs

WIDGET = "application/vnd.jupyter.widget-view+json"


def edit(field, value, proposal):
    ops = [{"Set": {"path": [{"Key": field}], "value": value}}]
    message = {"t": "patch", "id": 1, "patch": {"rev": 0, "ops": ops}, "proposal": proposal}
    return json.dumps(message)


def messages(published):
    """The protocol's messages of what was published on comms and by widgets, batches taken apart."""
    texts = []
    for message in published:
        if message["msg_type"] == "comm_msg":
            data = message["content"]["data"]
            if isinstance(data, str):
                texts.append(data)
            elif data.get("method") == "custom" and "wire" in data["content"]:
                texts.append(data["content"]["wire"])
    return [part for text in texts for part in parts(json.loads(text))]


def parts(message):
    return message["msgs"] if message["t"] == "batch" else [message]


def has(published, test):
    return any(test(m) for m in messages([published]))


def settles(proposal):
    return lambda m: m.get("proposal") == proposal


def open_comm(kernel, comm_id="c1", target="transports", data=None):
    content = {"comm_id": comm_id, "target_name": target, "data": data or {}}
    kernel.request("comm_open", content)
    return lambda text: kernel.request("comm_msg", {"comm_id": comm_id, "data": text})


def test_a_comm_of_a_front_end(kernel):
    send = open_comm(kernel)
    published = kernel.published(lambda m: has(m, lambda m: m["t"] == "patch"))
    first, *patches = messages(published)
    assert (first["t"], first["type"]) == ("snapshot", "Greenhouse")
    assert patches, "it is live"

    send(edit("name", {"Str": "south"}, "p"))
    published = kernel.published(lambda m: has(m, settles("p")))
    assert messages(published)[-1]["t"] == "patch"

    send(edit("wanted", {"Int": 99}, "q"))
    published = kernel.published(lambda m: has(m, settles("q")))
    snapshot, reject = [m for m in messages(published) if m["t"] != "patch"]
    assert snapshot["t"] == "snapshot" and reject["t"] == "reject"
    assert reject["error"] == "wanted: 99 is not in 5..=35"

    assert kernel.ask("comm_info_request", {"target_name": "transports"})["comms"] == {
        "c1": {"target_name": "transports"}
    }
    kernel.request("comm_close", {"comm_id": "c1", "data": {}})
    assert kernel.ask("comm_info_request", {})["comms"] == {}


@pytest.mark.parametrize(
    ("target", "data", "reason"),
    [
        ("nonsense", {}, "there is no target `nonsense`"),
        ("transports", {"query": "codec=cbor"}, "a comm carries JSON only: the codec `cbor` cannot be used"),
        ("transports", {"query": "since=x"}, "`since` has to be a JSON object"),
    ],
)
def test_a_comm_that_is_refused(kernel, target, data, reason):
    open_comm(kernel, target=target, data=data)
    published = kernel.published(lambda m: m["msg_type"] == "comm_close")
    assert published[-1]["content"]["data"]["error"].startswith(reason)
    assert kernel.ask("comm_info_request", {})["comms"] == {}


def test_a_malformed_message_closes_its_comm_alone(kernel):
    send = open_comm(kernel)
    open_comm(kernel, "c2")
    send("{")
    closed = kernel.published(lambda m: m["msg_type"] == "comm_close")[-1]
    assert closed["content"]["comm_id"] == "c1"
    assert list(kernel.ask("comm_info_request", {})["comms"]) == ["c2"]


def show(kernel, code="show"):
    _, published = kernel.run(code)
    [opened] = outputs(published, "comm_open")
    [shown] = outputs(published, "display_data")
    assert shown["data"][WIDGET]["model_id"] == opened["comm_id"]
    assert shown["data"]["text/plain"]
    return opened, lambda data: kernel.request("comm_msg", {"comm_id": opened["comm_id"], "data": data})


def custom(content):
    return {"method": "custom", "content": content}


def test_a_widget_is_silent_before_ready_and_complete_after_each(kernel):
    opened, send = show(kernel)
    assert opened["data"]["state"]["_model_name"] == "AnyModel"
    _, published = kernel.run("harvest 4")
    assert not messages(published), "a view that does not listen is told nothing"
    for _ in range(2):
        send(custom({"ready": True}))
        published = kernel.published(lambda m: has(m, lambda m: m["t"] == "snapshot"))
        published += kernel.published(lambda m: has(m, lambda m: m["t"] == "patch"))
    send(custom({"wire": edit("name", {"Str": "south"}, "p")}))
    kernel.published(lambda m: has(m, settles("p")))


def test_a_view_that_asks_is_told_the_schema_before_the_model(kernel):
    opened, send = show(kernel)
    assert set(opened["data"]["state"]) & {"rules", "shown"} == {"shown"}, "there is one way to be told"
    send(custom({"ready": True, "schema": True}))
    told = messages(kernel.published(lambda m: has(m, lambda m: m["t"] == "snapshot")))
    assert [m["t"] for m in told][:2] == ["schema", "snapshot"]
    greenhouse, *others = told[0]["schema"]["definitions"]
    assert greenhouse["name"] == "Greenhouse" and {other["name"] for other in others} == {"Mode", "Bed"}
    [wanted] = [field for field in greenhouse["type"]["Struct"]["fields"] if field["name"] == "wanted"]
    assert wanted["range"] == {"min": 5, "max": 35}
    assert wanted["doc"] == "Where the heating stops, in degrees."


def test_a_page_that_is_loaded_anew_finds_its_widgets(kernel):
    opened, _ = show(kernel)
    comm = opened["comm_id"]
    kernel.request("comm_open", {"comm_id": "ctl", "target_name": "jupyter.widget.control", "data": {}})
    kernel.request("comm_msg", {"comm_id": "ctl", "data": {"method": "request_states"}})
    found = kernel.published(lambda m: m["content"].get("comm_id") == "ctl")[-1]["content"]["data"]
    assert found["method"] == "update_states"
    state = found["states"][comm]
    assert state["model_name"] == "AnyModel" and state["state"]["_esm"] == opened["data"]["state"]["_esm"]

    assert comm in kernel.ask("comm_info_request", {"target_name": "jupyter.widget"})["comms"]
    kernel.request("comm_msg", {"comm_id": comm, "data": {"method": "request_state"}})
    found = kernel.published(lambda m: m["content"].get("comm_id") == comm)[-1]["content"]["data"]
    assert found["method"] == "update" and found["state"]["_esm"] == state["state"]["_esm"]


def test_the_front_ends_part_of_a_widgets_state_is_echoed(kernel):
    opened, send = show(kernel)
    send({"method": "update", "state": {"folded": [1]}, "buffer_paths": []})
    found = kernel.published(lambda m: m["content"].get("comm_id") == opened["comm_id"])
    data = found[-1]["content"]["data"]
    assert (data["method"], data["state"]) == ("echo_update", {"folded": [1]})


def test_a_burst_stays_below_the_limit_and_ends_equal(kernel):
    _, send = show(kernel)
    send(custom({"ready": True}))
    kernel.published(lambda m: has(m, lambda m: m["t"] == "snapshot"))
    request = kernel.request("execute_request", {"code": "burst 50000"})
    steps = []

    def enough(message):
        for m in messages([message]):
            for op in m.get("patch", {}).get("ops", []):
                if op["Set"]["path"] == [{"Key": "steps"}]:
                    steps.append(op["Set"]["value"]["Int"])
        return bool(steps) and steps[-1] >= 50_000

    published = kernel.published(enough, timeout=2 * PATIENCE)
    assert kernel.answer(request)["status"] == "ok"
    assert steps == sorted(steps)
    sent = [m for m in published if m["msg_type"] == "comm_msg"]
    first, last = (datetime.fromisoformat(m["header"]["date"]) for m in (published[0], published[-1]))
    seconds = (last - first).total_seconds()
    assert len(sent) <= 260 + 250 * seconds, f"{len(sent)} in {seconds} s"


SCRIPT = """
import transports
from pydantic import BaseModel

class Greenhouse(BaseModel):
    name: str = "north"
    wanted: int = 21

session = transports.Session()
model = Greenhouse()
session.host(model)
server = transports.Server(session)
get_ipython().kernel.comm_manager.register_target(
    "transports", lambda comm, _: transports.serve_comm(server, comm)
)
"""


def transcript(kernel):
    """Opens a comm, edits, edits badly: what a client is told of the fields both models have."""
    send = open_comm(kernel)
    told = kernel.published(lambda m: has(m, lambda m: m["t"] == "snapshot"))
    for field, value, name in [
        ("name", {"Str": "south"}, "a"),
        ("wanted", {"Int": 30}, "b"),
        ("wanted", {"Str": "warm"}, "c"),
    ]:
        send(edit(field, value, name))
        told += kernel.published(lambda m, name=name: has(m, settles(name)))
    return [canonical(m) for m in messages(told) if m["t"] != "patch" or "proposal" in m]


def canonical(message):
    """Without revisions and wordings, and without what only one of the models has."""
    message = {k: v for k, v in message.items() if k != "rev"}
    if "error" in message:
        message["error"] = "*"
    if "patch" in message:
        message["patch"] = message["patch"]["ops"]
    if "value" in message:
        fields = message["value"]["Map"]
        message["value"] = {"Map": {name: fields[name] for name in ("name", "wanted")}}
    return message


def test_a_comm_says_what_the_published_packages_does(kernel, specs):
    ours = transcript(kernel)
    with Kernel(specs, "python3") as published:
        reply, _ = published.run(SCRIPT)
        assert reply["status"] == "ok", reply
        theirs = transcript(published)
    assert [m["t"] for m in theirs] == ["snapshot", "patch", "patch", "snapshot", "reject"]
    assert ours == theirs
