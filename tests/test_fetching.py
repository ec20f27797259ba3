"""Downloads: watched, stopped, refused if damaged, never long without an answer. The server is in this process."""

import hashlib
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from explorer import fetching
from explorer.fetching import FetchFailed, fetch

BODY = bytes(range(256)) * 1024  # four chunks
MD5 = hashlib.md5(BODY).hexdigest()


class Server(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/missing":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY[: len(BODY) // 2] if self.path == "/broken" else BODY)

    def log_message(self, *_args) -> None:
        """Quietly."""


@pytest.fixture(scope="module")
def address():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_file_comes_whole_and_its_progress_is_told(address, tmp_path):
    path, told = tmp_path / "new" / "file.bin", []
    assert fetch(f"{address}/file", path, MD5, lambda done, total: told.append((done, total)), lambda: False)
    assert path.read_bytes() == BODY
    assert [path] == list(path.parent.iterdir())
    assert [done for done, _ in told] == sorted({done for done, _ in told})
    assert told[-1] == (len(BODY), len(BODY))


def test_a_stopped_file_leaves_nothing(address, tmp_path):
    told = []
    assert not fetch(f"{address}/file", tmp_path / "file.bin", MD5, lambda *each: told.append(each), lambda: True)
    assert len(told) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("path", "md5", "says"),
    [
        ("/file", "0" * 32, "came damaged"),
        ("/broken", MD5, "came damaged|could not be downloaded"),
        ("/missing", MD5, "no connection to its server"),
    ],
)
def test_what_is_not_the_file_is_refused_in_one_sentence(address, tmp_path, path, md5, says):
    with pytest.raises(FetchFailed, match=says) as caught:
        fetch(address + path, tmp_path / "file.bin", md5, lambda *_: None, lambda: False)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_named(address, tmp_path):
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(FetchFailed, match="taken"):
        fetch(f"{address}/file", tmp_path / "taken" / "file.bin", MD5, lambda *_: None, lambda: False)


def test_nobody_waits_long_for_a_server_that_is_silent_or_not_there(monkeypatch, tmp_path):
    monkeypatch.setattr(fetching, "CONNECT", 0.5)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        for url in (f"http://127.0.0.1:{silent.getsockname()[1]}/file", "http://no-such-host.invalid/file"):
            started = time.monotonic()
            with pytest.raises(FetchFailed, match="no connection"):
                fetch(url, tmp_path / "file.bin", MD5, lambda *_: None, lambda: False)
            assert time.monotonic() - started < 3


def test_a_name_look_up_that_never_ends_is_given_up(monkeypatch, tmp_path):
    forever = threading.Event()
    monkeypatch.setattr(fetching, "CONNECT", 0.2)

    def look_up(*_args, **_more):
        forever.wait(30)
        raise OSError

    monkeypatch.setattr(fetching.urllib.request, "urlopen", look_up)
    with pytest.raises(FetchFailed, match="no connection"):
        fetch("http://example.invalid", tmp_path / "file.bin", MD5, lambda *_: None, lambda: False)
    forever.set()
