"""What a real provider of Terraform takes, read from the bindings that are generated from it for the CDK."""

import hashlib
import importlib.util
import io
import json
import os
import pathlib
import re
import tarfile
import tempfile

from provider_wire import field


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

    def written(self):
        return [self.kind, self.required, self.computed, self.write_only]


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

    def written(self):
        """Itself as JSON."""
        return {
            "attributes": {name: attribute.written() for name, attribute in self.attributes.items()},
            "blocks": {name: [block.written(), *more] for name, (block, *more) in self.blocks.items()},
        }

    @staticmethod
    def read(written):
        block = Block()
        block.attributes = {name: Attribute(*parts) for name, parts in written["attributes"].items()}
        for name, (inner, single, required) in written["blocks"].items():
            block.blocks[name] = (Block.read(inner), single, required)
        return block


class Bindings:
    """The bindings of one cloud. `computed` are optional arguments that the cloud fills in itself, and `inside` those
    of blocks."""

    def __init__(self, cloud, computed, inside):
        self.cloud, self.computed, self.inside = cloud, computed, inside
        package = importlib.util.find_spec(f"cdktn_provider_{cloud}").submodule_search_locations[0]
        (self.archive,) = pathlib.Path(package).glob("_jsii/*.tgz")
        self.types = None

    def schemas(self, wanted):
        """The blocks of `wanted`, which has names by their groups. Those of AWS are among 155 MB of JSON, which take
        seconds and most of a gigabyte to read: what was found is kept in the cache of the tests, if that is named."""
        asked = repr([self.archive.name, self.computed, self.inside, wanted, pathlib.Path(__file__).read_text()])
        cache = os.environ.get("LABELRELAY_TEST_CACHE")
        name = f"schemas/{self.cloud}-{hashlib.sha256(asked.encode()).hexdigest()[:32]}.json"
        kept = cache and pathlib.Path(cache, name)
        if kept and kept.exists():
            written = json.loads(kept.read_text())
        else:
            self.load()
            written = {group: {name: self.schema(group, name).written() for name in wanted[group]} for group in wanted}
            self.types = None
            if kept:
                put(kept, json.dumps(written))
        return {group: {name: Block.read(block) for name, block in found.items()} for group, found in written.items()}

    def load(self):
        with tarfile.open(self.archive) as tar:
            assembly = json.load(io.TextIOWrapper(tar.extractfile("package/.jsii"), "utf-8"))
        self.types = assembly["types"]
        self.configs = {}
        for fqn, kind in self.types.items():
            # A resource has a class beside its arguments; an argument that happens to end so has none.
            if fqn.endswith("Config") and fqn.removesuffix("Config") in self.types:
                for prop in kind.get("properties", ()):
                    found = re.search(r"/docs/(resources|data-sources)/(\w+)#", documentation(prop))
                    if found:
                        self.configs.setdefault((found[1], f"{self.cloud}_{found[2]}"), fqn)
                        break

    def schema(self, group, name):
        fqn = self.configs[(group, name)]
        return self.with_made(self.block(fqn), fqn.removesuffix("Config"), lambda _: True)

    def with_made(self, block, made, is_told):
        """With what the cloud alone decides, which the class of what is made has."""
        for prop in self.types.get(made, {}).get("properties", ()):
            name = re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", prop["name"]).lower()
            kind = plain(prop["type"])
            known = name in block.attributes or name in block.blocks or prop["name"].endswith("Input")
            if kind and prop.get("immutable") and not known and not prop.get("static") and is_told(name):
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
                    computed=not required and name in self.computed,
                    write_only=name.endswith("_wo"),
                )
            else:
                inner = re.search(rf'"fqn": "(@cdktn/provider-{self.cloud}[^"]+)"', json.dumps(prop["type"]))[1]
                listed = '"collection"' in json.dumps(prop["type"])
                made = self.with_made(self.block(inner), f"{inner}OutputReference", self.inside.__contains__)
                block.blocks[name] = (made, not listed, required)
        return block


def put(file, text):
    """Writes it whole or not at all: others may write the same."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=file.parent, delete=False) as new:
        new.write(text)
    os.replace(new.name, file)


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
