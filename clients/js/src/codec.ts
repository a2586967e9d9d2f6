/** Items as bytes and back: the subprotocol `palaver.v1.msgpack`. */

import { decode, Decoder, Encoder } from "@msgpack/msgpack";
import { BadFrame } from "./errors.js";

export const SUBPROTOCOL = "palaver.v1.msgpack";
export const DEFAULT_MAX_BYTES = 2 ** 20;

const MAX_DEPTH = 16;
const SURROGATES = /[\ud800-\udfff]/u;

/** What travels: the envelope of §2 of docs/protocol.md. */
export interface Item {
  t: string;
  id?: number | string;
  c?: string;
  seq?: number;
  ts?: number;
  d?: any;
  v?: number;
  n?: number;
  ok?: Record<string, any>;
  error?: Record<string, any>;
}

const encoder = new Encoder({ ignoreUndefined: true });

/** The one key that an object here cannot have. */
const PROTO = "__proto__";
const text = new TextDecoder();

/** The library gives up a whole frame for that key, which anybody may have put into a message: then
 * nobody could follow its conversation any more. Here it arrives under another name. This one does
 * not keep keys for the next time, and so takes longer. */
const careful = new Decoder({
  keyDecoder: {
    canBeCached: (length) => length === PROTO.length,
    decode(bytes, at, length) {
      const key = text.decode(bytes.subarray(at, at + length));
      return key === PROTO ? `(${PROTO})` : key;
    },
  },
});

/** Throws `BadFrame` for what may not travel. */
export function encode(item: Item): Uint8Array<ArrayBuffer> {
  check(item, 0);
  return encoder.encode(item);
}

/** Several encoded items as one frame. */
export function join(items: readonly Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer> {
  if (items.length === 1) return items[0]!;
  const size = items.reduce((sum, item) => sum + item.length, 3);
  const frame = new Uint8Array(size);
  frame.set([0xdc, items.length >> 8, items.length & 0xff]);
  let at = 3;
  for (const item of items) {
    frame.set(item, at);
    at += item.length;
  }
  return frame;
}

/** The items of a frame. Throws whatever it likes if it is none. */
export function parse(frame: ArrayBuffer | Uint8Array<ArrayBuffer>): Item[] {
  const value = unpacked(frame);
  const items = Array.isArray(value) ? value : [value];
  if (items.some((item) => typeof (item as Item | null)?.t !== "string")) throw new BadFrame("an item without t");
  return items as Item[];
}

function unpacked(frame: ArrayBuffer | Uint8Array<ArrayBuffer>): unknown {
  try {
    return decode(frame);
  } catch {
    return careful.decode(frame);
  }
}

/** The values that both encodings carry, and no others. */
function check(value: unknown, depth: number): void {
  if (depth > MAX_DEPTH) throw new BadFrame(`nested more than ${MAX_DEPTH} deep`);
  switch (typeof value) {
    case "string":
      if (value.includes("\0")) throw new BadFrame("a string with U+0000");
      if (SURROGATES.test(value)) throw new BadFrame("a string with half a surrogate pair");
      return;
    case "number":
      if (!Number.isFinite(value)) throw new BadFrame("a number that is not finite");
      return;
    case "boolean":
    case "undefined":
      return;
    case "object":
      if (value === null) return;
      if (Array.isArray(value)) return value.forEach((each) => check(each, depth + 1));
      if (isPlain(value)) {
        for (const [key, each] of Object.entries(value)) {
          if (key === PROTO) throw new BadFrame(`the key ${PROTO}`);
          check(key, depth);
          check(each, depth + 1);
        }
        return;
      }
  }
  throw new BadFrame("a value that is neither null, boolean, number, string, array nor map");
}

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
