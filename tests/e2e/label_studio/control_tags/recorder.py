"""Takes webhooks on a free port of loopback, and keeps each request as it came, byte for byte."""

import socketserver
import threading


class Recorder(socketserver.ThreadingTCPServer):
    """A context manager. `wait` gives back the first request since `mark` whose body satisfies a test."""

    allow_reuse_address = daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests, self.came = [], threading.Condition()
        self.url = "http://127.0.0.1:%d/hook/control-tags" % self.server_address[1]

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()

    def mark(self):
        with self.came:
            return len(self.requests)

    def wait(self, mark, test, seconds):
        def found():
            return next((it for it in self.requests[mark:] if test(it[1])), None)

        with self.came:
            return self.came.wait_for(found, seconds)


class Handler(socketserver.StreamRequestHandler):
    """Keeps (head with its empty line, body)."""

    def handle(self):
        while head := self.head():
            length = next(
                int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")
            )
            body = self.rfile.read(length)
            with self.server.came:
                self.server.requests.append((head, body))
                self.server.came.notify_all()
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    def head(self):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = self.rfile.readline(65536)
            if not line:
                return None
            head += line
        return head
