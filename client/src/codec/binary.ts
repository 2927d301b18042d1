// What MessagePack and CBOR have in common: bytes read and written one after the other, and the two kinds of number.

import { bare, malformed } from "../value.js";
import { Fraction } from "./fraction.js";

/** Objects and lists in each other in a frame: two levels of a document for one of a model, and the message around. */
const LEVELS = 300;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

export class Reader {
  readonly #view: DataView;
  #at = 0;
  #level = 0;

  constructor(frame: string | ArrayBuffer) {
    if (typeof frame === "string") malformed("text on a binary connection");
    this.#view = new DataView(frame);
  }

  /** A number of so many bytes. */
  uint(bytes: number): number | bigint {
    const at = this.#skip(bytes);
    if (bytes === 1) return this.#view.getUint8(at);
    if (bytes === 2) return this.#view.getUint16(at);
    if (bytes === 4) return this.#view.getUint32(at);
    return small(this.#view.getBigUint64(at));
  }

  int(bytes: number): number | bigint {
    return small(BigInt.asIntN(bytes * 8, BigInt(this.uint(bytes))));
  }

  float(bytes: number): Fraction {
    const at = this.#skip(bytes);
    if (bytes === 8) return new Fraction(this.#view.getFloat64(at));
    if (bytes === 4) return new Fraction(this.#view.getFloat32(at));
    const bits = this.#view.getUint16(at);
    const exponent = (bits >> 10) & 31;
    const part = bits & 1023;
    const size = exponent === 31 ? (part ? NaN : Infinity) : exponent ? (part + 1024) * 2 ** (exponent - 25) : part * 2 ** -24;
    return new Fraction(bits >> 15 ? -size : size);
  }

  text(length: number): string {
    const at = this.#skip(length);
    const bytes = new Uint8Array(this.#view.buffer, at, length);
    // Most texts are short and ASCII, as keys are; the decoder takes longer to begin than they take.
    if (length < 24 && bytes.every((byte) => byte < 128)) return String.fromCharCode(...bytes);
    return utf8.decode(bytes);
  }

  /** A list of so many items, or up to a break. */
  list(length: number, item: () => unknown, isEnd?: () => boolean): unknown[] {
    const items: unknown[] = [];
    this.#nested(length, isEnd, () => items.push(number(item())));
    return items;
  }

  object(length: number, item: () => unknown, isEnd?: () => boolean): Record<string, unknown> {
    const object = bare();
    this.#nested(length, isEnd, () => {
      const key = item();
      if (typeof key !== "string") return malformed("a key that is no text");
      const value = item();
      // Int takes no fraction, but Float takes Ints.
      object[key] = key === "Int" || key === "Submodel" ? value : number(value);
    });
    return object;
  }

  /** The next byte, left where it is. */
  peek(): number {
    return this.#view.getUint8(this.#at);
  }

  /** Each item takes a byte at least, so that an invented length comes to an end. */
  #nested(length: number, isEnd: (() => boolean) | undefined, next: () => void): void {
    if (++this.#level > LEVELS) malformed("too deep");
    if (isEnd) while (!isEnd()) next();
    else for (let index = 0; index < length; index += 1) next();
    this.#level -= 1;
  }

  #skip(bytes: number): number {
    const at = this.#at;
    this.#at += bytes;
    if (this.#at > this.#view.byteLength) malformed("it ends too early");
    return at;
  }
}

function number(value: unknown): unknown {
  return value instanceof Fraction ? value.number : value;
}

function small(number: bigint): number | bigint {
  return BigInt(Number(number)) === number && Number.isSafeInteger(Number(number)) ? Number(number) : number;
}

/** How a format writes what has a length or a value. */
export interface Format {
  int(writer: Writer, value: number | bigint): void;
  float(writer: Writer, value: number): void;
  text(writer: Writer, bytes: number): void;
  list(writer: Writer, length: number): void;
  object(writer: Writer, length: number): void;
  constant: { [name: string]: number };
}

export class Writer {
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  /** A byte and a number of so many bytes. */
  head(byte: number, bytes = 0, value: number | bigint = 0): void {
    const at = this.#grow(1 + bytes);
    this.#view.setUint8(at, byte);
    if (bytes === 1) this.#view.setUint8(at + 1, Number(value));
    else if (bytes === 2) this.#view.setUint16(at + 1, Number(value));
    else if (bytes === 4) this.#view.setUint32(at + 1, Number(value));
    else if (bytes === 8) this.#view.setBigUint64(at + 1, BigInt.asUintN(64, BigInt(value)));
  }

  float(byte: number, bytes: number, value: number): void {
    const at = this.#grow(1 + bytes);
    this.#view.setUint8(at, byte);
    if (bytes === 8) this.#view.setFloat64(at + 1, value);
    else this.#view.setFloat32(at + 1, value);
  }

  document(format: Format, value: unknown): void {
    if (typeof value === "number" && !Number.isSafeInteger(value)) return format.float(this, value);
    if (typeof value === "number" || typeof value === "bigint") return format.int(this, value);
    if (typeof value === "string") {
      const bytes = encoder.encode(value);
      format.text(this, bytes.length);
      const at = this.#grow(bytes.length);
      this.#bytes.set(bytes, at);
    } else if (Array.isArray(value)) {
      format.list(this, value.length);
      for (const item of value) this.document(format, item);
    } else if (typeof value === "object" && value) {
      const entries = Object.entries(value);
      format.object(this, entries.length);
      for (const [key, item] of entries) {
        this.document(format, key);
        if (key === "Float" && typeof item === "number") format.float(this, item);
        else this.document(format, item);
      }
    } else {
      this.head(format.constant[String(value)]!);
    }
  }

  done(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  #grow(bytes: number): number {
    const at = this.#length;
    this.#length += bytes;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(2 * this.#length);
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }
}
