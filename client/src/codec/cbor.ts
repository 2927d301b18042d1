import type { Codec } from "../codec.js";
import { malformed } from "../value.js";
import { type Format, Reader, Writer } from "./binary.js";

function head(writer: Writer, major: number, value: number | bigint): void {
  major <<= 5;
  if (value < 24) writer.head(major | Number(value));
  else if (value < 0x100) writer.head(major | 24, 1, value);
  else if (value < 0x10000) writer.head(major | 25, 2, value);
  else if (value < 2 ** 32) writer.head(major | 26, 4, value);
  else writer.head(major | 27, 8, value);
}

const format: Format = {
  constant: { false: 0xf4, true: 0xf5, null: 0xf6 },
  int: (writer, value) => (value < 0 ? head(writer, 1, -1n - BigInt(value)) : head(writer, 0, value)),
  float: (writer, value) => {
    const isSmall = Math.fround(value) === value;
    writer.float(isSmall ? 0xfa : 0xfb, isSmall ? 4 : 8, value);
  },
  text: (writer, length) => head(writer, 3, length),
  list: (writer, length) => head(writer, 4, length),
  object: (writer, length) => head(writer, 5, length),
};

const BREAK = 0xff;

function read(reader: Reader): unknown {
  const item = () => read(reader);
  const byte = Number(reader.uint(1));
  const major = byte >> 5;
  const low = byte & 31;
  if (major === 7) {
    if (low >= 25 && low <= 27) return reader.float(1 << (low - 24));
    if (low === 20 || low === 21) return low === 21;
    if (low === 22) return null;
  } else if (low === 31 && major >= 3 && major <= 5) {
    const isEnd = () => reader.peek() === BREAK && reader.uint(1) === BREAK;
    if (major === 5) return reader.object(0, item, isEnd);
    const parts = reader.list(0, item, isEnd);
    if (major === 4) return parts;
    if (parts.every((part) => typeof part === "string")) return parts.join("");
  } else if (low < 28) {
    const value = low < 24 ? low : reader.uint(1 << (low - 24));
    if (major === 0) return value;
    if (major === 1) return typeof value === "number" && value < 2 ** 52 ? -1 - value : -1n - BigInt(value);
    if (major === 3) return reader.text(Number(value));
    if (major === 4) return reader.list(Number(value), item);
    if (major === 5) return reader.object(Number(value), item);
  }
  return malformed(`CBOR byte ${byte}`);
}

/** RFC 8949, without byte strings, tags and keys that are no texts. */
export const cbor: Codec = {
  name: "cbor",
  encode(message) {
    const writer = new Writer();
    writer.document(format, message);
    return writer.done();
  },
  decode: (frame) => read(new Reader(frame)),
};
