/** How messages become frames. A message is a document as `JSON.parse` makes it; Ints that a number would round are
 * `bigint`, Floats stand in `{"Float": ...}`. */
export interface Codec {
  /** As the server knows it. */
  readonly name: string;
  encode(message: unknown): string | Uint8Array<ArrayBuffer>;
  decode(frame: string | ArrayBuffer): unknown;
}
