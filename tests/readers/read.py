"""Reads envelopes as consumers do, with three readers, and says where one of them gets something else than the sender sent.

Batches come in on standard input, a report of each goes out on standard output. A batch is a u32 that says how it is
read (0: each message on its own, 1: as one text, line by line), a u32 that counts its events, then for each event its
envelope and the sender's body, each a u32 of length and so many bytes. (All numbers are little-endian.)
"""
import base64
import json
import math
import struct
import sys

import jq
from cloudevents.core.formats.json import JSONFormat
from cloudevents.v1.http import from_json

JQ = jq.compile(".")


def same(a, b):
    """Whether two values are the same data. Numbers are compared as doubles, which is what jq reads; it rounds
    them to 17 digits first, so that its double is the next one at times."""
    if type(a) is bool or type(b) is bool:
        return a is b
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return math.isclose(a, b, rel_tol=3e-16, abs_tol=1e-323)
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(value, b[key]) for key, value in a.items())
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


def parsed(envelope, body, by):
    """What `by` gets from the body alone and what it gets from an envelope that it has parsed already."""
    if "data" in envelope:
        return by(body), envelope["data"]
    return body, base64.b64decode(envelope["data_base64"], validate=True)


def python(text, body):
    message = json.loads(text)
    envelope = message.get("envelope", message)
    expected, got = parsed(envelope, body, json.loads)
    if expected != got:
        raise ValueError("other data")
    # A value that was read can be written again, by a consumer that writes UTF-8 and no Infinity.
    if "data" in envelope:
        json.dumps(got, ensure_ascii=False, allow_nan=False).encode()
    return envelope, expected, text if envelope is message else json.dumps(envelope)


def sdk(text, envelope, expected):
    # The older interface would parse bytes again, unless it is told what to do with data.
    by_older = json.loads if "data" in envelope else bytes
    for event in (JSONFormat().read(None, text), from_json(text, by_older)):
        is_new = hasattr(event, "get_data")
        data = event.get_data() if is_new else event.data
        if data != expected or type(data) is not type(expected):
            raise ValueError("other data")
        for name, value in envelope.items():
            if name in ("data", "data_base64"):
                continue
            got = event.get_attributes()[name] if is_new else event[name]
            if got != value and not (is_new and name == "time" and got.tzinfo):
                raise ValueError(f"other {name}")


def by_jq(got, envelope, body):
    got = got.get("envelope", got)
    if not same(got, envelope):
        raise ValueError("other than Python's json")
    if "data" in envelope and not same(got["data"], JQ.input_text(body.decode()).first()):
        raise ValueError("other data")


def read(line_by_line, events):
    failures = []

    def tried(reader, index, work, *arguments):
        try:
            return work(*arguments)
        except Exception as error:
            failures.append({"reader": reader, "index": index, "why": f"{type(error).__name__}: {error}"[:200]})
            return None

    texts = [envelope.decode() for envelope, _ in events]
    whole = "".join(text + "\n" for text in texts)
    if line_by_line:
        lines = whole.splitlines()
        if lines != texts:
            first = next((i for i, text in enumerate(texts) if text.splitlines() != [text]), 0)
            failures.append({"reader": "Python's splitlines", "index": first, "why": f"{len(lines)} lines"})
    # As the program reads a file: whatever it cannot read takes what follows with it.
    try:
        from_jq = list(JQ.input_text(whole))
    except ValueError:
        from_jq = []
    for index, (text, (_, body)) in enumerate(zip(texts, events)):
        read = tried("Python's json", index, python, text, body)
        if len(from_jq) == len(texts):
            value = from_jq[index]
        else:
            value = tried("jq", index, JQ.input_text(text).first)
        if read is None:
            continue
        envelope, expected, alone = read
        tried("Python's CloudEvents", index, sdk, alone, envelope, expected)
        if value is not None:
            tried("jq", index, by_jq, value, envelope, body)
    return failures


def main():
    source, out = sys.stdin.buffer, sys.stdout

    def number():
        return struct.unpack("<I", source.read(4))[0]

    while head := source.read(4):
        (line_by_line,) = struct.unpack("<I", head)
        events = [(source.read(number()), source.read(number())) for _ in range(number())]
        print(json.dumps(read(line_by_line, events)), file=out, flush=True)


main()
