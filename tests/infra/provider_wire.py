"""Protocol buffers, as far as plug-in protocol 5 of Terraform needs them."""

import json

import msgpack


def varint(number):
    out = b""
    while number > 0x7F:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def field(number, value):
    if isinstance(value, bool):
        value = int(value)
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, str):
        value = value.encode()
    return varint(number << 3 | 2) + varint(len(value)) + value


def fields(message):
    """The length-delimited fields of a message, by number; of repeated ones the last."""
    found, at = {}, 0

    def take():
        nonlocal at
        number = shift = 0
        while True:
            byte = message[at]
            at += 1
            number |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return number

    while at < len(message):
        key = take()
        if key & 7 == 0:
            found[key >> 3] = take()
        else:
            size = take()
            found[key >> 3] = message[at : at + size]
            at += size
    return found


UNKNOWN = msgpack.ExtType(0, b"\0")


def value_of(dynamic):
    parts = fields(dynamic or b"")
    if 1 in parts:
        return msgpack.unpackb(parts[1], strict_map_key=False)
    return json.loads(parts[2]) if 2 in parts else None


def dynamic(value):
    return field(1, msgpack.packb(value))
