// The client over a widget's custom messages, in a Jupyter notebook.

import { Client } from "../client.js";
import type { Codec } from "../codec.js";
import { json } from "../codec/json.js";
import type { Transport } from "../transport.js";
import { isObject } from "../value.js";

/** What anywidget gives a front end. */
export interface WidgetModel {
  get(name: string): any;
  on(event: string, listener: (...args: any[]) => void): void;
  off(event: string, listener: (...args: any[]) => void): void;
  send(content: unknown): void;
}

/** The models of the widget's server. Every view has a client of its own. */
export function connect(model: WidgetModel): Client {
  // All views of a widget, in all tabs, are told everything. So that none takes the answer to another's proposal for
  // one to its own, proposals leave under names that nobody else uses.
  const mine = `${crypto.randomUUID()}:`;
  const codec: Codec = {
    name: json.name,
    encode: (message) => json.encode(rename(message, (name) => mine + name)),
    decode: (frame) => foreign(json.decode(frame), mine),
  };
  const transport: Transport = (_url, handlers) => {
    const listener = (content: unknown) => {
      if (!isObject(content)) return;
      if (typeof content.wire === "string") handlers.frame(content.wire);
      else if (typeof content.error === "string") handlers.lost(content.error);
    };
    model.on("msg:custom", listener);
    queueMicrotask(() => {
      handlers.opened(true);
      model.send({ ready: true, epoch: "", schema: true });
    });
    return {
      send(frame) {
        model.send({ wire: frame });
        return true;
      },
      close: () => model.off("msg:custom", listener),
    };
  };
  return new Client(() => ({ transport, codec, url: new URL("jupyter:"), isBare: true }), {});
}

function rename(message: unknown, to: (name: string) => string): unknown {
  if (!isObject(message) || typeof message.proposal !== "string") return message;
  return { ...message, proposal: to(message.proposal) };
}

/** A message with the names this view gave. What answers others' proposals loses the name, and refusals of them are of
 * no interest. */
function foreign(message: unknown, mine: string): unknown {
  if (!isObject(message)) return message;
  if (message.t === "batch" && Array.isArray(message.msgs)) {
    return { ...message, msgs: message.msgs.map((each) => foreign(each, mine)) };
  }
  if (typeof message.proposal !== "string") return message;
  if (message.proposal.startsWith(mine)) return rename(message, (name) => name.slice(mine.length));
  const { proposal, ...rest } = message;
  return message.t === "patch" ? rest : { t: "of another view" };
}
