#!/usr/bin/env python3
"""Starts a real Label Studio (SQLite, loopback) and makes every event fire at a URL.

Registers the URL for the organization, for each project, or for both, walks through the API, and
writes a report: each step with its status and the seconds that the API took. The first step that fails
ends it. Standard library only; ends the Label Studio process that it started, and no other.
"""

import argparse
import json
import shutil
import signal
import sys
import tempfile
import time

from server import LabelStudio
from walk import Walk


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--label-studio", required=True, help="the label-studio program")
    parser.add_argument("--target-url", required=True, help="where the webhooks go")
    parser.add_argument("--level", choices=["org", "project", "both"], default="both")
    parser.add_argument("--header", action="append", default=[], metavar="'K: V'", help="header of the webhooks")
    parser.add_argument("--ml-url", help="ML back end to connect: http://USER:SECRET@HOST/PATH")
    parser.add_argument("--template", required=True, help="folder that keeps a freshly migrated database, one for each version")
    parser.add_argument("--report", required=True, help="file for the report, JSON")
    parser.add_argument("--bulk", type=int, default=500, help="tasks of the bulk import")
    parser.add_argument("--regions", type=int, default=5000, help="regions of the largest annotation")
    parser.add_argument("--deadline", type=int, default=1500, help="seconds after which the driver gives up")
    return parser.parse_args()


def main():
    args = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    headers = dict(tuple(part.strip() for part in header.split(":", 1)) for header in args.header)
    folder = tempfile.mkdtemp(prefix="label-studio-")
    try:
        with LabelStudio(args.label_studio, folder, args.template, time.time() + args.deadline) as label_studio:
            print("Label Studio %s at %s" % (label_studio.version, label_studio.base), flush=True)
            if args.level != "project":
                label_studio.organization_webhook(args.target_url, headers)

            def attach(project):
                if args.level != "org":
                    label_studio.project_webhook(args.target_url, headers, project)

            steps = Walk(label_studio, attach, args.ml_url, args.bulk, args.regions).run()
        with open(args.report, "w") as report:
            json.dump({"label_studio_version": label_studio.version, "steps": steps}, report, indent=1)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print("%d steps" % len(steps))


if __name__ == "__main__":
    main()
