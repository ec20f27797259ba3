"""Where networks run: chosen by a person where the computer has more than one device."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import streamlit as st
import torch

from explorer.classifiers import best_device
from explorer.ui.link import link, linked

PARAMETER = "device"


@dataclass(frozen=True)
class Device:
    """One of the computer's devices."""

    name: str  # torch's: "cpu", "cuda:0", "mps:0"
    title: str
    n_bytes: int  # of its memory; 0: nobody has told


@cache
def devices() -> tuple[Device, ...]:
    """All of them, the fastest first."""
    found = []
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            about = torch.cuda.get_device_properties(index)
            found.append(Device(f"cuda:{index}", about.name, about.total_memory))
    if torch.backends.mps.is_available():
        found.append(Device("mps:0", "Apple GPU", torch.mps.recommended_max_memory()))
    return (*found, Device("cpu", "CPU", _memory()))


def choose_device() -> str:
    """The name of the device to run on; where there is one only, nothing is asked. The choice is in the link."""
    names = [device.name for device in devices()]
    fastest = fastest_device()
    asked = linked(PARAMETER, names, fastest)
    if len(names) == 1:
        return fastest
    st.session_state.device = asked
    titles = _titles(devices())
    return st.selectbox(
        "Runs on",
        names,
        format_func=titles.get,
        key="device",
        on_change=lambda: link(PARAMETER, st.session_state.device, fastest),
        width=200,
    )


def fastest_device() -> str:
    """The name of the one that is taken unless a person chooses another."""
    return next(device.name for device in devices() if device.name.startswith(best_device()))


def device_title(name: str) -> str:
    """What the device of this name is called in a sentence."""
    return next((device.title for device in devices() if device.name == name), name.upper())


def _titles(found: Sequence[Device]) -> dict[str, str]:
    """What each is called, no two alike: a control knows its choices by that."""
    titles = Counter(map(_title, found))
    return {each.name: _title(each) + f" ({each.name})" * (titles[_title(each)] > 1) for each in found}


def _title(device: Device) -> str:
    return f"{device.title}, {device.n_bytes / 2**30:.0f} GB" if device.n_bytes else device.title


def _memory() -> int:
    """Bytes of the computer's memory; 0 where the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not on Windows
        return 0
