"""Rooms: a class that follows one lesson together, in memory only. Who joins is a number, with a nickname or none."""

from explorer.rooms.address import Place, joining_at
from explorer.rooms.codes import draw_code, read_code, spelled
from explorer.rooms.lock import CONTROLS, Lock
from explorer.rooms.room import Entry, Find, Member, View
from explorer.rooms.rooms import Rooms

__all__ = [
    "CONTROLS",
    "Entry",
    "Find",
    "Lock",
    "Member",
    "Place",
    "Rooms",
    "View",
    "draw_code",
    "joining_at",
    "read_code",
    "spelled",
]
