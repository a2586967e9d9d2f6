/** Where messages are written. */

import type { Conversation, Message } from "palaver-client";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { attempt, useModel, useNames, useSession } from "./hooks.js";
import { Icon } from "./icons.js";
import type { Intent } from "./thread.js";
import { UploadList, useUploads } from "./uploads.js";

interface Props {
  conversation: Conversation;
  intent: Intent;
  onIntent(intent: Intent): void;
}

export function Composer({ conversation, intent, onIntent }: Props) {
  const session = useSession();
  const names = useNames();
  const draft = useModel(conversation.draft);
  const uploads = useUploads(session);
  const [wording, setWording] = useState<string>();
  const [sending, setSending] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const input = useRef<HTMLTextAreaElement>(null);
  const chooser = useRef<HTMLInputElement>(null);
  const editing = intent?.kind === "edit" ? intent.message : undefined;
  const text = wording ?? draft.text;
  const locked = conversation.info?.lock && "until" in conversation.info.lock;
  const ready = uploads.all.filter(({ id }) => id !== undefined);
  const going = uploads.all.some(({ id, problem }) => id === undefined && problem === undefined);
  const sendable = text.trim() !== "" || (!editing && (going || ready.length > 0));
  useEffect(() => {
    setWording(intent?.kind === "edit" ? (intent.message.text ?? "") : undefined);
    // On a telephone that would bring up its keyboard.
    if (intent !== undefined || matchMedia("(pointer: fine)").matches) input.current?.focus();
  }, [intent]);
  useLayoutEffect(() => {
    const box = input.current!;
    box.style.height = "0";
    box.style.height = `${box.scrollHeight + box.offsetHeight - box.clientHeight}px`;
  }, [text]);
  useEffect(() => {
    if (!sending || going) return;
    // What could not be taken is left to be looked at.
    if (ready.length === uploads.all.length) send();
    else setSending(false);
  }, [sending, going]);
  const send = () => {
    setSending(false);
    input.current?.focus();
    if (!sendable) return;
    if (editing !== undefined) {
      attempt(() => conversation.edit(editing, text.trim()));
    } else {
      const answers = intent?.kind === "reply" ? { reply_to: intent.message.id } : {};
      const files = ready.length > 0 ? { uploads: ready.map(({ id }) => id!) } : {};
      conversation.send(text.trim(), { ...answers, ...files });
      uploads.remove(ready);
    }
    onIntent(undefined);
  };
  const submit = () => (going && !editing ? setSending(true) : send());
  const typed = (value: string) => {
    if (editing !== undefined) return setWording(value);
    draft.set(value);
    if (value) conversation.keystroke();
    else conversation.stopTyping();
  };
  const pressed = (event: KeyboardEvent) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      submit();
    } else if (event.key === "ArrowUp" && text === "") {
      const last = conversation.messages.findLast((each) => isEditable(each, session.user));
      if (last === undefined) return;
      event.preventDefault();
      onIntent({ kind: "edit", message: last });
    }
  };
  const take = (files: FileList | null | undefined) => files && uploads.add(files);
  useEffect(() => {
    // Wherever in the conversation they are dropped.
    const place = form.current!.closest("main")!;
    const over = (event: DragEvent) => event.preventDefault();
    const dropped = (event: DragEvent) => {
      event.preventDefault();
      take(event.dataTransfer?.files);
    };
    place.addEventListener("dragover", over);
    place.addEventListener("drop", dropped);
    return () => {
      place.removeEventListener("dragover", over);
      place.removeEventListener("drop", dropped);
    };
  }, []);
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
      ref={form}
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
      <UploadList uploads={uploads} />
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
            take(event.currentTarget.files);
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
        <button
          type="submit"
          class="main round"
          aria-label={sending ? "Sent when the files are there" : "Send"}
          disabled={!sendable || sending}
        >
          <Icon name={sending ? "waiting" : "send"} />
        </button>
      </div>
    </form>
  );
}

function isEditable(message: Message, me: string): boolean {
  const { by, kind, deleted_at, text, seq } = message;
  return by === me && kind === "message.sent" && !deleted_at && !!text && Number.isFinite(seq);
}
