"""Makes seeds for the fuzz targets from the wire vectors in `tests/conformance`: what real peers say is where to start.

Writes to `fuzz/corpus/<target>`, which git ignores. A script is written as `src/script.rs` reads it.
"""

import hashlib
import json
import struct
from pathlib import Path

HERE = Path(__file__).parent
VECTORS = HERE.parent / "tests" / "conformance"
CODECS = {"json": 0, "msgpack": 1, "cbor": 2}
LONGEST = 4096
# A snapshot up to its value.
BEFORE = {
    "json": b'{"t":"snapshot","id":1,"type":"V","rev":0,"value":',
    "msgpack": b"\x85\xa1t\xa8snapshot\xa2id\x01\xa4type\xa1V\xa3rev\x00\xa5value",
    "cbor": b"\xa5\x61t\x68snapshot\x62id\x01\x64type\x61V\x63rev\x00\x65value",
}


def cases(file, group=None):
    cases = json.loads((VECTORS / file).read_text())["cases"]
    return cases[group] if group else cases


def frame_of(case):
    """The frame that a step or case brings, if it brings one."""
    if "text" in case:
        return case["text"].encode(errors="replace")
    return bytes.fromhex(case.get("hex", ""))


def in_each_codec(case):
    """The encodings that a case lists, by codec."""
    for codec in CODECS:
        if codec in case:
            yield codec, case[codec].encode() if codec == "json" else bytes.fromhex(case[codec])


def script(*steps):
    return b"".join(struct.pack("<BH", number, len(data)) + data for number, data in steps)


def text(message):
    return json.dumps(message, separators=(",", ":")).encode()


def snapshot(value):
    return {"t": "snapshot", "id": 1, "type": "V", "rev": 1, "value": value}


def patch(patch):
    return {"t": "patch", "id": 1, "patch": patch}


def masked(first, payload):
    """A frame of a WebSocket client, with a mask of zeros."""
    length = len(payload)
    if length < 126:
        head = bytes([first, 0x80 | length])
    else:
        head = bytes([first, 0x80 | 126]) + struct.pack(">H", length)
    return head + bytes(4) + payload


SCHEMA = {
    "t": "schema",
    "type": "T",
    "schema": {
        "type": {"Optional": {"Named": "T"}},
        "definitions": [
            {"name": "T", "doc": "d", "type": {"Struct": {"rest": {"Map": {"Int": {"min": 0}}}, "fields": [
                {"name": "a", "type": "Float", "range": {"min": 0.5, "max": 1, "exclusive": True}, "has_default": True},
                {"name": "b", "type": {"List": {"Named": "E"}}, "length": {"max": 3}, "read_only": True},
            ]}}},
            {"name": "E", "type": {"Enum": {"tagging": {"Adjacent": {"tag": "t", "content": "c"}}, "variants": [
                {"name": "A"},
                {"name": "B", "type": {"Tuple": ["Str", {"Array": ["Bool", 2]}, {"Set": {"Named": "N"}}, "Any"]}},
            ]}}},
            {"name": "N", "type": {"Names": [{"name": "x", "doc": "d"}]}},
        ],
    },
}


def frames():
    """All frames there are, with their codecs."""
    for file, group in [("messages.json", "roundtrip"), ("values.json", "encode")]:
        for case in cases(file, group):
            for codec, data in in_each_codec(case):
                yield codec, data if file == "messages.json" else BEFORE[codec] + data
    for file in ["messages.json", "values.json"]:
        for case in cases(file, "decode"):
            frame = frame_of(case)
            yield case["codec"], frame if file == "messages.json" else BEFORE[case["codec"]] + frame
    for file in ["server.json", "client.json"]:
        for case in cases(file):
            for step in case["steps"]:
                if frame := frame_of(step):
                    yield case.get("codec") or step.get("codec") or "json", frame


def scripts():
    """For each target what it starts from."""
    for codec, frame in frames():
        number = CODECS[codec]
        yield "decode", frame
        yield "diff", script((number, frame))
        yield "mirror", bytes([number]) + script((0, frame))
        yield "edit", bytes([0]) + script((number, frame))
        yield "connection", bytes([number]) + script((0, f"codec={codec}".encode()), (1, frame))
        yield "connection", bytes([number]) + script((2, frame))
        first = 0x81 if codec == "json" else 0x82
        yield "socket", bytes([255]) + masked(first, frame)
        yield "socket", bytes([7]) + masked(first - 0x80, frame[:3]) + masked(0x89, b"?") + masked(0x80, frame[3:])
    for case in cases("client.json"):
        received = [(0, frame) for step in case["steps"] if (frame := frame_of(step))]
        yield "mirror", bytes([CODECS[case.get("codec", "json")]]) + script(*received)
    for case in cases("apply.json"):
        whole = {"rev": 0, "ops": [{"Set": {"path": [], "value": case["value"]}}]}
        steps = (0, text(patch(whole))), (0, text(patch(case["patch"])))
        yield "edit", bytes([0]) + script(*steps)
        steps = (0, text(snapshot(case["value"]))), (0, text(patch(case["patch"])))
        yield "mirror", bytes([0]) + script(*steps)
    for case in cases("diff.json"):
        yield "diff", script((0, text(snapshot(case["old"]))), (0, text(snapshot(case["new"]))))
    for case in cases("server.json"):
        sent = [(1, frame) for step in case["steps"] if (frame := frame_of(step))]
        yield "connection", bytes([0]) + script(*sent, (3, b""))
    for case in cases("urls.json", "server_reads"):
        yield "connection", bytes([0]) + script((0, case["query"].encode()))
        yield "query", case["query"].encode()
    whole = {"rev": 0, "ops": [{"Set": {"path": [], "value": {"Str": "caf\u00e9 \U0001f600"}}}]}
    splice = {"rev": 1, "ops": [{"Splice": {"path": [], "at": 3, "delete": 2, "insert": "e\u0301"}}]}
    yield "decode", text(patch(splice))
    yield "edit", bytes([0]) + script((0, text(patch(whole))), (0, text(patch(splice))))
    for code in [b"", b"\x03\xe8", b"\x03\xe8bye", b"\x03\xee", b"\0"]:
        yield "socket", bytes([1]) + masked(0x88, code)
    yield "mirror", bytes([0]) + script((0, text(SCHEMA)))
    # Decisions: all possible first ones, and enough of them to come to something.
    for first in [0, 1, 2, 64, 127, 128, 255]:
        for number in range(8):
            steps = [(number, bytes((7 * k + number * step) % 256 for k in range(24))) for step in range(8)]
            for target in ["edit", "mirror", "connection"]:
                yield target, bytes([first]) + script(*steps, (5, b""), (6, b"\1\2\3"))
            yield "diff", script(*steps)


def main():
    for target, seed in scripts():
        if len(seed) <= LONGEST:
            folder = HERE / "corpus" / target
            folder.mkdir(parents=True, exist_ok=True)
            (folder / hashlib.sha1(seed).hexdigest()).write_bytes(seed)


if __name__ == "__main__":
    main()
