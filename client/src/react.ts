/** React hooks: components that show models, and render when what they show changes. */

import { useCallback, useEffect, useMemo, useRef, useSyncExternalStore } from "react";
import { type Client, connect, type Key, type Model, type State } from "./index.js";

/** A client, or the address of a server. Components that name the same address share one connection. It is made when the
 * first of them is mounted, and ends a second after the last is gone. */
export type Source = Client | string;

interface Shared {
  client: Client;
  users: number;
}

const shared = new Map<string, Shared>();

/** After a remount, as in strict mode or by a change of pages, the connection is still there. */
const LINGER = 1000; // ms

function clientOf(source: Source): Client {
  if (typeof source !== "string") return source;
  let entry = shared.get(source);
  if (!entry) shared.set(source, (entry = { client: connect(source, { paused: true }), users: 0 }));
  return entry.client;
}

/** Keeps the connection while a component is mounted. Returns what ends that. */
function hold(source: Source): () => void {
  if (typeof source !== "string") return () => {};
  const client = clientOf(source);
  const entry = shared.get(source)!;
  entry.users += 1;
  client.start();
  return () => {
    entry.users -= 1;
    setTimeout(() => {
      if (entry.users > 0 || shared.get(source) !== entry) return;
      shared.delete(source);
      client.stop();
    }, LINGER);
  };
}

/** The client of a source, to edit models of any kind. */
export function useClient(source: Source): Client {
  useEffect(() => hold(source), [source]);
  return clientOf(source);
}

/** A model, to edit it. Does not render anew when it changes: `useSynced` does. */
export function useModel<T = any>(source: Source, key: Key): Model<T> {
  return useClient(source).model<T>(key);
}

/** What the connection is doing. */
export function useConnection(source: Source): State {
  const client = useClient(source);
  const subscribe = useCallback((changed: () => void) => client.on("state", changed), [client]);
  return useSyncExternalStore(
    subscribe,
    () => client.state,
    () => "connecting" as State,
  );
}

/** The value of a model, by id or type; undefined until it is there. With a selector what it makes of the value: the
 * component renders only when that is another, by `isEqual` (`Object.is` by default). */
export function useSynced<T = any>(source: Source, key: Key): T | undefined;
export function useSynced<T, S>(
  source: Source,
  key: Key,
  selector: (value: T) => S,
  isEqual?: (before: S, now: S) => boolean,
): S | undefined;
export function useSynced<T, S>(
  source: Source,
  key: Key,
  selector?: (value: T) => S,
  isEqual: (before: S, now: S) => boolean = Object.is,
): T | S | undefined {
  const model = useModel<T>(source, key);
  const subscribe = useCallback((changed: () => void) => model.on(changed), [model]);
  /** What the component shows. */
  const shown = useRef<{ selected: S | undefined }>(undefined);

  // A selector is often a new function with each render; what it makes of the same value is made once.
  const select = useMemo(() => {
    let last: { value: T | undefined; selected: S | undefined } | undefined;
    return () => {
      const { value } = model;
      if (!last || last.value !== value) {
        let selected = value === undefined || !selector ? (value as S | undefined) : selector(value);
        const before = last ?? shown.current;
        const both = before?.selected !== undefined && selected !== undefined;
        if (both && isEqual(before.selected as S, selected as S)) selected = before.selected;
        last = { value, selected };
      }
      return last.selected;
    };
  }, [model, selector, isEqual]);

  const selected = useSyncExternalStore(subscribe, select, () => undefined);
  useEffect(() => {
    shown.current = { selected };
  }, [selected]);
  return selected;
}
