// Socket.IO 4: rooms, acknowledgements and broadcasts are the library's.

import { createServer } from "node:http";
import { Server } from "socket.io";
import { port, store, userOf } from "./chat.js";

const http = createServer();
const io = new Server(http, {
  transports: ["websocket"],
  perMessageDeflate: false,
  serveClient: false,
});

// The library's own advice for memory: forget the HTTP request of the handshake.
io.engine.on("connection", (connection) => {
  connection.request = null;
});

io.use((socket, next) => {
  try {
    socket.data.user = userOf(socket.handshake.auth.token);
    next();
  } catch {
    next(new Error("unauthorized"));
  }
});

io.on("connection", (socket) => {
  socket.on("join", (room, reply) => {
    socket.join(room);
    reply({ ok: true });
  });

  socket.on("message", async ({ room, text }, reply) => {
    if (!socket.rooms.has(room)) return reply({ ok: false, error: "not in this room" });
    try {
      const id = await store(room, socket.data.user, text);
      io.to(room).emit("message", { id, room, from: socket.data.user, text });
      reply({ ok: true, id });
    } catch {
      reply({ ok: false, error: "not stored" });
    }
  });
});

http.listen(port, "127.0.0.1", 4096);
