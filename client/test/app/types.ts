// What TypeScript says of right and wrong uses: each expected error has to be one.

import { connect, type Client, type Model, type State } from "transports-client";
import { connect as connectMirror } from "transports-client/mirror";
import { useSynced } from "transports-client/react";

interface Device {
  name: string;
  tags: readonly string[];
}

const client: Client = connect("/ws", { codec: "cbor", queue: 10, longestDelay: 1000 });
const device: Model<Device> = client.model<Device>("Device");
const state: State = client.state;
const revision: Promise<number> = device.edit(["name"], state);
const ready: Promise<Device> = device.ready();
client.on("change", (model) => model.edit([], null));
client.models.map((model) => model.push([], 1));
const cursors: ReadonlyMap<string, { at: number }> = client.awareness<{ at: number }>("Device").peers;
const spliced: Promise<number> = device.splice(["name"], 0, 1, "x");
void [revision, ready, cursors, spliced];

// @ts-expect-error it may not be there
device.value.name;
// @ts-expect-error values are not to be changed
device.value?.tags.push("x");
// @ts-expect-error another state
client.awareness<{ at: number }>(1).set({ at: "x" });
// @ts-expect-error no such codec
connect("/ws", { codec: "xml" });
// @ts-expect-error keys and indices
device.edit([{}], 1);
// @ts-expect-error no such event
client.on("closed", () => {});

const mirror = connectMirror("/ws").model<Device>("Device");
mirror.on((value) => value?.name);
// @ts-expect-error it only receives
mirror.edit(["name"], "x");

export function useName(): string | undefined {
  return useSynced(client, "Device", (device: Device) => device.name);
}
