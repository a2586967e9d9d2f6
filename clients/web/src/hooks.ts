/** What views are made with: the client, its models, and what people are called. */

import type { Client, Model, UserFields } from "palaver-client";
import { createContext } from "preact";
import { useContext, useLayoutEffect, useReducer } from "preact/hooks";
import type { Session } from "./session.js";

export const SessionContext = createContext<Session | undefined>(undefined);

export const useSession = (): Session => useContext(SessionContext)!;
export const useClient = (): Client => useSession().client;

/** Show the view anew whenever `model` has changed. */
export function useModel<M extends Model>(model: M): M {
  useChanges((listener) => model.onChange(listener), model);
  return model;
}

/** Show the view anew whenever the connection has changed; its state. */
export function useConnection(): Client["state"] {
  const client = useClient();
  useChanges((listener) => client.on("state", listener), client);
  return client.state;
}

function useChanges(follow: (listener: () => void) => () => void, of: object): void {
  const [, again] = useReducer((count: number) => count + 1, 0);
  // Before anything else can happen: a change in between would not be shown.
  useLayoutEffect(() => follow(() => again(undefined)), [of]);
}

/** What somebody is called. */
export function useNames(): (user: string | undefined) => string {
  const client = useClient();
  useModel(client.people);
  return (user) => (user === undefined ? "" : nameOf(user, client.people.get(user)));
}

/** By what the product says of them; otherwise their id, if it could be a name. */
export function nameOf(user: string, fields: UserFields | undefined): string {
  const { name, display_name, username, first_name, last_name } = fields ?? {};
  const whole = [first_name, last_name].filter(Boolean).join(" ");
  return String(name || display_name || whole || username || likeName(user));
}

const likeName = (user: string) =>
  /\d{3}/.test(user) || user.length > 32 ? "Somebody" : user.replace(/^\p{L}/u, upper);

const upper = (letter: string) => letter.toUpperCase();

/** What stands at the foot of the page for a while. */
export interface Told {
  text: string;
  /** It went wrong. */
  problem?: boolean;
  /** Takes back what was done. */
  undo?: () => void;
}

/** Run `act`; what goes wrong is told at the foot of the page. */
export function attempt(act: () => Promise<unknown>): void {
  act().catch((error: unknown) => show({ text: (error as Error).message, problem: true }));
}

/** Tell what was done, at the foot of the page. */
export function tell(text: string, undo?: () => void): void {
  show(undo === undefined ? { text } : { text, undo });
}

function show(told: Told): void {
  dispatchEvent(new CustomEvent("palaver-told", { detail: told }));
}
