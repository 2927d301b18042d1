import type { Codec } from "../codec.js";
import { malformed } from "../value.js";

// Text inside a JSON string cannot match these: a quote in it has a backslash before it, and after the brace that opens
// an object there is none.
const READ = /\{\s*"(Int|Submodel)"\s*:\s*(?:(-?\d{16,})|-?\d+[.eE])/g;
const WRITTEN = /\{"(?:(Int|Submodel)":"(-?\d+)"|Float":(-?\d+))\}/g;

/** JSON text. */
export const json: Codec = {
  name: "json",

  encode(message) {
    const text = JSON.stringify(message, (_, value) => (typeof value === "bigint" ? String(value) : value));
    return text.replace(WRITTEN, (_, kind, int, float) => (kind ? `{"${kind}":${int}}` : `{"Float":${float}.0}`));
  },

  decode(frame) {
    if (typeof frame !== "string") return malformed("bytes on a JSON connection");
    const large: bigint[] = [];
    const text = frame.replace(READ, (_, kind: string, digits?: string) => {
      if (!digits) malformed("an Int with a point");
      return `{"${kind}":[${large.push(BigInt(digits)) - 1}]`;
    });
    if (large.length === 0) return JSON.parse(text);
    return JSON.parse(text, (key, value) => (/^(Int|Submodel)$/.test(key) && Array.isArray(value) ? large[value[0]] : value));
  },
};
