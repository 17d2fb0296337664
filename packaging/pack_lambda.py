#!/usr/bin/env python3
"""Packs a built function so that it can be deployed without a toolchain.

    packaging/pack_lambda.py BOOTSTRAP ARCHITECTURE FOLDER

writes into FOLDER: bootstrap.zip, which Lambda takes as it is, and template.yaml, which deploys it
(`sam deploy --guided`). The same bootstrap gives the same bytes.
"""

import pathlib
import re
import stat
import sys
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent


def bootstrap_zip(program, path):
    entry = zipfile.ZipInfo("bootstrap", date_time=(1980, 1, 1, 0, 0, 0))
    entry.create_system = 3  # Unix, whose permissions follow: Lambda runs the file
    entry.external_attr = (stat.S_IFREG | 0o755) << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(entry, program.read_bytes(), compresslevel=9)


def prebuilt(template, architecture):
    """The template with the built function in place of its sources."""
    template, functions = re.subn(r"^      CodeUri: crates/lambda$", "      CodeUri: bootstrap.zip", template, flags=re.M)
    template, builds = re.subn(
        r"^    Metadata:\n      BuildMethod: .*\n      BuildProperties:\n(?:        .*\n)+", "", template, flags=re.M)
    template, defaults = re.subn(r"^    Default: arm64$", "    Default: " + architecture, template, flags=re.M)
    template, allowed = re.subn(
        r"^    AllowedValues: \[arm64, x86_64\]\n    Description: .*$",
        "    AllowedValues: [%s]\n    Description: What this archive holds." % architecture, template, flags=re.M)
    if (functions, builds, defaults, allowed) != (2, 2, 1, 1):
        sys.exit("template.yaml is not as this script expects it: %s" % ((functions, builds, defaults, allowed),))
    return template


def main():
    if len(sys.argv) != 4 or sys.argv[2] not in ("arm64", "x86_64"):
        sys.exit(__doc__)
    program, architecture, folder = pathlib.Path(sys.argv[1]), sys.argv[2], pathlib.Path(sys.argv[3])
    folder.mkdir(parents=True, exist_ok=True)
    bootstrap_zip(program, folder / "bootstrap.zip")
    template = (ROOT / "template.yaml").read_text(encoding="utf-8")
    (folder / "template.yaml").write_text(prebuilt(template, architecture), encoding="utf-8")


if __name__ == "__main__":
    main()
