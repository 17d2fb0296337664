"""The part of Labelbox's GraphQL API that exports a project and manages webhooks, on loopback, over rows in a file.

Usage: labelbox_server.py PORT ROWS KEY. It speaks what Labelbox's own client asks and understands: the
tests let that client export from it. It answers only the fields that are asked for. ROWS is read again for
every export: a row a line, written back byte for byte. A row's last activity is the newest `updated_at` in
it. A project of the name `fails` has an export that fails, one of the name `lacks` one with errors.

Webhooks are kept in memory, and shown whole, with their secrets, at `/webhooks`. It delivers nothing. What the
schema of Labelbox's own client's requests does not have is refused: fields, arguments, members, topics, statuses, and
variables that were not declared or not given.
"""

import http.server
import itertools
import json
import re
import sys

PORT, ROWS, KEY = sys.argv[1:]
NOW = "2026-11-21T09:00:00.000Z"
PART_BYTES = 1500
TOKEN = re.compile(r'[\s,]*(\$?\w+|"(?:[^"\\]|\\.)*"|[{}():!\[\]])')
TOPICS = "LABEL_CREATED LABEL_UPDATED LABEL_DELETED WORKFLOW_ACTION".split()
STATUSES = "ACTIVE INACTIVE REVOKED".split()
SCALARS = {"String": str, "ID": str, "Int": int, "Boolean": bool}
tasks, webhooks = {}, {}
numbers = itertools.count(1)


class Failed(Exception):
    pass


def valid(holds, message):
    if not holds:
        raise Failed("GRAPHQL_VALIDATION_FAILED", message)


class Word(str):
    """A word of the language, and not a text: a topic, a status, a number."""


class Query:
    """One operation, taken apart: fields with arguments and what is asked of them."""

    def __init__(self, text, variables):
        self.tokens, at = [], 0
        text = text.rstrip()
        while at < len(text):
            found = TOKEN.match(text, at)
            if not found:
                raise Failed("GRAPHQL_PARSE_FAILED", f"unexpected at {at}")
            self.tokens.append(found.group(1))
            at = found.end()
        self.variables, self.used = variables or {}, set()
        self.kind = self.tokens.pop(0)
        valid(self.kind in ("query", "mutation"), f"no operation {self.kind}")
        self.tokens.pop(0)  # its name
        self.declared = self.declarations()
        self.expect("{")
        self.fields = self.selection()
        valid(not self.tokens, "something after the operation")
        valid(self.used == set(self.declared), f"variables {sorted(set(self.declared) ^ self.used)}")

    def expect(self, token):
        valid(self.tokens and self.tokens.pop(0) == token, f"no {token}")

    def declarations(self):
        declared = {}
        if self.tokens[0] != "(":
            return declared
        self.tokens.pop(0)
        while self.tokens[0] != ")":
            name = self.tokens.pop(0)[1:]
            self.expect(":")
            kind = ""
            while self.tokens[0] not in (")",) and not self.tokens[0].startswith("$"):
                kind += self.tokens.pop(0)
            declared[name] = kind
            value = self.variables.get(name)
            if kind.endswith("!") and value is None:
                raise Failed("BAD_USER_INPUT", f"variable ${name} of type {kind} was not provided")
            of = SCALARS.get(kind.rstrip("!"))
            if of and value is not None and type(value) is not of:
                raise Failed("BAD_USER_INPUT", f"variable ${name} is no {kind}")
        self.tokens.pop(0)
        return declared

    def selection(self):
        fields = []
        while self.tokens[0] != "}":
            name, arguments, inner = self.tokens.pop(0), {}, None
            if self.tokens[0] == "(":
                self.tokens.pop(0)
                arguments = self.pairs(")")
            if self.tokens[0] == "{":
                self.tokens.pop(0)
                inner = self.selection()
            fields.append((name, arguments, inner))
        self.tokens.pop(0)
        return fields

    def pairs(self, end):
        pairs = {}
        while self.tokens[0] != end:
            name = self.tokens.pop(0)
            self.expect(":")
            pairs[name] = self.value()
        self.tokens.pop(0)
        return pairs

    def value(self):
        token = self.tokens.pop(0)
        if token == "{":
            return self.pairs("}")
        if token == "[":
            values = []
            while self.tokens[0] != "]":
                values.append(self.value())
            self.tokens.pop(0)
            return values
        if token.startswith("$"):
            name = token[1:]
            valid(name in self.declared, f"variable ${name} is not defined")
            self.used.add(name)
            return self.variables.get(name)
        return json.loads(token) if token.startswith('"') else Word(token)


def pick(thing, inner):
    """What is asked of a thing; a field that it does not have is an error, as with any GraphQL server."""
    if thing is None:
        return None
    if isinstance(thing, list):
        return [pick(one, inner) for one in thing]
    picked = {}
    for name, arguments, deeper in inner:
        valid(name in thing, f"no field {name}")
        valid(deeper or not isinstance(thing[name], dict), f"{name} is asked for without fields")
        value = thing[name](arguments) if callable(thing[name]) else thing[name]
        picked[name] = pick(value, deeper) if deeper else value
    return picked


def rows():
    with open(ROWS, "rb") as file:
        return [line for line in file.read().split(b"\n") if line]


def projects():
    named = {project for row in rows() for project in json.loads(row)["projects"]}
    fields = "autoAuditNumberOfLabels autoAuditPercentage editorTaskType modelSetupComplete setupComplete uploadType isBenchmarkEnabled isConsensusEnabled allowedMediaType".split()
    of = lambda project: dict.fromkeys(fields) | {
        "id": project, "name": project, "description": "", "createdAt": NOW, "updatedAt": NOW,
        "lastActivityTime": NOW, "dataRowCount": 0,
        "webhooks": lambda arguments: page(webhooks_of(project), arguments),
    }
    return {project: of(project) for project in sorted(named)}


def project(arguments):
    found = projects().get(arguments["where"]["id"])
    if found is None:
        raise Failed("RESOURCE_NOT_FOUND", "there is no such project")
    return found


def page(things, arguments):
    valid(set(arguments) <= {"where", "skip", "first"}, f"arguments {sorted(arguments)}")
    skip, first = int(arguments["skip"]), int(arguments["first"])
    return things[skip : skip + first]


def activity(row):
    return max(re.findall(r'"updated_at": ?"([^"]*)"', row.decode()), default="")[:19]


def lets_through(row, query):
    for part in query:
        if part["type"] == "data_row_last_activity_at":
            value = part["value"]
            assert value["operator"] == "GREATER_THAN_OR_EQUAL" and value["timezone"] == "UTC"
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0000", value["value"])
            if activity(row) < value["value"][:19]:
                return False
        elif part["type"] == "data_row_id":
            assert part["operator"] == "is"
            if json.loads(row)["data_row"]["id"] not in part["ids"]:
                return False
        else:
            raise Failed("MALFORMED_REQUEST", part["type"])
    return True


def export(arguments):
    of = arguments["input"]
    assert of["streamable"] and of["isStreamableReady"] and of["params"]["includeLabelDetails"]
    name, query = of["filters"]["projectId"], of["filters"]["searchQuery"]["query"]
    project({"where": {"id": name}})
    held = [row for row in rows() if name in json.loads(row)["projects"] and lets_through(row, query)]
    task = f"task{next(numbers)}"
    errors = b'{"message":"one row could not be read"}\n' if name == "lacks" else b""
    tasks[task] = {
        "RESULT": b"".join(row + b"\n" for row in held), "ERRORS": errors,
        "status": itertools.chain(["IN_PROGRESS"], itertools.repeat("FAILED" if name == "fails" else "COMPLETE")),
    }
    return {"taskId": task, "isStreamable": True}


def created_tasks(arguments):
    task = arguments["where"]["id"]
    return page([{
        "id": task, "status": next(tasks[task]["status"]), "createdAt": NOW, "updatedAt": NOW, "name": "export",
        "completionPercentage": 100.0, "result": None, "errors": None, "type": "export-data-rows", "metadata": None,
    }], arguments)


def user(arguments):
    nothing = dict.fromkeys("lastLoginAt picture timezone".split())
    return nothing | {
        "id": "user1", "email": "user@example.org", "name": "user", "nickname": "user", "createdAt": NOW,
        "updatedAt": NOW, "isExternalUser": False, "isViewer": False, "createdTasks": created_tasks,
    }


def task(arguments):
    of = arguments["where"]["id"]

    def header(arguments):
        data = tasks[of][arguments["streamType"]]
        return {"totalSize": str(len(data)), "totalLines": str(data.count(b"\n"))} if data else None

    def part(arguments):
        stream, start = arguments["streamType"], int(arguments["offset"])
        data = tasks[of][stream]
        end = min(start + PART_BYTES, len(data))
        while end < len(data) and data[end] & 0xC0 == 0x80:  # between characters; in mid-line
            end += 1
        lines = {"start": str(data.count(b"\n", 0, start)), "end": str(data.count(b"\n", 0, end))}
        url = f"http://127.0.0.1:{server.server_port}/parts/{of}/{stream}/{start}/{end}"
        return {"offsets": {"start": str(start), "end": str(end - 1)}, "lines": lines, "file": url}

    return {"exportMetadataHeader": header, "exportFileFromOffset": part}


def webhooks_of(project):
    """As they are shown: without the secret."""
    shown = []
    for webhook in webhooks.values():
        if project in (None, webhook["project"]):
            of = webhook["project"]
            mine = {name: value for name, value in webhook.items() if name != "secret"}
            shown.append(mine | {"project": (lambda name: lambda _: projects().get(name))(of)})
    return shown


def organization(_):
    # Those of projects as well, as the organization's own list may.
    return {
        "id": "org1", "name": "Organization", "createdAt": NOW, "updatedAt": NOW,
        "webhooks": lambda arguments: page(webhooks_of(None), arguments),
    }


def members(data, allowed, needed=()):
    """Members of an input, each as it was given."""
    for name in data:
        valid(name in allowed, f"field {name} is not defined by type")
    for name in needed:
        valid(data.get(name) is not None, f"field {name} of required type was not provided")
    given = dict(data)
    if "topics" in data:
        valid(set(data["topics"]) == {"set"}, "topics are set")
        for topic in data["topics"]["set"]:
            valid(isinstance(topic, Word) and topic in TOPICS, f"value {topic} does not exist in enum")
        valid(data["topics"]["set"], "no topics")
        given["topics"] = [str(topic) for topic in data["topics"]["set"]]
    if "status" in data:
        valid(isinstance(data["status"], Word) and data["status"] in STATUSES, "no such status")
        given["status"] = str(data["status"])
    for name in ("url", "secret"):
        valid(name not in data or type(data[name]) is str, f"{name} is no text")
    if not data.get("url", "https://").startswith("https://"):
        raise Failed("BAD_USER_INPUT", "Invalid URL: must use https")
    return given


def create_webhook(arguments):
    valid(set(arguments) == {"data"}, "arguments")
    given = members(arguments["data"], ("project", "topics", "url", "secret"), ("topics", "url", "secret"))
    of = given.get("project")
    if of is not None:
        project({"where": of})
    name = f"webhook{next(numbers):04}"
    webhooks[name] = {
        "id": name, "createdAt": NOW, "updatedAt": NOW, "url": given["url"], "topics": given["topics"],
        "status": "ACTIVE", "secret": given["secret"], "project": of["id"] if of else None,
    }
    return webhook({"where": {"id": name}})


def update_webhook(arguments):
    valid(set(arguments) == {"where", "data"}, "arguments")
    given = members(arguments["data"], ("topics", "url", "status"))
    webhook(arguments)
    webhooks[arguments["where"]["id"]].update(given)
    return webhook(arguments)


def webhook(arguments):
    found = [one for one in webhooks_of(None) if one["id"] == arguments["where"]["id"]]
    if not found:
        raise Failed("RESOURCE_NOT_FOUND", "there is no such webhook")
    return found[0]


QUERIES = {
    "project": project,
    "projects": lambda arguments: page(list(projects().values()), arguments),
    "user": user,
    "organization": organization,
    "webhook": webhook,
    "task": task,
}
MUTATIONS = {
    "exportDataRowsInProject": export,
    "createWebhook": create_webhook,
    "updateWebhook": update_webhook,
}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path == "/ready":
            return self.answer(200, b"")
        if self.path == "/webhooks":
            return self.answer(200, json.dumps(list(webhooks.values())).encode())
        assert "Authorization" not in self.headers, "the key is nobody's business here"
        _, _, of, stream, start, end = self.path.split("/")
        self.answer(200, tasks[of][stream][int(start) : int(end)])

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        error = lambda code, message: {"errors": [{"message": message, "extensions": {"code": code}}], "data": None}
        if self.headers["Authorization"] != f"Bearer {KEY}":
            return self.answer(401, json.dumps(error("AUTHENTICATION_ERROR", "Invalid API key")).encode())
        try:
            query = Query(asked["query"], asked["variables"])
            root = QUERIES if query.kind == "query" else MUTATIONS
            for name, _, inner in query.fields:
                # Before anything is changed.
                known = "id url topics status createdAt updatedAt project".split()
                valid(not name.endswith("Webhook") or all(of in known for of, *_ in inner), "no such field")
            said = {"data": pick(root, query.fields)}
        except Failed as failed:
            said = error(*failed.args)
        except (IndexError, KeyError, AttributeError, TypeError) as broken:
            said = error("GRAPHQL_PARSE_FAILED", f"cannot be read: {broken!r}")
        self.answer(200, json.dumps(said).encode())


server = http.server.ThreadingHTTPServer(("127.0.0.1", int(PORT)), Handler)
server.serve_forever()
