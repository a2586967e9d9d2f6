/** What a caller must reckon with: a no of the server, no answer, no client any more. */

import type { CommandPayloads, ErrorCode } from "./generated.js";

/** Base of all errors of this package. */
export class PalaverError extends Error {
  override get name(): string {
    return this.constructor.name;
  }
}

/** The `error` of a Reply, as it travels. */
export interface WireError {
  code?: string;
  message?: string;
  retryable?: boolean;
  /** Seconds. */
  retry_after?: number;
  details?: Record<string, any>;
  correlation?: string;
}

/** The server's no to one command. A code that this client is too old to know is kept. */
export class Rejected extends PalaverError {
  readonly code: ErrorCode;
  /** The same command may succeed later, unchanged. */
  readonly retryable: boolean;
  /** Milliseconds to wait before that, where the server says so. */
  readonly retryAfter: number | undefined;
  /** `details.field` names the offending field, where there is one. */
  readonly details: Readonly<Record<string, any>>;
  /** What to tell the operator. */
  readonly correlation: string | undefined;

  constructor(error: WireError) {
    super(error.message ?? error.code ?? "rejected");
    this.code = error.code ?? "INTERNAL";
    this.retryable = error.retryable ?? false;
    this.retryAfter = error.retry_after === undefined ? undefined : error.retry_after * 1000;
    this.details = error.details ?? {};
    this.correlation = error.correlation;
  }

  /** The no leaves open what became of the command. */
  get mayHaveHappened(): boolean {
    return this.code === "UNAVAILABLE" || this.code === "INTERNAL";
  }
}

/** What may not travel, and would end the connection: refused before it is written. */
export class BadFrame extends PalaverError {}

/** A call, as it would be repeated: `client.call(...error.again)`. */
export type Again = [
  name: keyof CommandPayloads,
  payload: any,
  conversation: string | undefined,
];

/** The same, as it was asked. */
type Asked = [name: string, payload: Record<string, any>, conversation: string | undefined];

/** A call ended without an answer.
 *
 * `sent` false: it never left. True: nobody knows whether it was carried out; a durable command is
 * then made safe by `client.call(...error.again)`, which repeats it under the same client id. */
export class NoAnswer extends PalaverError {
  readonly again: Again;

  constructor(
    message: string,
    again: Asked,
    readonly sent: boolean,
  ) {
    super(`${again[0]}: ${message}`);
    this.again = again as Again;
  }
}

/** No answer in time; time spent waiting for a connection counts (CLI-03). */
export class CallTimeout extends NoAnswer {
  constructor(again: Asked, sent: boolean) {
    super("no answer in time", again, sent);
  }
}

/** The connection broke while a command that may not be repeated waited for its answer. */
export class ConnectionLost extends NoAnswer {
  constructor(again: Asked) {
    super("the connection broke before the answer came", again, true);
  }
}

/** It waited in the outbox for longer than that keeps anything (`maxAge`). */
export class Expired extends NoAnswer {
  constructor(again: Asked, sent: boolean) {
    super("it could not be sent in time", again, sent);
  }
}

/** A file did not get to the server, however often it was tried; nothing refers to it. */
export class UploadFailed extends PalaverError {
  constructor(readonly reason: string) {
    super(`not uploaded: ${reason}`);
  }
}

/** The outbox holds as much as it may; nothing was added. */
export class OutboxFull extends PalaverError {
  constructor(
    readonly commands: number,
    readonly bytes: number,
  ) {
    super(`the outbox is full: ${commands} commands, ${bytes} bytes`);
  }
}

/** The storage of an outbox cannot be read or written. */
export class OutboxUnusable extends PalaverError {
  constructor(
    readonly where: string,
    readonly reason: string,
  ) {
    super(`${where} cannot be used: ${reason}`);
  }
}

/** The client is not connected and will not connect again. Its subclasses say why. */
export class ClientEnded extends PalaverError {}

/** The server said not to come back. `code`: of the close frame. */
export class Refused extends ClientEnded {
  constructor(
    readonly reason: string,
    readonly code: number | undefined,
  ) {
    super(`the server refuses: ${reason}${code === undefined ? "" : ` (${code})`}`);
  }
}

/** What is in the outbox is another user's; it stays there, unsent. */
export class OutboxForeign extends ClientEnded {
  constructor(readonly where: string) {
    super(`${where} holds what another user has not yet sent`);
  }
}

/** The backoff came to its end (CLI-01). */
export class ReconnectFailed extends ClientEnded {
  constructor(readonly reason: string) {
    super(`gave up connecting: ${reason}`);
  }
}

/** `close` was called. */
export class ClientClosed extends ClientEnded {
  constructor() {
    super("the client is closed");
  }
}
