"""A Terraform provider that knows the schema of the real one and nothing else.

It serves the resource types of the real provider of a cloud, taken from the bindings that are generated
from that provider for the CDK, so that Terraform itself finds wrong names, wrong types, missing
arguments and references that lead nowhere. Nothing is deployed: what is applied is written to a
journal, one JSON object a line, and comes back as state.

    stand_in_provider.py CLOUD JOURNAL

prints the value for TF_REATTACH_PROVIDERS once both providers listen on loopback, and ends with its
standard input.
"""

import importlib
import itertools
import json
import os
import pathlib
import re
import sys
from concurrent import futures

import grpc
from provider_schema import Attribute, Bindings, Block, random_password
from provider_wire import UNKNOWN, dynamic, field, fields, value_of


def stored(schema, value):
    """Write-only arguments are never part of a state."""
    return {k: None if k in schema.attributes and schema.attributes[k].write_only else v for k, v in value.items()}


def left_open(block, value):
    """What the cloud decides, as not known yet."""
    for name, attribute in block.attributes.items():
        if attribute.computed and value.get(name) is None:
            value[name] = UNKNOWN if attribute.kind == "string" else None
    for name, (inner, *_) in block.blocks.items():
        listed = value.get(name)
        for one in listed if isinstance(listed, list) else ():
            left_open(inner, one)
    return value


def filled(answers, value):
    """The same once the cloud has decided it."""
    if isinstance(value, dict):
        return {k: answers.get(k, "") if v == UNKNOWN else filled(answers, v) for k, v in value.items()}
    return [filled(answers, one) for one in value] if isinstance(value, list) else value


class Provider:
    def __init__(self, cloud, schemas, journal):
        self.cloud, self.journal = cloud, journal
        self.resources, self.data, self.ephemeral = (
            schemas.get(group, {}) for group in ("resources", "data-sources", "ephemeral")
        )
        self.opened = itertools.count(1)
        self.made = itertools.count(1)

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
        for name, kind in self.cloud.PROVIDER.items():
            provider.attributes[name] = Attribute(kind)
        for name, tagged in self.cloud.PROVIDER_BLOCKS.items():
            inner = Block()
            inner.attributes = {name: Attribute(kind) for name, kind in tagged.items()}
            provider.blocks[name] = (inner, True, False)
        out = field(1, field(2, provider.encode()))
        for number, schemas in ((2, self.resources), (3, self.data), (8, self.ephemeral)):
            for name, block in schemas.items():
                out += field(number, field(1, name) + field(2, field(2, block.encode())))
        return out

    def answers(self, kind, value):
        return filled(self.cloud.answers(kind, value, next(self.made)), value)

    def read_data(self, request):
        parts = fields(request)
        kind, value = parts[1].decode(), value_of(parts[2])
        return field(1, dynamic(self.answers(kind, left_open(self.data[kind], value))))

    def open_ephemeral(self, request):
        value = value_of(fields(request)[2])
        # Another each time, as the real one's.
        value["result"] = f"opened-{next(self.opened)}-".ljust(int(value["length"]), "S")
        return field(3, dynamic(value))

    def plan(self, request):
        parts = fields(request)
        kind, prior, planned = parts[1].decode(), value_of(parts.get(2)), value_of(parts.get(3))
        replaced = b""
        if planned is not None:
            planned = stored(self.resources[kind], left_open(self.resources[kind], planned))
            path = self.cloud.REPLACED_BY.get(kind)
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
        state = None if planned is None else self.answers(kind, planned)
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
    name, journal = sys.argv[1:]
    cloud = importlib.import_module(f"cloud_{name}")
    used = pathlib.Path(__file__).parents[2] / "infra" / name
    text = "\n".join(path.read_text() for path in sorted(used.glob("*.tf")))
    wanted = lambda word: sorted(set(re.findall(rf'^{word} "({name}_\w+)"', text, re.M)))
    schemas = Bindings(name, cloud.COMPUTED, cloud.COMPUTED_INSIDE).schemas(
        {"resources": wanted("resource"), "data-sources": wanted("data")}
    )
    with open(journal, "a") as journal:
        servers = {
            f"registry.terraform.io/hashicorp/{name}": serve(Provider(cloud, schemas, journal)),
            "registry.terraform.io/hashicorp/random": serve(
                Provider(cloud, {"ephemeral": {"random_password": random_password()}}, journal)
            ),
        }
        print(json.dumps({name: where for name, (_, where) in servers.items()}), flush=True)
        sys.stdin.read()
        for server, _ in servers.values():
            server.stop(None)


main()
