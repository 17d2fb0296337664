"""Starts and ends a real Label Studio on loopback, and speaks its API. Standard library only."""

import json
import os
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import time
import urllib.error
import urllib.request

TOKEN = "0123456789abcdef0123456789abcdef01234567"
USER, PASSWORD = "driver@example.com", "driver-pass-12345"

# Files of a freshly migrated installation.
TEMPLATE_FILES = (".env", "ls.sqlite3")


def environment(folder, stock=False):
    """`stock` leaves every switch as a user finds it."""
    env = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    env.update(
        HOME=folder,
        PYTHONUNBUFFERED="1",
        DJANGO_DB="sqlite",
        DATABASE_NAME=os.path.join(folder, "ls.sqlite3"),
        LABEL_STUDIO_BASE_DATA_DIR=folder,
        # Nothing leaves the machine.
        LABEL_STUDIO_COLLECT_ANALYTICS="false",
        collect_analytics="false",
        LABEL_STUDIO_SENTRY_DSN="",
        LABEL_STUDIO_FRONTEND_SENTRY_DSN="",
        LABEL_STUDIO_LATEST_VERSION_CHECK="false",
    )
    if not stock:
        env.update(
            # Webhooks and ML back ends on loopback are refused otherwise.
            LABEL_STUDIO_SSRF_PROTECTION_ENABLED="false",
            LABEL_STUDIO_ML_BLOCK_LOCAL_IP="false",
            LABEL_STUDIO_ALLOW_ORGANIZATION_WEBHOOKS="true",
            LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED="true",
            LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT=os.path.join(folder, "local"),
            LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK="true",
            # It gives up a delivery after a second, and never sends it again: a busy machine takes longer now and then, and
            # so does the first message to a stand-in for a cloud.
            LABEL_STUDIO_WEBHOOK_TIMEOUT="30",
            LABEL_STUDIO_ML_CONNECTION_TIMEOUT="30",
            LABEL_STUDIO_ML_TIMEOUT_HEALTH="30",
            LABEL_STUDIO_ML_TIMEOUT_SETUP="30",
        )
    return env


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class LabelStudio:
    """A context manager; the process that it starts, and no other, ends with it."""

    def __init__(self, program, folder, template, deadline, stock=False):
        self.program, self.folder, self.template, self.deadline = program, os.path.abspath(folder), template, deadline
        self.database = os.path.join(self.folder, "ls.sqlite3")
        self.base = "http://127.0.0.1:%d" % free_port()
        self.env = environment(self.folder, stock)
        self.process = self.log = self.version = None
        self.seconds = 0.0

    def left(self, most):
        left = min(most, self.deadline - time.time())
        if left <= 0:
            raise TimeoutError("the time given to the driver is up")
        return left

    def __enter__(self):
        try:
            os.makedirs(os.path.join(self.folder, "local", "store"), exist_ok=True)
            self.migrate()
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def go_on_with(self, program):
        """Another version serves the same data at the same address. It migrates what it finds."""
        self.__exit__()
        self.program = program
        self.start()

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)
        if self.log:
            self.log.close()

    def migrate(self):
        """Migrations take most of a minute and always give the same: they are kept."""
        kept = os.path.join(self.template, "ls.sqlite3")
        if not os.path.exists(kept):
            with open(os.path.join(self.folder, "init.log"), "wb") as log:
                subprocess.run(
                    [self.program, "init", "-q", "--username", USER, "--password", PASSWORD, "--user-token", TOKEN,
                     "--enable-legacy-api-token", "--data-dir", self.folder, "--database", self.database],
                    env=self.env, stdout=log, stderr=log, stdin=subprocess.DEVNULL, timeout=self.left(900), check=True,
                    cwd=self.folder,
                )
            os.makedirs(self.template, exist_ok=True)
            # The database last, and by renaming: a template is whole or not there.
            for name in TEMPLATE_FILES:
                new = os.path.join(self.template, "%s.%d" % (name, os.getpid()))
                shutil.copy2(os.path.join(self.folder, name), new)
                os.replace(new, os.path.join(self.template, name))
        else:
            for name in TEMPLATE_FILES:
                shutil.copy2(os.path.join(self.template, name), os.path.join(self.folder, name))

    def start(self):
        while not self.starts():
            # Somebody took the port meanwhile. Whoever knows the address of before expects it there.
            if self.version is None:
                self.base = "http://127.0.0.1:%d" % free_port()

    def starts(self):
        """False where it took another port than its own: it is ended then."""
        name = os.path.join(self.folder, "server.log")
        self.log = open(name, "ab")
        told = self.log.tell()
        port = self.base.rsplit(":", 1)[1]
        self.process = subprocess.Popen(
            [self.program, "start", "--no-browser", "--internal-host", "127.0.0.1", "--port", port,
             "--data-dir", self.folder, "--database", self.database, "--log-level", "WARNING"],
            env=self.env, stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL, cwd=self.folder,
        )
        end = time.time() + self.left(480)
        while True:
            if self.process.poll() is not None:
                raise RuntimeError("label-studio ended with %s; its log ends: %s" % (self.process.returncode, self.log_end()))
            try:
                if urllib.request.urlopen(self.base + "/health", timeout=2).status == 200:
                    break
            except OSError:
                pass
            with open(name, "rb") as log:
                log.seek(told)
                if b"Port %s is in use" % port.encode() in log.read():
                    self.__exit__()
                    return False
            if time.time() > end:
                raise TimeoutError("label-studio was not healthy in time; its log ends: " + self.log_end())
            time.sleep(0.2)
        self.version = self.api("GET", "/api/version")[1]["release"]
        return True

    def log_end(self):
        with open(os.path.join(self.folder, "server.log"), "rb") as log:
            return log.read()[-2000:].decode("utf-8", "replace")

    def raw(self, method, path, body=None, content_type="application/json"):
        """One call; its duration is kept in `seconds`, without our own parsing."""
        headers = {"Authorization": "Token " + TOKEN}
        if body is not None:
            headers["Content-Type"] = content_type
        request = urllib.request.Request(self.base + path, data=body, method=method, headers=headers)
        start = time.perf_counter()
        try:
            with urllib.request.urlopen(request, timeout=self.left(120)) as answer:
                status, data = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, data = error.code, error.read()
        self.seconds = time.perf_counter() - start
        try:
            return status, json.loads(data) if data else None
        except ValueError:
            return status, data.decode("utf-8", "replace")

    def api(self, method, path, value=None):
        return self.raw(method, path, None if value is None else json.dumps(value).encode())

    def upload(self, path, name, data, content_type):
        boundary = "----driver%08x" % random.Random(name).getrandbits(32)
        head = '--%s\r\nContent-Disposition: form-data; name="file"; filename="%s"\r\nContent-Type: %s\r\n\r\n'
        body = (head % (boundary, name, content_type)).encode() + data + ("\r\n--%s--\r\n" % boundary).encode()
        return self.raw("POST", path, body, "multipart/form-data; boundary=" + boundary)

    def sql(self, statement, values=()):
        connection = sqlite3.connect(self.database, timeout=20)
        try:
            with connection:
                return connection.execute(statement, values).fetchall()
        finally:
            connection.close()

    def project_webhook(self, url, headers, project):
        hook = {"url": url, "project": project, "headers": headers, "send_payload": True}
        status, answer = self.api("POST", "/api/webhooks/", hook)
        if status != 201:
            raise RuntimeError("the webhook was not created: %s %s" % (status, answer))

    def organization_webhook(self, url, headers):
        """These versions send organization webhooks but refuse to create them over the API: a row does it."""
        columns = {row[1] for row in self.sql("pragma table_info(webhook)")}
        now = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
        row = {
            "organization_id": self.sql("select id from organization order by id limit 1")[0][0],
            "project_id": None, "url": url, "send_payload": 1, "send_for_all_actions": 1, "headers": json.dumps(headers),
            "is_active": 1, "created_at": now, "updated_at": now, "consecutive_failures": 0,
        }
        row = {name: value for name, value in row.items() if name in columns}
        places = ",".join("?" * len(row))
        self.sql("insert into webhook (%s) values (%s)" % (",".join(row), places), list(row.values()))

    def webhooks_active(self, on):
        self.sql("update webhook set is_active=?", (int(on),))
