/** Where messages are written. */

import type { Conversation } from "palaver-client";
import { useEffect, useRef, useState } from "preact/hooks";
import { attempt, useModel, useNames, useSession } from "./hooks.js";
import { Icon } from "./icons.js";
import type { Session } from "./session.js";
import type { Intent } from "./thread.js";
import { size } from "./time.js";
import { upload, type Upload } from "./upload.js";

interface Props {
  conversation: Conversation;
  intent: Intent;
  onIntent(intent: Intent): void;
}

export function Composer({ conversation, intent, onIntent }: Props) {
  const session = useSession();
  const names = useNames();
  const draft = useModel(conversation.draft);
  const [wording, setWording] = useState<string>();
  const [uploads, change] = useUploads(session);
  const input = useRef<HTMLTextAreaElement>(null);
  const chooser = useRef<HTMLInputElement>(null);
  const editing = intent?.kind === "edit" ? intent.message : undefined;
  const text = wording ?? draft.text;
  const locked = conversation.info?.lock && "until" in conversation.info.lock;
  useEffect(() => {
    setWording(intent?.kind === "edit" ? (intent.message.text ?? "") : undefined);
    input.current?.focus();
  }, [intent]);
  useEffect(() => {
    const box = input.current!;
    box.style.height = "0";
    box.style.height = `${box.scrollHeight}px`;
  }, [text]);
  const typed = (value: string) => {
    if (editing !== undefined) return setWording(value);
    draft.set(value);
    if (value) conversation.keystroke();
    else conversation.stopTyping();
  };
  const ready = uploads.filter((each) => each.progress === 1);
  const sendable = text.trim() !== "" || (ready.length > 0 && ready.length === uploads.length);
  const send = () => {
    if (!sendable || ready.length < uploads.length) return;
    if (editing !== undefined) {
      attempt(() => conversation.edit(editing, text.trim()));
    } else {
      const answers = intent?.kind === "reply" ? { reply_to: intent.message.id } : {};
      const files = ready.length > 0 ? { uploads: ready.map((each) => each.id) } : {};
      conversation.send(text.trim(), { ...answers, ...files });
      change.clear();
    }
    onIntent(undefined);
  };
  const pressed = (event: KeyboardEvent) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      send();
    } else if (event.key === "ArrowUp" && text === "") {
      const last = conversation.messages.findLast(
        (each) => each.by === session.user && each.kind === "message.sent" && !each.deleted_at,
      );
      if (last !== undefined) onIntent({ kind: "edit", message: last });
    }
  };
  const take = (files: FileList | undefined) => files && change.add([...files]);
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        take(event.dataTransfer?.files);
      }}
    >
      {intent !== undefined && (
        <div class="intent">
          <Icon name={intent.kind} />
          <span>
            <strong>{intent.kind === "edit" ? "Edit" : names(intent.message.by)}</strong>
            <span>{intent.message.text || "a file"}</span>
          </span>
          <button type="button" class="plain" aria-label="Cancel" onClick={() => onIntent(undefined)}>
            <Icon name="close" />
          </button>
        </div>
      )}
      {uploads.length > 0 && (
        <ul class="uploads">
          {uploads.map((each) => (
            <li key={each.id} data-problem={each.problem !== undefined}>
              {each.preview ? <img src={each.preview} alt="" /> : <Icon name="file" />}
              <span>
                {each.file.name}
                <small>{each.problem ?? size(each.file.size)}</small>
                <progress value={each.progress} aria-label={`Upload of ${each.file.name}`} />
              </span>
              {each.problem !== undefined && (
                <button type="button" class="link" onClick={() => change.again(each)}>
                  Try again
                </button>
              )}
              <button
                type="button"
                class="plain"
                aria-label={`Remove ${each.file.name}`}
                onClick={() => change.remove(each)}
              >
                <Icon name="close" />
              </button>
            </li>
          ))}
        </ul>
      )}
      <div class="line">
        <button
          type="button"
          class="plain"
          aria-label="Attach files"
          disabled={editing !== undefined}
          onClick={() => chooser.current?.click()}
        >
          <Icon name="attach" />
        </button>
        <input
          ref={chooser}
          type="file"
          multiple
          hidden
          aria-label="Files"
          onChange={(event) => {
            take(event.currentTarget.files ?? undefined);
            event.currentTarget.value = "";
          }}
        />
        <textarea
          ref={input}
          rows={1}
          aria-label="Message"
          placeholder={locked ? "The conversation is locked" : "Write a message"}
          value={text}
          onInput={(event) => typed(event.currentTarget.value)}
          onKeyDown={pressed}
          onPaste={(event) => {
            const files = event.clipboardData?.files;
            if (files?.length) {
              event.preventDefault();
              take(files);
            }
          }}
        />
        <button type="submit" class="main round" aria-label="Send" disabled={!sendable}>
          <Icon name="send" />
        </button>
      </div>
    </form>
  );
}

/** Files that go up while something is written. */
function useUploads(session: Session) {
  const [uploads, setUploads] = useState<Upload[]>([]);
  const update = (file: File, changed: Partial<Upload>) =>
    setUploads((all) => all.map((each) => (each.file === file ? { ...each, ...changed } : each)));
  const start = (file: File) =>
    upload(session, file, (progress) => update(file, { progress: Math.min(progress, 0.99) })).then(
      (id) => update(file, { id, progress: 1 }),
      (error: Error) => update(file, { problem: error.message, progress: 0 }),
    );
  const change = {
    add(files: File[]) {
      const fresh = files.map((file) => ({
        id: crypto.randomUUID(),
        file,
        progress: 0,
        preview: file.type.startsWith("image/") ? URL.createObjectURL(file) : undefined,
      }));
      setUploads((all) => [...all, ...fresh]);
      for (const file of files) void start(file);
    },
    again({ file }: Upload) {
      setUploads((all) =>
        all.map((each) => {
          if (each.file !== file) return each;
          const { problem: _, ...rest } = each;
          return { ...rest, progress: 0 };
        }),
      );
      void start(file);
    },
    remove({ file }: Upload) {
      setUploads((all) => all.filter((each) => each.file !== file));
    },
    clear() {
      setUploads([]);
    },
  };
  return [uploads, change] as const;
}
