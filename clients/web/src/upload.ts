/** A file on its way to the server: announced, filled, completed. */

import type { Session } from "./session.js";

/** Resolves with the id by which a message names it. Without a connection it waits for one. `tell`
 * hears of every step from 0 to 1. */
export async function upload(
  session: Session,
  file: File,
  tell: (progress: number) => void,
): Promise<string> {
  await session.client.connected();
  const token = await session.token();
  const mime = file.type || "application/octet-stream";
  const announced = await ask(token, "POST", "/v1/attachments", {
    name: file.name || "file",
    mime: mime.replace(/;.*/, ""),
    size: file.size,
  });
  const place = `/v1/attachments/${announced["id"]}`;
  await put(token, place, file, (share) => tell(share * 0.95));
  await ask(token, "POST", `${place}/complete`);
  tell(1);
  return announced["id"];
}

async function ask(token: string, method: string, path: string, body?: object) {
  const answer = await fetch(path, {
    method,
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  }).catch(() => {
    throw new Error("The connection broke.");
  });
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.detail ?? `the server answered ${answer.status}`);
  return told;
}

/** `fetch` does not tell how far it is. */
function put(
  token: string,
  path: string,
  file: File,
  tell: (share: number) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("PUT", path);
    request.setRequestHeader("Authorization", `Bearer ${token}`);
    request.upload.onprogress = ({ loaded, total }) => tell(loaded / total);
    request.onerror = () => reject(new Error("The connection broke."));
    request.onload = () =>
      request.status < 300 ? resolve() : reject(new Error(`the server answered ${request.status}`));
    request.send(file);
  });
}
