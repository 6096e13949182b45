// Socket.IO with one of its two Redis adapters. A message goes to the room as it came. Nothing is stored.
//
//     node socketio.js PORT pubsub|streams REDIS_SOCKET
const { createServer } = require("node:http");
const { Server } = require("socket.io");
const { createClient } = require("redis");

const [port, kind, path] = process.argv.slice(2);

async function connected() {
  const client = createClient({ socket: { path } });
  await client.connect();
  return client;
}

async function adapter() {
  if (kind === "streams") {
    return require("@socket.io/redis-streams-adapter").createAdapter(await connected());
  }
  return require("@socket.io/redis-adapter").createAdapter(await connected(), await connected());
}

async function main() {
  const http = createServer();
  const io = new Server(http, { adapter: await adapter(), transports: ["websocket"] });
  io.on("connection", (socket) => {
    const { room } = socket.handshake.query;
    socket.join(room);
    socket.on("message", (message) => io.to(room).emit("message", message));
  });
  http.listen(Number(port), "127.0.0.1", 1024);
}

main();
