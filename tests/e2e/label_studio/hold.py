#!/usr/bin/env python3
"""Starts a real Label Studio (SQLite, loopback) and does with it what it reads from stdin, a JSON object a line:

    {"method": "POST", "path": "/api/projects/", "value": {...}}   one call of the API, as its own user
    {"sql": "select ...", "values": [...]}                          a look into its database
    {"program": "/.../bin/label-studio"}                            the same data, served by that one from now on

and answers each on stdout with one line: {"status": ..., "value": ...}, {"rows": [...]} or {"version": ...}. The first line that
it writes is {"base": ..., "token": ...}. Ends, and Label Studio with it, at the end of stdin. Standard
library only.
"""

import argparse
import json
import shutil
import signal
import sys
import tempfile
import time

from server import TOKEN, LabelStudio


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--label-studio", required=True, help="the label-studio program")
    parser.add_argument("--template", required=True, help="folder that keeps a freshly migrated database")
    parser.add_argument("--deadline", type=int, default=1800, help="seconds after which it gives up")
    parser.add_argument("--stock", action="store_true", help="with no switch set, as a user has it")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = tempfile.mkdtemp(prefix="label-studio-")
    try:
        deadline = time.time() + args.deadline
        with LabelStudio(args.label_studio, folder, args.template, deadline, args.stock) as label_studio:
            say({"base": label_studio.base, "token": TOKEN})
            for line in sys.stdin:
                command = json.loads(line)
                if "sql" in command:
                    say({"rows": label_studio.sql(command["sql"], command.get("values", ()))})
                elif "program" in command:
                    label_studio.go_on_with(command["program"])
                    say({"version": label_studio.version})
                else:
                    status, value = label_studio.api(command["method"], command["path"], command.get("value"))
                    say({"status": status, "value": value})
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def say(value):
    print(json.dumps(value), flush=True)


if __name__ == "__main__":
    main()
