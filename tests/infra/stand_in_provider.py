"""A Terraform provider that knows the schema of the real one and nothing else.

It serves the resource types of the real Google provider, taken from the bindings that are generated
from that provider for the CDK, so that Terraform itself finds wrong names, wrong types, missing
arguments and references that lead nowhere. Nothing is deployed: what is applied is written to a
journal, one JSON object a line, and comes back as state.

    stand_in_provider.py JOURNAL

prints the value for TF_REATTACH_PROVIDERS once both providers listen on loopback, and ends with its
standard input.
"""

import importlib.util
import io
import json
import os
import pathlib
import re
import sys
import tarfile
from concurrent import futures

import grpc
import msgpack

PROJECT = "a-project"
NUMBER = "123456789012"


# Protocol buffers, as far as plug-in protocol 5 needs them.


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


# The schema.


class Attribute:
    def __init__(self, kind, required=False, computed=False, write_only=False):
        self.kind, self.required, self.computed, self.write_only = kind, required, computed, write_only

    def encode(self, name):
        return (
            field(1, name)
            + field(2, json.dumps(self.kind))
            + field(4, self.required)
            + field(5, not self.required and self.computed != "only")
            + field(6, bool(self.computed))
            + field(10, self.write_only)
        )


class Block:
    def __init__(self):
        self.attributes, self.blocks = {}, {}

    def encode(self):
        out = b"".join(field(2, a.encode(n)) for n, a in self.attributes.items())
        for name, (block, single, required) in self.blocks.items():
            # Lists of one at most are what the real provider has instead of single blocks; timeouts is one.
            nesting = 1 if name == "timeouts" else 2
            limits = field(4, int(required)) + field(5, int(single)) if nesting == 2 else b""
            out += field(3, field(1, name) + field(2, block.encode()) + field(3, nesting) + limits)
        return out

    def empty(self):
        """The value of a block in which nothing is set."""
        value = {name: None for name in self.attributes}
        value.update({name: None if name == "timeouts" else [] for name in self.blocks})
        return value


class Bindings:
    """What the real provider takes, read from the bindings for the CDK."""

    def __init__(self):
        package = importlib.util.find_spec("cdktn_provider_google").submodule_search_locations[0]
        (archive,) = pathlib.Path(package).glob("_jsii/*.tgz")
        with tarfile.open(archive) as tar:
            assembly = json.load(io.TextIOWrapper(tar.extractfile("package/.jsii"), "utf-8"))
        self.types = assembly["types"]
        self.configs = {}
        for fqn, kind in self.types.items():
            # A resource has a class beside its arguments; an argument that happens to end so has none.
            if fqn.endswith("Config") and fqn.removesuffix("Config") in self.types:
                for prop in kind.get("properties", ()):
                    found = re.search(r"/docs/(resources|data-sources)/(\w+)#", documentation(prop))
                    if found:
                        self.configs.setdefault((found[1], "google_" + found[2]), fqn)
                        break

    def schema(self, group, name):
        fqn = self.configs[(group, name)]
        block = self.block(fqn)
        made = self.types[fqn.removesuffix("Config")]
        for prop in made.get("properties", ()):
            name = re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", prop["name"]).lower()
            kind = plain(prop["type"])
            known = name in block.attributes or name in block.blocks or prop["name"].endswith("Input")
            if kind and prop.get("immutable") and not known and not prop.get("static"):
                block.attributes[name] = Attribute(kind, computed="only")
        return block

    def block(self, fqn):
        block = Block()
        for prop in self.types[fqn].get("properties", ()):
            name = re.search(r"\{@link [^ }]+ \w+#(\w+)\}", documentation(prop))
            name = name[1] if name else prop["name"]
            required = not prop.get("optional")
            kind = plain(prop["type"])
            if kind:
                block.attributes[name] = Attribute(
                    kind,
                    required,
                    computed=not required and name in ("id", "project", "region", "location", "name"),
                    write_only=name.endswith("_wo"),
                )
            else:
                inner = re.search(r'"fqn": "(@cdktn/provider-google[^"]+)"', json.dumps(prop["type"]))[1]
                listed = '"collection"' in json.dumps(prop["type"])
                block.blocks[name] = (self.block(inner), not listed, required)
        return block


def documentation(prop):
    docs = prop.get("docs", {})
    return docs.get("remarks", "") + " " + docs.get("summary", "")


def plain(kind):
    """Terraform's name of a type that is no block."""
    simple = {"string": "string", "number": "number", "boolean": "bool"}
    if "primitive" in kind:
        return simple.get(kind["primitive"])
    if "union" in kind:
        inner = [plain(k) for k in kind["union"]["types"]]
        return next((k for k in inner if k), None)
    if "collection" in kind:
        inner = plain(kind["collection"]["elementtype"])
        shape = "map" if kind["collection"]["kind"] == "map" else "list"
        return inner and [shape, inner]
    return None


def random_password():
    block = Block()
    block.attributes["length"] = Attribute("number", required=True)
    for name in ("special", "upper", "lower", "numeric"):
        block.attributes[name] = Attribute("bool")
    block.attributes["result"] = Attribute("string", computed="only")
    return block


# Answers of the cloud.


def identity(kind, value):
    given = (value.get(key) for key in ("secret_id", "account_id", "name"))
    name = next((text for text in given if isinstance(text, str)), "unnamed")
    place = value.get("location")
    paths = {
        "google_pubsub_topic": f"projects/{PROJECT}/topics/{name}",
        "google_pubsub_subscription": f"projects/{PROJECT}/subscriptions/{name}",
        "google_secret_manager_secret": f"projects/{PROJECT}/secrets/{name}",
        "google_cloud_run_v2_job": f"projects/{PROJECT}/locations/{place}/jobs/{name}",
        "google_cloud_run_v2_service": f"projects/{PROJECT}/locations/{place}/services/{name}",
    }
    return paths.get(kind, f"{kind}/{name}")


def filled(kind, value):
    email = f"{value.get('account_id')}@{PROJECT}.iam.gserviceaccount.com"
    answers = {
        "id": identity(kind, value),
        "uri": f"https://{value.get('name')}-{NUMBER}.example.run.app",
        "email": email,
        "member": f"serviceAccount:{email}",
        "number": NUMBER,
        "project": PROJECT,
    }
    return {k: answers.get(k, "") if v == UNKNOWN else v for k, v in value.items()}


def stored(schema, value):
    """Write-only arguments are never part of a state."""
    return {k: None if k in schema.attributes and schema.attributes[k].write_only else v for k, v in value.items()}


# Changes of these make the real provider replace the resource.
REPLACED_BY = {"google_secret_manager_secret_version": "secret_data_wo_version"}


class Provider:
    def __init__(self, resources, data, ephemeral, journal):
        self.resources, self.data, self.ephemeral, self.journal = resources, data, ephemeral, journal
        self.opened = 0

    def methods(self):
        return {
            "GetSchema": self.get_schema,
            "PrepareProviderConfig": lambda r: field(1, fields(r).get(1, b"")),
            "Configure": lambda r: b"",
            "ValidateResourceTypeConfig": lambda r: b"",
            "ValidateDataSourceConfig": lambda r: b"",
            "ValidateEphemeralResourceConfig": lambda r: b"",
            "CloseEphemeralResource": lambda r: b"",
            "UpgradeResourceState": lambda r: field(1, field(2, fields(fields(r)[3])[1])),
            "ReadResource": lambda r: field(1, fields(r).get(2, b"")),
            "ReadDataSource": self.read_data,
            "OpenEphemeralResource": self.open_ephemeral,
            "PlanResourceChange": self.plan,
            "ApplyResourceChange": self.apply,
            "Stop": lambda r: b"",
        }

    def get_schema(self, _):
        provider = Block()
        provider.attributes["project"] = Attribute("string")
        provider.attributes["region"] = Attribute("string")
        provider.attributes["default_labels"] = Attribute(["map", "string"])
        out = field(1, field(2, provider.encode()))
        for number, schemas in ((2, self.resources), (3, self.data), (8, self.ephemeral)):
            for name, block in schemas.items():
                out += field(number, field(1, name) + field(2, field(2, block.encode())))
        return out

    def read_data(self, request):
        parts = fields(request)
        kind, value = parts[1].decode(), value_of(parts[2])
        block = self.data[kind]
        for name, attribute in block.attributes.items():
            if attribute.computed and value.get(name) is None:
                value[name] = UNKNOWN if attribute.kind in ("string",) else None
        return field(1, dynamic(filled(kind, value)))

    def open_ephemeral(self, request):
        value = value_of(fields(request)[2])
        # Another each time, as the real one's.
        self.opened += 1
        value["result"] = f"opened-{self.opened}-".ljust(int(value["length"]), "S")
        return field(3, dynamic(value))

    def plan(self, request):
        parts = fields(request)
        kind, prior, planned = parts[1].decode(), value_of(parts.get(2)), value_of(parts.get(3))
        replaced = b""
        if planned is not None:
            block = self.resources[kind]
            for name, attribute in block.attributes.items():
                if attribute.computed and planned.get(name) is None:
                    planned[name] = UNKNOWN if attribute.kind == "string" else None
            planned = stored(block, planned)
            path = REPLACED_BY.get(kind)
            if prior and path and prior[path] != planned[path]:
                replaced = field(2, field(1, field(1, path)))
        return field(1, dynamic(planned)) + replaced + field(5, True)

    def apply(self, request):
        parts = fields(request)
        kind, prior, planned, config = (
            parts[1].decode(),
            value_of(parts.get(2)),
            value_of(parts.get(3)),
            value_of(parts.get(4)),
        )
        state = None if planned is None else filled(kind, planned)
        operation = "delete" if state is None else "update" if prior else "create"
        line = {"operation": operation, "type": kind, "state": state or prior, "config": config}
        print(json.dumps(line, default=lambda _: "(unknown)"), file=self.journal, flush=True)
        return field(1, dynamic(state)) + field(4, True)


def serve(provider):
    server = grpc.server(
        futures.ThreadPoolExecutor(8),
        options=[("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)],
    )
    handlers = {
        name: grpc.unary_unary_rpc_method_handler(lambda request, _, run=run: run(request))
        for name, run in provider.methods().items()
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("tfplugin5.Provider", handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, {
        "Protocol": "grpc",
        "ProtocolVersion": 5,
        "Pid": os.getpid(),
        "Test": True,
        "Addr": {"Network": "tcp", "String": f"127.0.0.1:{port}"},
    }


def main():
    used = pathlib.Path(__file__).parents[2] / "infra" / "google"
    text = "\n".join(path.read_text() for path in sorted(used.glob("*.tf")))
    bindings = Bindings()
    wanted = lambda word: sorted(set(re.findall(rf'^{word} "(google_\w+)"', text, re.M)))
    with open(sys.argv[1], "a") as journal:
        google = Provider(
            {name: bindings.schema("resources", name) for name in wanted("resource")},
            {name: bindings.schema("data-sources", name) for name in wanted("data")},
            {},
            journal,
        )
        random = Provider({}, {}, {"random_password": random_password()}, journal)
        bindings = None
        servers = {
            "registry.terraform.io/hashicorp/google": serve(google),
            "registry.terraform.io/hashicorp/random": serve(random),
        }
        print(json.dumps({name: where for name, (_, where) in servers.items()}), flush=True)
        sys.stdin.read()
        for server, _ in servers.values():
            server.stop(None)


main()
