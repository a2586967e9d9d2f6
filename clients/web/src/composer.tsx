/** Where messages are written: as text, as files, or spoken. */

import { mentionsIn, newId, type Conversation, type Message } from "palaver-client";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Attach, useDropped } from "./attach.js";
import { attempt, useModel, useNames, useSession } from "./hooks.js";
import { Icon } from "./icons.js";
import { MentionOptions, useMentionList } from "./mention-list.js";
import { handles } from "./mentions.js";
import { Recording } from "./recording.js";
import { SendLater } from "./send-later.js";
import type { Intent } from "./thread.js";
import { UploadList, useUploads } from "./uploads.js";
import { useRecorder } from "./use-recorder.js";

/** Not on a telephone: there the focus would bring up its keyboard. */
const FINE = "(pointer: fine)";

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
  const recorder = useRecorder();
  const [wording, setWording] = useState<string>();
  const [caret, setCaret] = useState(0);
  const [sending, setSending] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const input = useRef<HTMLTextAreaElement>(null);
  const place = useRef<number>();
  const editing = intent?.kind === "edit" ? intent.message : undefined;
  const text = wording ?? draft.text;
  const locked = conversation.info?.lock && "until" in conversation.info.lock;
  const recording = recorder?.seconds !== undefined;
  const ready = uploads.all.filter(({ id }) => id !== undefined);
  const going = uploads.all.some(({ id, problem }) => id === undefined && problem === undefined);
  const sendable = text.trim() !== "" || (!editing && (going || ready.length > 0));
  const people = handles(conversation, session.user, names);
  const list = useMentionList(text, caret, people, (value, caret) => {
    typed(value);
    setCaret(caret);
    place.current = caret;
  });
  useEffect(() => {
    setWording(intent?.kind === "edit" ? (intent.message.text ?? "") : undefined);
    if (intent !== undefined || matchMedia(FINE).matches) input.current?.focus();
  }, [intent]);
  // Whoever attached something goes on writing, or sends it with Enter.
  const attached = uploads.all.at(-1)?.key;
  useEffect(() => {
    if (attached !== undefined && matchMedia(FINE).matches) input.current?.focus();
  }, [attached]);
  useLayoutEffect(() => {
    const box = input.current;
    if (box === null) return;
    box.style.height = "0";
    box.style.height = `${box.scrollHeight + box.offsetHeight - box.clientHeight}px`;
    if (place.current !== undefined) box.setSelectionRange(place.current, place.current);
    place.current = undefined;
  }, [text, recording]);
  useEffect(() => {
    if (!sending || going) return;
    // What could not be taken is left to be looked at.
    if (ready.length === uploads.all.length) send();
    else setSending(false);
  }, [sending, going]);
  useDropped(form, uploads.add);

  /** What it says besides its text. */
  const more = () => {
    const called = people.map(({ user, written }) => [user, written] as const);
    const mentions = mentionsIn(text, called);
    return {
      ...(intent?.kind === "reply" ? { reply_to: intent.message.id } : {}),
      ...(ready.length > 0 ? { uploads: ready.map(({ id }) => id!) } : {}),
      ...(mentions.length > 0 ? { mentions } : {}),
    };
  };
  const send = () => {
    setSending(false);
    input.current?.focus();
    if (!sendable) return;
    if (editing !== undefined) {
      attempt(() => conversation.edit(editing, text.trim(), more().mentions));
    } else {
      conversation.send(text.trim(), more());
      uploads.remove(ready);
    }
    onIntent(undefined);
  };
  const sendLater = async (at: number) => {
    const message = { text: text.trim(), ...more() };
    await session.client.schedule(conversation.c, newId(), at, message);
    draft.set("");
    conversation.stopTyping();
    uploads.remove(ready);
    onIntent(undefined);
    input.current?.focus();
  };
  const stop = async () => uploads.add([await recorder!.stop()]);
  const submit = async () => {
    if (recording) await stop();
    if (recording || (going && !editing)) setSending(true);
    else send();
  };
  const typed = (value: string) => {
    if (editing !== undefined) return setWording(value);
    draft.set(value);
    if (value) conversation.keystroke();
    else conversation.stopTyping();
  };
  const moved = () => setCaret(input.current?.selectionEnd ?? 0);
  const pressed = (event: KeyboardEvent) => {
    if (list.take(event)) return;
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      attempt(submit);
    } else if (event.key === "ArrowUp" && text === "") {
      const last = conversation.messages.findLast((each) => isEditable(each, session.user));
      if (last === undefined) return;
      event.preventDefault();
      onIntent({ kind: "edit", message: last });
    }
  };
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        attempt(submit);
      }}
      ref={form}
    >
      {intent !== undefined && <About intent={intent} onCancel={() => onIntent(undefined)} />}
      <UploadList uploads={uploads} />
      <MentionOptions list={list} />
      <div class="line">
        {recording ? (
          <Recording recorder={recorder!} onStop={() => attempt(stop)} />
        ) : (
          <>
            <Attach disabled={editing !== undefined} onFiles={uploads.add} />
            <textarea
              ref={input}
              rows={1}
              aria-label="Message"
              placeholder={locked ? "The conversation is locked" : "Write a message"}
              value={text}
              {...list.attributes}
              onBeforeInput={list.swallow}
              onInput={(event) => {
                typed(event.currentTarget.value);
                moved();
              }}
              onKeyDown={pressed}
              onKeyUp={moved}
              onClick={moved}
              onBlur={() => setCaret(0)}
              onPaste={(event) => {
                const files = event.clipboardData?.files;
                if (files?.length) {
                  event.preventDefault();
                  uploads.add(files);
                }
              }}
            />
            {recorder !== undefined && !sendable && !editing && (
              <button
                type="button"
                class="plain"
                aria-label="Record a voice message"
                onClick={() => attempt(() => recorder.start())}
              >
                <Icon name="microphone" />
              </button>
            )}
            {sendable && !editing && !going && (
              <SendLater onChoose={(at) => attempt(() => sendLater(at))} />
            )}
          </>
        )}
        <button
          type="submit"
          class="main round"
          aria-label={sending ? "Sent when the files are there" : "Send"}
          disabled={!(sendable || recording) || sending}
        >
          <Icon name={sending ? "waiting" : editing ? "check" : "send"} />
        </button>
      </div>
    </form>
  );
}

/** What is answered, or edited. */
function About({ intent, onCancel }: { intent: NonNullable<Intent>; onCancel(): void }) {
  const names = useNames();
  const { kind, message } = intent;
  return (
    <div class="intent" role="group" aria-label={kind === "edit" ? "Editing" : "Answering"}>
      <Icon name={kind} />
      <span>
        <strong>{kind === "edit" ? "Edit" : `Reply to ${names(message.by)}`}</strong>
        <span>{message.text || "a file"}</span>
      </span>
      <button type="button" class="plain" aria-label="Cancel" onClick={onCancel}>
        <Icon name="close" />
      </button>
    </div>
  );
}

function isEditable(message: Message, me: string): boolean {
  const { by, kind, deleted_at, text, seq } = message;
  return by === me && kind === "message.sent" && !deleted_at && !!text && Number.isFinite(seq);
}
