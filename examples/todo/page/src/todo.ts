// The list of the server, and what this page does to it.

import { connect, EditError, type Model } from "transports-client";

export interface Item {
  readonly text: string;
  readonly done: boolean;
}

export interface Todo {
  readonly title: string;
  readonly items: Readonly<Record<string, Item>>;
  /** The names of the items, from top to bottom. */
  readonly order: readonly string[];
}

/** Where no WebSocket comes through the list lives on Server-Sent Events and POSTs. */
export const client = connect("/ws", { fallback: "/sse", longestDelay: 5000 });
const todo: Model<Todo> = client.model<Todo>("Todo");

/** A name that nobody else makes up. Pages that are not served securely have no `randomUUID`. */
function newName(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(3)), (number) => number.toString(36)).join("-");
}

export const add = (text: string) => {
  const name = newName();
  return todo.edit([], ({ items, order, ...rest }: Todo) => ({
    ...rest,
    items: { ...items, [name]: { text, done: false } },
    order: [name, ...order],
  }));
};

export const tick = (name: string, done: boolean) => todo.edit(["items", name, "done"], done);

export const rename = (name: string, text: string) => todo.edit(["items", name, "text"], text);

export const remove = (name: string) =>
  todo.edit([], ({ items, order, ...rest }: Todo) => {
    const { [name]: _, ...others } = items;
    return { ...rest, items: others, order: order.filter((each) => each !== name) };
  });

/** Takes an item out of its place and puts it where the other one is. */
export async function move(name: string, to: string): Promise<void> {
  const order = todo.value?.order ?? [];
  const [from, target] = [order.indexOf(name), order.indexOf(to)];
  if (from >= 0 && target >= 0 && from !== target) await todo.move(["order"], from, target);
}

/** What to tell of an edit that did not come about. */
export function problemOf(error: unknown): string {
  if (!(error instanceof EditError)) throw error;
  return error.kind === "unknown" ? "The connection broke. Look whether the last edit was made." : error.reason;
}
