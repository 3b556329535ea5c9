"""A Hugging Face hub of our own on this machine: the two questions that fetching asks, answered from a folder."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


@contextmanager
def fake_hub(root: Path, tampered: str = "") -> Iterator[str]:
    """Serves root/NAME/… as repository NAME at any revision; the address to give as HF_ENDPOINT.

    The file whose name ends with `tampered` arrives with its last byte changed, as a bad proxy would send it.
    """

    class Hub(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            _, *parts = self.path.split("?")[0].split("/")
            if parts[0] == "api":
                self._tell(parts)
            else:
                self._send(parts[1:] if parts[0] == "datasets" else parts)

        def _tell(self, parts: list[str]) -> None:
            name, revision = "/".join(parts[2 : parts.index("revision")]), parts[-1]
            siblings = [
                _described(path, root / name) for path in sorted((root / name).rglob("*")) if path.is_file()
            ]
            self._answer(json.dumps({"id": name, "sha": revision, "siblings": siblings}).encode(), {})

        def _send(self, parts: list[str]) -> None:
            cut = parts.index("resolve")
            path = root.joinpath(*parts[:cut], *parts[cut + 2 :])
            content = path.read_bytes()
            if tampered and path.name.endswith(tampered):
                content = content[:-1] + b"?"
            etag = hashlib.sha256(content).hexdigest()
            self._answer(content, {"ETag": f'"{etag}"', "X-Repo-Commit": parts[cut + 1]})

        def _answer(self, content: bytes, headers: dict[str, str]) -> None:
            self.send_response(200)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _described(path: Path, root: Path) -> dict[str, Any]:
    """As the hub describes a file: one in large file storage by its SHA-256, a small one by git's hash."""
    content = path.read_bytes()
    told: dict[str, Any] = {"rfilename": path.relative_to(root).as_posix(), "size": len(content)}
    if path.suffix in (".parquet", ".safetensors"):
        told["lfs"] = {
            "sha256": hashlib.sha256(content).hexdigest(),
            "size": len(content),
            "pointerSize": 130,
        }
    blob = b"blob %d\0" % len(content) + content
    return {**told, "blobId": hashlib.sha1(blob, usedforsecurity=False).hexdigest()}
