// Plain `ws`: a room is a path, and a message goes to every socket of the room as it came. Nothing is stored.
//
//     node ws.js PORT
const { WebSocketServer, WebSocket } = require("ws");

const rooms = new Map();

function enter(socket, room) {
  const members = rooms.get(room) ?? new Set();
  rooms.set(room, members.add(socket));
  socket.on("close", () => members.delete(socket));
  return members;
}

const server = new WebSocketServer({ host: "127.0.0.1", port: Number(process.argv[2]), backlog: 1024 });

server.on("connection", (socket, request) => {
  const members = enter(socket, request.url);
  socket.on("message", (data, isBinary) => {
    for (const member of members) {
      if (member.readyState === WebSocket.OPEN) member.send(data, { binary: isBinary });
    }
  });
});
