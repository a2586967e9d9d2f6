/** HTTP as far as files need it: with a body of which one wants to know how far it is. */

import type { Clock } from "./clock.js";

/** Without anything moving, in ms. */
const TIMEOUT = 60_000;

export interface HttpRequest {
  method: string;
  url: string;
  headers?: Record<string, string>;
  body?: Blob | string;
  /** Called with how many bytes of the body went. */
  progress?: (done: number) => void;
  signal?: AbortSignal;
}

/** Rejects if there was no answer; with any reason if `signal` was aborted. */
export type Http = (request: HttpRequest) => Promise<{ status: number; text: string }>;

/** `fetch` does not tell how far it is, so `XMLHttpRequest` where there is one. */
export function http(clock: Clock): Http {
  return typeof XMLHttpRequest === "undefined" ? fetched : (request) => requested(request, clock);
}

const fetched: Http = async ({ url, body, progress, ...request }) => {
  const answer = await fetch(url, body === undefined ? request : { ...request, body });
  const text = await answer.text();
  if (answer.ok && body instanceof Blob) progress?.(body.size);
  return { status: answer.status, text };
};

function requested(asked: HttpRequest, clock: Clock): ReturnType<Http> {
  const { method, url, headers = {}, body, progress, signal } = asked;
  const request = new XMLHttpRequest();
  const abort = () => request.abort();
  let cancel = clock.after(TIMEOUT, abort);
  const answered = new Promise<{ status: number; text: string }>((resolve, reject) => {
    request.onload = () => resolve({ status: request.status, text: request.responseText });
    request.onerror = () => reject(new Error("the connection broke"));
    request.onabort = () => reject(new Error("nothing moved any more"));
    request.upload.onprogress = ({ loaded }) => {
      cancel();
      cancel = clock.after(TIMEOUT, abort);
      progress?.(loaded);
    };
  });
  request.open(method, url);
  for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
  signal?.addEventListener("abort", abort);
  request.send(body ?? null);
  return answered.finally(() => {
    cancel();
    signal?.removeEventListener("abort", abort);
  });
}
