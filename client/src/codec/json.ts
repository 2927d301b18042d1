import type { Codec } from "../codec.js";
import { malformed } from "../value.js";
import { Fraction } from "./fraction.js";

// Text inside a JSON string cannot match these: a quote in it has a backslash before it, and after the brace that opens
// an object there is none.
const READ = /\{\s*"(Int|Submodel)"\s*:\s*(-?\d+(?:\.\d+(?:[eE][+-]?\d+)?|[eE][+-]?\d+)|-?\d{16,})/g;
/** Begins texts that stand for numbers. What others have made, such as states of peers, may look like anything else. */
const MARK = `${globalThis.crypto?.getRandomValues(new Uint32Array(4)) ?? Math.random()}:`;
const WRITTEN = new RegExp(`"${MARK}(-?\\d+)"|\\{"Float":(-?\\d+)\\}`, "g");

/** JSON text. */
export const json: Codec = {
  name: "json",

  encode(message) {
    const text = JSON.stringify(message, (_, value) => (typeof value === "bigint" ? MARK + value : value));
    return text.replace(WRITTEN, (_, int, float) => int ?? `{"Float":${float}.0}`);
  },

  decode(frame) {
    if (typeof frame !== "string") return malformed("bytes on a JSON connection");
    const numbers: unknown[] = [];
    const text = frame.replace(READ, (_, kind: string, number: string) => {
      const index = numbers.push(/[.eE]/.test(number) ? new Fraction(Number(number)) : BigInt(number)) - 1;
      return `{"${kind}":"${MARK}${index}"`;
    });
    if (numbers.length === 0) return JSON.parse(text);
    return JSON.parse(text, (_, value) => (typeof value === "string" && value.startsWith(MARK) ? numbers[Number(value.slice(MARK.length))] : value));
  },
};
