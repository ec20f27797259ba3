"""The command that starts the page: options, addresses, networks; what is wrong ends it before the server starts."""

import io
import os
import re
import socket
import sys
from contextlib import suppress

import pytest
from own_networks import python_file
from streamlit import net_util
from streamlit.web import cli

from explorer import addresses
from explorer.__main__ import main
from explorer.classifiers import DEFAULT
from explorer.classifiers.registered import VARIABLE, _cards
from explorer.commands import serve
from explorer.images import to_png
from explorer.samples import cifar10, new_sign, offered
from explorer.ui import caches, server


@pytest.fixture(autouse=True)
def started(monkeypatch):
    """What the server would have been started with; it never is."""
    calls = []
    monkeypatch.setattr(server, "serve", lambda port, shared: calls.append((port, shared)) or 0)
    monkeypatch.setattr(sys, "path", [*sys.path])
    for name in (*serve.THREADS, VARIABLE, cifar10.VARIABLE, offered.VARIABLE):
        monkeypatch.setenv(name, os.environ.get(name, ""))  # what the command sets is put back
    yield calls
    _cards.cache_clear()


def refused(code: int, capsys) -> str:
    assert code == 2
    told = capsys.readouterr()
    (line,) = told.err.splitlines()
    assert "This computer" not in told.out
    return line


def test_by_default_this_computer_alone(started, capsys):
    assert main(["serve"]) == 0
    ((port, shared),) = started
    assert shared is None
    assert f"This computer: http://127.0.0.1:{port}" in capsys.readouterr().out
    assert "--server.address=127.0.0.1" in server.options(port, shared)
    assert not any("0.0.0.0" in option or "cors" in option.lower() for option in server.options(port, shared))


def test_shared_it_prints_the_address_and_its_code(started, capsys, monkeypatch):
    monkeypatch.setattr(addresses, "lan_addresses", lambda: ["192.168.7.3"])
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), "utf-8"))
    assert main(["serve", "--share"]) == 0
    sys.stdout.seek(0)
    told = sys.stdout.read()
    ((port, shared),) = started
    assert shared == ["192.168.7.3"]
    assert f"Other devices in the same network: http://192.168.7.3:{port}\n" in told
    assert addresses.qr_code(f"http://192.168.7.3:{port}", "utf-8") in told
    assert "no password" in told
    assert {"--server.address=0.0.0.0", "--browser.serverAddress=192.168.7.3"} < {*server.options(port, shared)}


@pytest.mark.parametrize(("found", "says"), [([], "in no local network"), (["10.0.0.1", "192.168.7.3"], "depends on")])
def test_no_address_and_several_are_told(found, says, started, capsys, monkeypatch):
    monkeypatch.setattr(addresses, "lan_addresses", lambda: found)
    assert main(["serve", "--share"]) == 0
    told = capsys.readouterr().out
    assert says in told
    assert all(f"http://{address}:" in told for address in found)
    ((port, shared),) = started
    assert [
        f"--server.corsAllowedOrigins=http://{each}:{port}" in server.options(port, shared) for each in found[1:]
    ] == ([True] * len(found[1:]))


def test_a_console_without_the_letters_gets_the_address_alone(started, monkeypatch):
    monkeypatch.setattr(addresses, "lan_addresses", lambda: ["192.168.7.3"])
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), "latin-1"))
    assert main(["serve", "--share"]) == 0
    sys.stdout.seek(0)
    told = sys.stdout.read()
    assert "http://192.168.7.3:" in told
    assert "?" * 3 not in told
    assert addresses.qr_code("http://192.168.7.3", None) == ""


def test_the_code_is_a_square_of_blocks():
    lines = addresses.qr_code("http://192.168.7.3:8501", "utf-8").splitlines()
    assert {letter for line in lines for letter in line} <= set(" ▀▄█")
    assert len({len(line) for line in lines}) == 1
    assert abs(2 * len(lines) - len(lines[0])) <= 1


def test_addresses_are_found_without_a_packet(monkeypatch):
    sent = []
    for name in ("send", "sendto", "sendall"):
        monkeypatch.setattr(socket.socket, name, lambda *given: sent.append(given), raising=False)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_given, **_more: pytest.fail("it asked for a name"))
    found = addresses.lan_addresses()
    assert sent == []
    assert all(re.fullmatch(r"\d+(\.\d+){3}", address) and not address.startswith("127.") for address in found)
    monkeypatch.setattr(socket.socket, "connect", lambda *_given: (_ for _ in ()).throw(OSError("no route")))
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda *_given: [(0, 0, 0, "", ("127.0.1.1", 0)), (0, 0, 0, "", ("192.168.1.4", 0))]
    )
    assert addresses.lan_addresses() == ["192.168.1.4"], "by the computer's name, where no route leads out"
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_given: (_ for _ in ()).throw(OSError("no name")))
    assert addresses.lan_addresses() == []


def test_a_port_that_is_taken_or_none_is_a_sentence(started, capsys):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        assert f"Port {taken} of 127.0.0.1 cannot be used" in refused(main(["serve", "--port", str(taken)]), capsys)
    assert "--port is 1 to 65535; got 0" in refused(main(["serve", "--port", "0"]), capsys)
    assert started == []


def test_without_a_port_the_next_free_one_is_taken(started, monkeypatch):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        monkeypatch.setattr(serve, "FIRST_PORT", taken)
        assert main(["serve"]) == 0
    assert taken < started[0][0] < taken + serve.PORTS


def test_networks_are_loaded_before_the_server_starts(started, capsys, tmp_path):
    file = python_file(tmp_path, name="offered")
    assert main(["serve", "--network", f"{file}:load", "--network", f"{file}:bare"]) == 0
    told = capsys.readouterr().out
    assert "offered:load, 18 classes of rendered road signs, 64 × 64 pixels. It recognises 10 of 10" in told
    assert "offered:bare" in told
    assert "normalisation looks missing" in told
    assert len(started) == 1


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("missing.py:load", "There is no file"),
        ("offered.py:other", "has no function other"),
        ("offered.py", "takes FILE.py:FUNCTION"),
        ("offered.txt:load", "takes FILE.py:FUNCTION"),
        ("", "takes FILE.py:FUNCTION"),
    ],
)
def test_a_network_that_cannot_be_loaded_ends_it_before_it_starts(given, says, started, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    python_file(tmp_path, name="offered")
    assert says in refused(main(["serve", "--network", given]), capsys)
    assert started == []


def test_pictures_of_cifar10_that_are_not_there_are_a_sentence(started, capsys, tmp_path):
    assert f"CIFAR-10 is not in {tmp_path}" in refused(main(["serve", "--data", str(tmp_path)]), capsys)
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat" / "1.png").write_bytes(b"x")
    assert main(["serve", "--data", str(tmp_path)]) == 0
    assert os.environ[cifar10.VARIABLE] == str(tmp_path)


def test_folders_of_pictures_are_offered_or_refused_before_it_starts(started, capsys, tmp_path):
    assert "The folder nowhere cannot be read" in refused(main(["serve", "--pictures", "nowhere"]), capsys)
    assert f"{tmp_path} holds no pictures" in refused(main(["serve", "--pictures", str(tmp_path)]), capsys)
    assert not started
    for name in ("a", "b/a"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "1.png").write_bytes(to_png(new_sign(1).image))
    named = [str(tmp_path / name) for name in ("a", "b/a")]
    assert main(["serve", "--pictures", named[0], "--pictures", named[1]]) == 0
    assert {title: str(path) for title, path in offered.offered_folders().items()} == dict(
        zip(("a", "a (2)"), named, strict=True)
    )


def test_it_starts_again_where_the_threads_of_torch_would_spin(started, monkeypatch):
    again = []
    monkeypatch.setattr(os, "execve", lambda _file, command, env: again.append((command, env)) or sys.exit(5))
    monkeypatch.setattr(serve.subprocess, "call", lambda command, env: again.append((command, env)) or sys.exit(5))
    for name in serve.THREADS:
        monkeypatch.delenv(name)
    with pytest.raises(SystemExit):
        main(["serve"])
    ((command, environment),) = again
    assert command == sys.orig_argv
    assert serve.THREADS.items() <= environment.items()
    assert started == []


def test_the_server_asks_nobody_for_its_address(monkeypatch):
    monkeypatch.undo()
    given = []
    monkeypatch.setattr(net_util, "get_external_ip", net_util.get_external_ip)  # what is put in its place goes again
    monkeypatch.setattr(net_util, "_make_blocking_http_get", lambda *_given, **_more: pytest.fail("it asked"))
    monkeypatch.setattr(cli, "main", lambda arguments, **_more: given.append(arguments))
    monkeypatch.setattr(server.signal, "signal", lambda *_given: None)
    assert server.serve(8600, None) == 0
    assert net_util.get_external_ip() is None
    assert given == [["run", str(server.app_file()), *server.options(8600, None)]]


def test_the_page_is_found():
    assert "st.navigation" in server.app_file().read_text()


@pytest.fixture
def cold():
    """Nothing is loaded, and nothing stays so."""
    for each in (server.load_first_page.cache_clear, caches._bundled.clear):
        each()
    yield
    server.load_first_page.cache_clear()


def test_what_the_first_page_needs_is_loaded_before_the_server_answers(cold, monkeypatch):
    with suppress(StopIteration):  # it waits for nothing, so no loop is needed
        server.ready(None).__aenter__().send(None)
    monkeypatch.setattr(caches, "_load", lambda *_given: pytest.fail("the first visitor waits for it"))
    assert caches.classifier(DEFAULT).name == DEFAULT


def test_a_network_that_is_damaged_keeps_no_server_from_starting(cold, monkeypatch):
    def damaged(*_given):
        raise ValueError("The weights are damaged.")

    monkeypatch.setattr(caches, "_load", damaged)
    server.load_first_page()  # the page tells it
