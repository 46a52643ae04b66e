"""The page's own files, and plotly's script out of its package: typed, tagged, compressed once."""

import gzip
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from shared.wire.views import Problem

_HERE: Final = Path(__file__).parent / "assets"
_PLOTLY: Final = "plotly.min.js"
_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
_WORTH_BYTES: Final = 1_000
"""Less is not compressed."""


class _File(Struct, frozen=True):
    stamp: tuple[int, int]
    tag: str
    content: bytes
    compressed: bytes


class Assets:
    """Serves files of one directory by their names, and nothing else.

    Args:
        directory: Where they are.
    """

    def __init__(self, directory: Path = _HERE) -> None:
        self._directory = directory
        self._files: dict[Path, _File] = {}

    def routes(self) -> list[BaseRoute]:
        """Return the page, and its files."""
        return [Route("/", self._page), Route("/assets/{name}", self._asset)]

    async def _page(self, request: Request) -> Response:
        return self._serve(self._directory / "index.html", request)

    async def _asset(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name == _PLOTLY:
            return self._serve(Path(str(files("plotly") / "package_data" / _PLOTLY)), request)
        path = self._directory / name
        if path.name != name or path.suffix not in _TYPES or not path.is_file():
            body = msgspec.json.encode(Problem(error="not_found", detail="no such file"))
            return Response(body, 404, media_type="application/json")
        return self._serve(path, request)

    def _serve(self, path: Path, request: Request) -> Response:
        file = self._read(path)
        headers = {"etag": file.tag, "cache-control": "no-cache", "vary": "accept-encoding"}
        if file.tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        content = file.content
        if file.compressed and "gzip" in request.headers.get("accept-encoding", ""):
            content, headers["content-encoding"] = file.compressed, "gzip"
        return Response(content, media_type=_TYPES[path.suffix], headers=headers)

    def _read(self, path: Path) -> _File:
        """Read a file once, and again when it has changed."""
        stat = path.stat()
        stamp = stat.st_mtime_ns, stat.st_size
        known = self._files.get(path)
        if known is None or known.stamp != stamp:
            content = path.read_bytes()
            compressed = gzip.compress(content, 6) if len(content) >= _WORTH_BYTES else b""
            tag = f'"{sha256(content).hexdigest()[:20]}"'
            known = self._files[path] = _File(stamp, tag, content, compressed)
        return known
