"""What people send besides text: taken in two steps, looked at, and given out by signed addresses.

uploads.py   announced, filled, completed (ATT-01)
content.py   whether a file is what it is said to be (ATT-07)
images.py    its size, small pictures, and no place where it was taken (ATT-13, ATT-16)
blobs.py     where the bytes are: a port, and the local file system
opening.py   all of it, as the settings say
links.py     addresses that carry their own permission, for a while (ATT-18)
"""

from __future__ import annotations
