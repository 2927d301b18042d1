import { FRAME_LIMIT, type Transport } from "../transport.js";

/** From the server only. By `fetch` and not by `EventSource`, which tells neither why it fails nor takes headers. */
export const sse: Transport = (url, handlers, options) => {
  url.protocol = url.protocol.replace("ws", "http");
  const abort = new AbortController();
  const { signal } = abort;

  async function read(): Promise<string> {
    const headers = { accept: "text/event-stream", ...options.headers };
    const response = await fetch(url, { headers, signal, cache: "no-store" });
    if (!response.ok || !response.body) return `${response.status} ${await response.text()}`.slice(0, 200);
    if (signal.aborted) return "";
    handlers.opened();
    const decoder = new TextDecoder();
    const reader = response.body.getReader();
    let rest = "";
    let event: string[] = [];
    let length = 0;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return "the stream ended";
      // Of a chunk the last line may be incomplete. Lines end with LF or CR LF; no server ends them with CR alone.
      const lines = decoder.decode(value, { stream: true }).split("\n");
      lines[0] = rest + lines[0];
      rest = lines.pop()!;
      for (const ended of lines) {
        if (signal.aborted) return "";
        const line = ended.replace(/\r$/, "");
        if (line.startsWith("data:")) {
          event.push(line.slice(line[5] === " " ? 6 : 5));
          length += line.length;
        } else if (line === "" && event.length > 0) {
          handlers.frame(event.join("\n"));
          event = [];
          length = 0;
        }
      }
      if (length + rest.length > (options.frameLimit ?? FRAME_LIMIT)) return "an event is too large";
    }
  }

  read().then(
    (reason) => signal.aborted || (abort.abort(), handlers.lost(reason)),
    (error) => signal.aborted || handlers.lost(String(error)),
  );
  return { close: () => abort.abort() };
};
