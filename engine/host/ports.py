"""What an embedding application may answer itself, in Python."""

from __future__ import annotations

from typing import TypedDict

from ...actors.relations import Relations
from .users import Users


class Ports(TypedDict, total=False):
    """By the name of the port. Whichever is given goes before what `settings.host` says of it."""

    users: Users
    """who there is, and what they may see of one another"""
    relations: Relations
    """who follows whom; without it nobody follows anybody (REQ-01)"""
