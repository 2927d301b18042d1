import { FRAME_LIMIT, type Transport } from "../transport.js";

/** UTF-16 units of what is sent at once, so that edits made one after the other are no frame over the server's limit. */
const BATCH = 64 << 10;

/** Events from the server, by `fetch` and not by `EventSource`, which tells neither why it fails nor takes headers; POSTs to
 * it, where its first event has a token for them. */
export const sse: Transport = (url, handlers, options) => {
  url.protocol = url.protocol.replace("ws", "http");
  const abort = new AbortController();
  const { signal } = abort;
  let token: string | undefined;
  let posts = 0;
  let isPosting = false;
  let waiting: string[] = [];

  const lost = (reason: unknown) => {
    if (signal.aborted) return;
    abort.abort();
    handlers.lost(String(reason));
  };

  async function read(): Promise<string> {
    const headers = { ...options.headers, accept: "text/event-stream" };
    const response = await fetch(url, { headers, signal, cache: "no-store" });
    if (!response.ok || !response.body) return `${response.status} ${await response.text()}`.slice(0, 200);
    if (signal.aborted) return "";
    // It has been told, and POSTs go there, too.
    url.searchParams.delete("since");
    handlers.opened();
    const decoder = new TextDecoder();
    const reader = response.body.getReader();
    let rest = "";
    let name = "";
    let event: string[] = [];
    let length = 0;
    let isNew = true;
    let last = "the stream ended";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return last;
      // Of a chunk the last line may be incomplete. Lines end with LF or CR LF; no server ends them with CR alone.
      const lines = decoder.decode(value, { stream: true }).split("\n");
      lines[0] = rest + lines[0];
      rest = lines.pop()!;
      for (const ended of lines) {
        if (signal.aborted) return "";
        const line = ended.replace(/\r$/, "");
        const [, field, content = ""] = /^(data|event): ?(.*)$/s.exec(line) ?? [];
        if (field === "data") {
          event.push(content);
          length += line.length;
        } else if (field === "event") name = content;
        else if (line === "") {
          const text = event.join("\n");
          if (name === "transports") {
            const { uplink, reason } = JSON.parse(text);
            token ??= uplink;
            last = reason ?? last;
          }
          // The token comes before all else.
          if (isNew && event.length > 0) {
            isNew = false;
            handlers.opened(!!token);
          }
          // Events of other names are the application's.
          if (event.length > 0 && (name === "" || name === "message")) handlers.frame(text);
          event = [];
          name = "";
          length = 0;
        }
      }
      if (length + rest.length > (options.frameLimit ?? FRAME_LIMIT)) return "an event is too large";
    }
  }

  /** One POST after the other, so that edits arrive in order; what comes meanwhile goes together. Whether one that fails
   * was taken nobody knows, so it is the end of the connection. */
  async function post(): Promise<void> {
    while (waiting.length > 0) {
      // Edits made at the same time go together.
      await null;
      let size = 0;
      const larger = waiting.findIndex((message, index) => (size += message.length) > BATCH && index > 0);
      const messages = waiting.splice(0, larger < 0 ? waiting.length : larger);
      const headers = {
        ...options.headers,
        "content-type": "application/json",
        "transports-uplink": token!,
        // Browsers send a POST again whose connection broke; by its number the server knows it.
        "transports-post": String((posts += 1)),
      };
      const body = messages.length === 1 ? messages[0]! : `{"t":"batch","msgs":[${messages}]}`;
      const response = await fetch(url, { method: "POST", headers, body, signal });
      if (!response.ok) throw `${response.status} ${await response.text()}`.slice(0, 200);
    }
    isPosting = false;
  }

  read().then(lost, lost);
  return {
    send(frame) {
      if (!token || signal.aborted) return false;
      waiting.push(frame as string);
      if (!isPosting) {
        isPosting = true;
        post().catch(lost);
      }
      return true;
    },
    close: () => abort.abort(),
  };
};
