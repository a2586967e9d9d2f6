/** What the methods of a client are made of. */

import type { CommandPayloads } from "./generated.js";
import type { Outgoing } from "./outgoing.js";
import type { Results } from "./wire.js";

export type CommandName = keyof CommandPayloads;
export type PayloadOf<K extends CommandName> = CommandPayloads[K];
export type ResultOf<K extends CommandName> = Results[K];

export interface CallOptions {
  /** ms for all of it, waiting for a connection included; 10 s if not given. */
  timeout?: number;
}

export abstract class Calling {
  /** See `Client.call`. */
  abstract call<K extends CommandName>(
    name: K,
    payload?: PayloadOf<K>,
    c?: string,
    options?: CallOptions,
  ): Promise<ResultOf<K>>;

  /** See `Client.enqueueCall`. */
  abstract enqueueCall<K extends CommandName>(
    name: K,
    payload: PayloadOf<K>,
    c?: string,
  ): Promise<Outgoing>;
}

type Given<T> = {
  [K in keyof T as undefined extends T[K] ? never : K]: T[K];
} & { [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined> };

/** Without what is undefined. */
export function given<T extends object>(fields: T): Given<T> {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Given<T>;
}
