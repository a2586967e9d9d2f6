// Bare `ws`: JSON text frames, rooms by hand.

import { createServer } from "node:http";
import { WebSocketServer } from "ws";
import { port, store, userOf } from "./chat.js";

const http = createServer();
const server = new WebSocketServer({ noServer: true, perMessageDeflate: false });
const rooms = new Map(); // name -> Set of sockets

http.on("upgrade", (request, stream, head) => {
  let user;
  try {
    user = userOf(new URL(request.url, "http://peer").searchParams.get("token"));
  } catch {
    return stream.end("HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n");
  }
  server.handleUpgrade(request, stream, head, (socket) => serve(socket, user));
});

function serve(socket, user) {
  const joined = new Set();

  socket.on("message", async (data) => {
    const { type, ref, room, text } = JSON.parse(data);
    if (type === "join") {
      if (!rooms.has(room)) rooms.set(room, new Set());
      rooms.get(room).add(socket);
      joined.add(room);
      return answer({ type: "joined", ref });
    }
    if (!joined.has(room)) return answer({ type: "error", ref, error: "not in this room" });
    try {
      const id = await store(room, user, text);
      broadcast(room, { type: "message", id, room, from: user, text });
      answer({ type: "ack", ref, id });
    } catch {
      answer({ type: "error", ref, error: "not stored" });
    }
  });

  socket.on("close", () => {
    for (const room of joined) {
      rooms.get(room).delete(socket);
      if (rooms.get(room).size === 0) rooms.delete(room);
    }
  });

  socket.on("error", () => {}); // a close follows

  function answer(item) {
    socket.send(JSON.stringify(item));
  }
}

function broadcast(room, message) {
  const data = JSON.stringify(message);
  for (const socket of rooms.get(room) ?? []) socket.send(data);
}

http.listen(port, "127.0.0.1", 4096);
