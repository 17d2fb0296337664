"""The part of Labelbox's GraphQL API that exports a project, on loopback, over rows in a file.

Usage: labelbox_server.py PORT ROWS KEY. It speaks what Labelbox's own client asks and understands: the
tests let that client export from it. It answers only the fields that are asked for. ROWS is read again for
every export: a row a line, written back byte for byte. A row's last activity is the newest `updated_at` in
it. A project of the name `fails` has an export that fails, one of the name `lacks` one with errors.
"""

import http.server
import itertools
import json
import re
import sys

PORT, ROWS, KEY = sys.argv[1:]
NOW = "2026-11-21T09:00:00.000Z"
PART_BYTES = 1500
TOKEN = re.compile(r"\s*,?\s*(\$?\w+|[{}():!])")
tasks = {}
numbers = itertools.count(1)


class Query:
    """One operation, taken apart: fields with arguments and what is asked of them."""

    def __init__(self, text, variables):
        self.tokens = TOKEN.findall(text)
        self.variables = variables or {}
        while self.tokens.pop(0) != "{":  # name and types of variables
            pass
        self.fields = self.selection()
        assert not self.tokens, self.tokens

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
            name, colon, value = (self.tokens.pop(0) for _ in range(3))
            assert colon == ":"
            if value == "{":
                value = self.pairs("}")
            elif value.startswith("$"):
                value = self.variables[value[1:]]
            pairs[name] = value
        self.tokens.pop(0)
        return pairs


class Failed(Exception):
    pass


def pick(thing, inner):
    """What is asked of a thing; a field that it does not have is an error, as with any GraphQL server."""
    if thing is None:
        return None
    if isinstance(thing, list):
        return [pick(one, inner) for one in thing]
    picked = {}
    for name, arguments, deeper in inner:
        if name not in thing:
            raise Failed("GRAPHQL_VALIDATION_FAILED", f"no field {name}")
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
    }
    return {project: of(project) for project in sorted(named)}


def project(arguments):
    found = projects().get(arguments["where"]["id"])
    if found is None:
        raise Failed("RESOURCE_NOT_FOUND", "there is no such project")
    return found


def page(things, arguments):
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


ROOT = {
    "project": project,
    "projects": lambda arguments: page(list(projects().values()), arguments),
    "user": user,
    "exportDataRowsInProject": export,
    "task": task,
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
            said = {"data": pick(ROOT, query.fields)}
        except Failed as failed:
            said = error(*failed.args)
        self.answer(200, json.dumps(said).encode())


server = http.server.ThreadingHTTPServer(("127.0.0.1", int(PORT)), Handler)
server.serve_forever()
