"""What palaver is measured against: the servers that one would otherwise write or take.

All of them are started like palaver itself: one process, the same Postgres, the same tokens
checked before anything else, no rate limits, no compression. They are written the way their own
documentation does it, by somebody who has read it.

fastapi_server.py   the usual ConnectionManager in Python
node/socketio.js    Socket.IO 4
node/ws.js          `ws` with nothing round it
(redis-server)      publish and subscribe in C

json_chat.py, socketio.py, redis.py             how the load generator speaks with them
fastapi_peer.py, node_peer.py, redis_peer.py    whether they can run here, and how they are started
process.py, npm.py, websocket.py                what those share
"""

from __future__ import annotations

from ..target import Contender
from .fastapi_peer import FastApiPeer
from .json_chat import JsonChat
from .node_peer import NodePeer
from .redis_peer import RedisPeer
from .socketio import SocketIo

PEERS: dict[str, Contender] = {
    peer.name: peer
    for peer in (
        FastApiPeer(),
        NodePeer("socketio", "socketio.js", ("socket.io", "pg"), SocketIo()),
        NodePeer("ws", "ws.js", ("ws", "pg"), JsonChat()),
        RedisPeer(),
    )
}
"""By the name that `palaver bench --peer` knows."""
