"""What an embedding application may answer itself, in Python."""

from __future__ import annotations

from typing import TypedDict

from ...actors.host import Delivery
from .contexts import Contexts
from .membership import Membership
from .premium import Premium
from .relations import Relations
from .users import Users


class Ports(TypedDict, total=False):
    """By the name of the port. Whichever is given goes before what `settings.host` says of it."""

    users: Users
    """who there is, and what they may see of one another"""
    contexts: Contexts
    """what conversations may be about, and who has to do with whom"""
    membership: Membership
    """who is in the groups that are the host's"""
    premium: Premium
    """who has a valid subscription"""
    relations: Relations
    """who follows whom"""
    delivery: Delivery
    """who pushes what waits for those who are away (SEND-13)"""
