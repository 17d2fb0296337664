#!/usr/bin/env python3
"""Draws with every control tag of a real Label Studio (SQLite, loopback), and keeps the webhook of each.

Each goes to a folder of its own below --out: `body.json`, the webhook's body as it was sent, byte for
byte; `config.xml`, the labelling configuration; `drawn.json`, what was drawn. Needs Playwright's Python
package and a Chromium; ends the processes that it started, and no other.
"""

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
import time

sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import answers  # noqa: E402, F401: a module's kinds are there once it is imported
import images  # noqa: E402, F401
import more  # noqa: E402, F401
import series  # noqa: E402, F401
import texts  # noqa: E402, F401
import media  # noqa: E402
from editor import Editor  # noqa: E402
from kinds import KINDS  # noqa: E402
from recorder import Recorder  # noqa: E402
from server import LabelStudio  # noqa: E402


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--label-studio", required=True, help="the label-studio program")
    parser.add_argument("--chromium", default=shutil.which("chromium"), help="the chromium program")
    parser.add_argument("--ffmpeg", default=shutil.which("ffmpeg"), help="the ffmpeg program, which makes a JPEG and a video")
    parser.add_argument("--template", required=True, help="folder that keeps a freshly migrated database, one for each version")
    parser.add_argument("--out", required=True, help="folder for what is recorded")
    parser.add_argument("--only", nargs="*", default=[], metavar="KIND", help="some of: " + ", ".join(KINDS))
    parser.add_argument("--deadline", type=int, default=1800, help="seconds after which it gives up")
    return parser.parse_args()


class Studio:
    """Makes projects and tasks, and gives a kind's `do` what it needs beside the editor."""

    def __init__(self, label_studio, recorder, ffmpeg):
        self.label_studio, self.recorder, self.ffmpeg = label_studio, recorder, ffmpeg

    def call(self, method, path, value=None):
        status, answer = self.label_studio.api(method, path, value)
        if status not in (200, 201, 204):
            raise RuntimeError("%s %s: %s %s" % (method, path, status, answer))
        return answer

    def project(self, kind):
        project = self.call("POST", "/api/projects/", {"title": kind.name, "label_config": kind.config})["id"]
        self.label_studio.project_webhook(self.recorder.url, {}, project)
        return project

    def task(self, project, data):
        data = {key: self.uploaded(project, value) for key, value in data.items()}
        return self.call("POST", "/api/tasks/", {"project": project, "data": data})["id"]

    def uploaded(self, project, value):
        if isinstance(value, list):
            return [self.uploaded(project, it) for it in value]
        made = media.FILES.get(value) if isinstance(value, str) else None
        if made is None:
            return value
        content_type, make = made
        path = "/api/projects/%d/import?commit_to_project=false" % project
        status, answer = self.label_studio.upload(path, value, make(self.ffmpeg), content_type)
        if status != 201:
            raise RuntimeError("%s was not taken: %s %s" % (value, status, answer))
        upload = answer["file_upload_ids"][0]
        return "/data/" + self.call("GET", "/api/import/file-upload/%d" % upload)["file"]

    def capture(self, kind, editor, out):
        project = self.project(kind)
        task = self.task(project, kind.data)
        editor.studio, editor.project, editor.task = self, project, task
        mark = self.recorder.mark()
        if kind.how == "drawn":
            editor.open(project, task)
        drawn = kind.do(editor)
        if not kind.ends:
            editor.button("submit")
        wanted = b'{"action": "%s"' % kind.action.encode()
        found = self.recorder.wait(mark, lambda body: body.startswith(wanted), 60)
        if found is None:
            raise RuntimeError("%s: no %s came" % (kind.name, kind.action))
        keep(kind, found[1], drawn, out)


def keep(kind, body, drawn, out):
    folder = os.path.join(out, kind.name)
    os.makedirs(folder, exist_ok=True)
    told = {"how": kind.how, "action": kind.action, "drawn": drawn}
    if kind.do.__doc__:
        told["said"] = " ".join(kind.do.__doc__.split())
    for name, data in (("body.json", body), ("config.xml", kind.config.encode()), ("drawn.json", as_lines(told))):
        with open(os.path.join(folder, name), "wb") as file:
            file.write(data)


def as_lines(told):
    """JSON with a line for each thing that was drawn."""
    head = json.dumps({name: value for name, value in told.items() if name != "drawn"}, ensure_ascii=False)
    lines = ",\n".join("  " + json.dumps(it, ensure_ascii=False) for it in told["drawn"])
    return ('%s, "drawn": [\n%s\n]}\n' % (head[:-1], lines)).encode()


def main():
    from playwright.sync_api import sync_playwright

    args = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = tempfile.mkdtemp(prefix="label-studio-")
    try:
        with (
            Recorder() as recorder,
            LabelStudio(args.label_studio, folder, args.template, time.time() + args.deadline) as label_studio,
            sync_playwright() as playwright,
        ):
            # Root has no sandbox.
            flags = ["--no-sandbox"] if os.geteuid() == 0 else []
            browser = playwright.chromium.launch(executable_path=args.chromium, args=flags)
            studio, editor = Studio(label_studio, recorder, args.ffmpeg), Editor(browser, label_studio.base)
            failed = [name for name in args.only or KINDS if not made(studio, KINDS[name], editor, args.out)]
            browser.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit("not made: " + ", ".join(failed) if failed else 0)


def made(studio, kind, editor, out):
    """One that fails does not keep the others from being made."""
    try:
        studio.capture(kind, editor, out)
    except Exception as error:
        print("%s: %s" % (kind.name, error), flush=True)
        return False
    print(kind.name, flush=True)
    return True


if __name__ == "__main__":
    main()
