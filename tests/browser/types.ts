// Compiled by `types.test.js`, never run: what the types of `models.ts` take, and what they do not.

import type { ChildInput, Device, DeviceInput, Event, Mode, Motion, MotionInput, Settings, Shape, Tree } from "./models.js";

declare const device: Device;

// What is shown can be read without a cast, and given back.
const label: string | null | undefined = device.children[0]?.label;
const y: number = device.position[1];
const second: string | null = device.pair[1];
const ticks: number | bigint = device.ticks;
const address: string | null | undefined = device.address;
const input: DeviceInput = { ...device, brightness: device.brightness + 1 };

// An exact union: what was not asked for is not there.
function speed(motion: Motion): number {
  switch (motion.kind) {
    case "standing":
      return 0;
    case "driving":
      return motion.speed;
    case "turning":
      return motion.degrees;
  }
}
function area(shape: Shape): number {
  return shape.t === "Box" ? shape.c.width * shape.c.height : shape.t === "Circle" ? shape.c : 0;
}
const events: Event[] = ["Started", { Failed: "why" }, { Moved: [1, 2] }, { Seen: { by: { label: null } } }];
const modes: Mode[] = ["automatic", "at-night"];
const tree: Tree = { leaf: "a", below: [{ leaf: "b", below: [] }] };
const settings: Settings = { volume: 3, anything: 4 };

// What has a default may be left out of what is given, and of nothing else.
const child: ChildInput = {};
const driving: MotionInput = { kind: "driving", speed: 1 };
const large: MotionInput = { kind: "driving", speed: 1, steps: 2n ** 60n };

// @ts-expect-error: it is shown with all it has
const bare: Motion = { kind: "driving", speed: 1 };
// @ts-expect-error: values are frozen
device.name = "other";
// @ts-expect-error: lists, too
device.children.push({ label: null });
// @ts-expect-error: no number of percent is a bigint
const percent: DeviceInput["brightness"] = 1n;
// @ts-expect-error: it may be a bigint
const rounded: number = device.ticks;
// @ts-expect-error: it may be null
const note: string = device.note;
// @ts-expect-error: the first variant is called otherwise
const mode: Mode = "Automatic";
// @ts-expect-error: this kind has no speed
const turning: Motion = { kind: "turning", speed: 1 };
// @ts-expect-error: not in this kind
const read: number = (device.motion as Extract<Motion, { kind: "standing" }>).speed;
// @ts-expect-error: three numbers
const position: Device["position"] = [1, 2];
// @ts-expect-error: there is no such field
device.nickname;
// @ts-expect-error: the text comes second
const pair: Device["pair"] = ["text", 1];
// @ts-expect-error: a name is asked for
const nobody: DeviceInput = { ...device, name: undefined };
// @ts-expect-error: nothing comes with it
const shape: Shape = { t: "Empty", c: 1 };
