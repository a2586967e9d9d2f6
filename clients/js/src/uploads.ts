/** Files, which go by HTTP: announced, filled, completed (docs/rest.md, *Files*). */

import { sleep, type Clock } from "./clock.js";
import { Rejected, UploadFailed } from "./errors.js";
import { http, type Http, type HttpRequest } from "./http.js";
import { delay, exponential } from "./reconnect.js";

/** After as many failures of one step the next one is given to the caller. */
const RETRIES = 3;

export interface UploadOptions {
  /** By default that of a `File`, or `file`. */
  name?: string;
  /** By default that of the content. */
  mime?: string;
  /** Called with how many bytes went, and of how many. Without `XMLHttpRequest`, as in Node, only
   * at the end. */
  progress?: (done: number, size: number) => void;
  /** Gives it up: it rejects with the signal's reason. */
  signal?: AbortSignal;
}

export interface Uploading {
  /** Where the server speaks HTTP. */
  url: string;
  /** Asked once for each upload. */
  token: () => Promise<string>;
  clock: Clock;
  random: () => number;
  http?: Http | undefined;
}

/** Resolves with the id for `uploads` of a message. See `Client.upload`. */
export async function upload(
  content: Blob,
  { name, mime, progress = () => {}, signal }: UploadOptions & { signal: AbortSignal },
  { url, token, clock, random, http: ask = http(clock) }: Uploading,
): Promise<string> {
  const { size } = content;
  signal.throwIfAborted();
  const fresh = await token();
  const step = async (request: HttpRequest): Promise<Record<string, any>> => {
    const headers = { Authorization: `Bearer ${fresh}`, ...request.headers };
    const bounds = exponential();
    for (let retries = 0; ; retries++) {
      signal.throwIfAborted();
      let failed: Rejected | UploadFailed;
      try {
        return told(await ask({ ...request, url: url + request.url, headers, signal }), url);
      } catch (error) {
        signal.throwIfAborted();
        failed = error instanceof Rejected ? error : new UploadFailed((error as Error).message);
      }
      const again = failed instanceof UploadFailed || failed.retryable;
      if (!again || retries === RETRIES) throw failed;
      const advice = failed instanceof Rejected ? failed.retryAfter : undefined;
      await sleep(clock, delay(bounds.next().value!, random, advice), signal);
    }
  };
  const file = {
    name: name ?? ((content as Partial<File>).name || "file"),
    mime: mime ?? (content.type.replace(/;.*/, "") || "application/octet-stream"),
    size,
  };
  const json = { "Content-Type": "application/json" };
  const place = "/v1/attachments";
  const { id } = await step({
    ...{ method: "POST", url: place, headers: json, body: JSON.stringify(file) },
  });
  await step({
    ...{ method: "PUT", url: `${place}/${id}`, body: content },
    progress: (done) => progress(done, size),
  });
  await step({ method: "POST", url: `${place}/${id}/complete` });
  return id;
}

function told({ status, text }: { status: number; text: string }, url: string) {
  let said: Record<string, any>;
  try {
    said = JSON.parse(text);
  } catch {
    throw new Error(`no palaver server at ${url}`);
  }
  if (status < 300) return said;
  if (said["code"] === undefined) throw new Error(`the server answered ${status}`);
  throw new Rejected({ ...said, message: said["detail"] });
}
