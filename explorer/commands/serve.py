"""Start the page, for this computer alone or for the local network, also with networks of your own.

Only this computer can open it unless --share is given; then everybody in the local network can, without a password.
Networks in Python are loaded and checked once, before the server starts, and offered to all visitors beside the
bundled ones. Nobody else's code is ever run.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

from explorer import addresses
from explorer.classifiers import registered, registered_cards
from explorer.commands import options
from explorer.pipeline import first_look
from explorer.samples import cifar10, find_cifar10, offered
from explorer.studies.dataset import folder_pictures
from explorer.ui import server

EXAMPLES = """examples:
  python -m explorer serve
  python -m explorer serve --share
  python -m explorer serve --network my_network.py:load --network other.py:make --data pictures/cifar10
  python -m explorer serve --pictures photographs/"""

FIRST_PORT, PORTS = 8501, 100  # where a free one is looked for
THREADS = {  # as app.py does, before torch is loaded
    "OMP_WAIT_POLICY": "PASSIVE",
    "OMP_NUM_THREADS": str(max(1, (os.cpu_count() or 1) // 2)),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Who may open the page, where, and what it offers beside the bundled networks."""
    parser.add_argument(
        "--network",
        action="append",
        default=[],
        metavar="FILE.py:FUNCTION",
        help="a network of your own: a function that returns a torch module (or any function) from RGB images in "
        "[0, 1] to logits; it may carry class_names and input_size = (height, width). Can be given several times",
    )
    parser.add_argument(
        "--pictures",
        action="append",
        default=[],
        type=Path,
        metavar="DIR",
        help="a folder of pictures, or of one folder of pictures per class, that the page Data set offers to all "
        "visitors. Can be given several times",
    )
    parser.add_argument(
        "--share",
        action="store_true",
        help="let every device in the local network open the page, at the address that is printed, also as a QR code",
    )
    parser.add_argument(
        "--port", type=options.whole, help=f"of the server (default: the first free one from {FIRST_PORT})"
    )
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="where CIFAR-10 lies: torchvision's files, or a folder of pictures per class (default: the folder that "
        "EXPLORER_CIFAR10 names, else the one that the page downloads to)",
    )


def run(args: argparse.Namespace) -> int:
    """Load the networks, say where the page is, and serve it until it is stopped."""
    server.check_settings()
    port = _free_port(args.port, "0.0.0.0" if args.share else "127.0.0.1")
    if args.data is not None:
        _check_data(args.data)
        os.environ[cifar10.VARIABLE] = str(args.data.resolve())
    for folder in args.pictures:
        folder_pictures(folder)  # refused here, not on the page
    if args.pictures:
        os.environ[offered.VARIABLE] = json.dumps([str(folder.resolve()) for folder in args.pictures])
    if not {*THREADS} <= {*os.environ}:
        return _start_again()
    os.environ[registered.VARIABLE] = json.dumps([_resolved(named) for named in args.network])
    _tell_networks()
    found = addresses.lan_addresses() if args.share else []
    print(f"This computer: http://127.0.0.1:{port}")
    if args.share:
        _tell_addresses([f"http://{address}:{port}" for address in found])
    print("Ctrl+C stops it.", flush=True)
    return server.serve(port, found if args.share else None)


def _start_again() -> int:
    """The same command once more, with threads that do not spin: torch reads that when it is loaded, not later."""
    environment = {**THREADS, **os.environ}
    if os.name == "posix":
        sys.stdout.flush()
        os.execve(sys.executable, sys.orig_argv, environment)
    return subprocess.call(sys.orig_argv, env=environment)


def _resolved(named: str) -> str:
    """FILE.py:FUNCTION with the whole path. Raises ValueError with one sentence if it is no such name."""
    file, _, function = named.rpartition(":")
    if not file.endswith(".py") or not function:
        raise ValueError(f"--network takes FILE.py:FUNCTION, such as my_network.py:load; got {named[:80]!r}.")
    return f"{Path(file).resolve()}:{function}"


def _tell_networks() -> None:
    """What was loaded, and what the first look at it found. Raises ValueError with one sentence if any fails."""
    cards = registered_cards()
    for card in cards:
        clf = card.load()
        print(f"{card.summary} {clf.remark} {first_look(clf).told}".replace("  ", " "))


def _tell_addresses(urls: list[str]) -> None:
    if not urls:
        print("This computer is in no local network that it knows of, so other devices cannot open the page.")
        return
    print(f"Other devices in the same network: {' or '.join(urls)}")
    if len(urls) > 1:
        print("Which of these it is depends on the network that the device is in; the code is for the first.")
    if code := addresses.qr_code(urls[0], sys.stdout.encoding):
        print(code)
    print("Everybody in this network can open it: there is no password.")


def _check_data(folder: Path) -> None:
    if find_cifar10(folder) is None:
        raise ValueError(f"CIFAR-10 is not in {folder}: torchvision's files, or one folder of pictures per class.")


def _free_port(asked: int | None, address: str) -> int:
    """The port that was asked for, else the first free one. Raises ValueError with one sentence if there is none."""
    if asked is not None and not 1 <= asked <= 65535:
        raise ValueError(f"--port is 1 to 65535; got {asked}.")
    for port in [asked] if asked is not None else range(FIRST_PORT, FIRST_PORT + PORTS):
        try:
            with socket.socket() as probe:
                if os.name == "posix":
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a server that has just stopped
                probe.bind((address, port))
            return port
        except OSError as error:
            reason = error.strerror
    raise ValueError(f"Port {port} of {address} cannot be used: {reason}. Choose another one by --port.")
