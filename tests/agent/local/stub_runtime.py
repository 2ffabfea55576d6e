"""The warm process with a runtime that answers without a model: run as a program by test_process.py.

The name of the "model file" says how it behaves: "broken" cannot be loaded.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

sys.path.insert(0, os.getcwd())

from agent.local.process import main
from agent.local.state import Folder


class StubServer:
    """Answers with its own pid; notes each request in the folder's `requests`."""

    def __init__(self, folder: Folder, token: str) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with (folder.path / "requests").open("a") as requests:
                    requests.write(f"{self.path}\n")
                if self.headers["Authorization"] != f"Bearer {token}":
                    return self.answer(401, {})
                if b"wait for the caller to leave" in body:
                    (folder.path / "arrived").write_text("yes")
                    byte = self.connection.recv(1)
                    (folder.path / "left").write_text("still there" if byte else "left")
                    return None
                if "action=save" in self.path:
                    (folder.path / json.loads(body)["filename"]).write_text("state")
                return self.answer(200, {"pid": os.getpid()})

            def answer(self, status: int, body: dict[str, Any]) -> None:
                content = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *words: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.listening_address = f"http://127.0.0.1:{self._server.server_address[1]}"


def load(gguf: Path, folder: Folder, threads: int, token: str) -> StubServer:
    if "broken" in gguf.name:
        raise RuntimeError("the file is damaged")
    return StubServer(folder, token)


if __name__ == "__main__":
    raise SystemExit(main(load=load))
