import type { Transport } from "../transport.js";

/** Both ways. */
export const websocket: Transport = (url, handlers, options) => {
  url.protocol = url.protocol.replace("http", "ws");
  const socket = new (options.WebSocket ?? WebSocket)(url.href);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => handlers.opened(true);
  socket.onmessage = ({ data }) => handlers.frame(data);
  // `onclose` says it all; an error that nobody listens to would end a Node program.
  socket.onerror = () => {};
  // 1008 and 3000: the server does not want this client back.
  socket.onclose = ({ code, reason }) => handlers.lost(reason || `closed with code ${code}`, code === 1008 || code === 3000);
  return {
    send(frame) {
      if (socket.readyState !== 1) return false;
      socket.send(frame);
      return true;
    },
    close() {
      // Events that are under way are nobody's any more.
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
    },
  };
};
