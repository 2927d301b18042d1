import type { Codec } from "../codec.js";
import { malformed } from "../value.js";
import { type Format, Reader, Writer } from "./binary.js";

/** A byte by the size of `value`: the first of `sizes` that holds it. */
function sized(writer: Writer, value: number, fixed: number, limit: number, bytes: number[]): void {
  if (value < limit) writer.head(fixed | value);
  else if (value < 0x100 && bytes[0]) writer.head(bytes[0], 1, value);
  else if (value < 0x10000) writer.head(bytes[1]!, 2, value);
  else writer.head(bytes[2]!, 4, value);
}

const format: Format = {
  constant: { null: 0xc0, false: 0xc2, true: 0xc3 },
  int(writer, value) {
    if (value >= 0) {
      if (value < 2 ** 32) sized(writer, Number(value), 0, 128, [0xcc, 0xcd, 0xce]);
      else writer.head(0xcf, 8, value);
    } else if (value >= -32) writer.head(Number(value) & 0xff);
    else if (value >= -128) writer.head(0xd0, 1, Number(value) & 0xff);
    else if (value >= -0x8000) writer.head(0xd1, 2, Number(value) & 0xffff);
    else if (value >= -(2 ** 31)) writer.head(0xd2, 4, Number(value) >>> 0);
    else writer.head(0xd3, 8, value);
  },
  float: (writer, value) => writer.float(0xcb, 8, value),
  text: (writer, length) => sized(writer, length, 0xa0, 32, [0xd9, 0xda, 0xdb]),
  list: (writer, length) => sized(writer, length, 0x90, 16, [0, 0xdc, 0xdd]),
  object: (writer, length) => sized(writer, length, 0x80, 16, [0, 0xde, 0xdf]),
};

function read(reader: Reader): unknown {
  const item = () => read(reader);
  const size = (bytes: number) => Number(reader.uint(bytes));
  const byte = size(1);
  if (byte < 0x80) return byte;
  if (byte < 0x90) return reader.object(byte & 15, item);
  if (byte < 0xa0) return reader.list(byte & 15, item);
  if (byte < 0xc0) return reader.text(byte & 31);
  if (byte >= 0xe0) return byte - 256;
  switch (byte) {
    case 0xc0:
      return null;
    case 0xc2:
    case 0xc3:
      return byte === 0xc3;
    case 0xca:
    case 0xcb:
      return reader.float(byte === 0xca ? 4 : 8);
    case 0xcc:
    case 0xcd:
    case 0xce:
    case 0xcf:
      return reader.uint(1 << (byte & 3));
    case 0xd0:
    case 0xd1:
    case 0xd2:
    case 0xd3:
      return reader.int(1 << (byte & 3));
    case 0xd9:
    case 0xda:
    case 0xdb:
      return reader.text(size(1 << (byte - 0xd9)));
    case 0xdc:
    case 0xdd:
      return reader.list(size(2 << (byte & 1)), item);
    case 0xde:
    case 0xdf:
      return reader.object(size(2 << (byte & 1)), item);
  }
  return malformed(`MessagePack byte ${byte}`);
}

/** https://github.com/msgpack/msgpack/blob/master/spec.md, without bin, ext and keys that are no texts. */
export const msgpack: Codec = {
  name: "msgpack",
  encode(message) {
    const writer = new Writer();
    writer.document(format, message);
    return writer.done();
  },
  decode: (frame) => read(new Reader(frame)),
};
