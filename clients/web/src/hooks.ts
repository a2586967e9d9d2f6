/** What views are made with: the client, its models, and what people are called. */

import type { Client, Model, UserFields } from "palaver-client";
import { createContext } from "preact";
import { useContext, useEffect, useReducer } from "preact/hooks";

export const ClientContext = createContext<Client>(undefined as unknown as Client);

export const useClient = (): Client => useContext(ClientContext);

/** Show the view anew whenever `model` has changed. */
export function useModel<M extends Model | undefined>(model: M): M {
  const [, again] = useReducer((count: number) => count + 1, 0);
  useEffect(() => model?.onChange(() => again(undefined)), [model]);
  return model;
}

/** Show the view anew whenever the connection has changed; its state. */
export function useConnection(): Client["state"] {
  const client = useClient();
  const [, again] = useReducer((count: number) => count + 1, 0);
  useEffect(() => client.on("state", () => again(undefined)), [client]);
  return client.state;
}

/** What somebody is called. */
export function useNames(): (user: string | undefined) => string {
  const client = useClient();
  useModel(client.people);
  return (user) => (user === undefined ? "" : nameOf(user, client.people.get(user)));
}

/** By what the product says of them; otherwise their id, made to look like a name. */
export function nameOf(user: string, fields: UserFields | undefined): string {
  const { name, display_name, username, first_name, last_name } = fields ?? {};
  const whole = [first_name, last_name].filter(Boolean).join(" ");
  return String(name || display_name || whole || username || user.replace(/^\p{L}/u, upper));
}

const upper = (letter: string) => letter.toUpperCase();

/** Run `act`; what goes wrong is told at the foot of the page. */
export function attempt(act: () => Promise<unknown>): void {
  act().catch((error: unknown) => {
    dispatchEvent(new CustomEvent("palaver-problem", { detail: (error as Error).message }));
  });
}
