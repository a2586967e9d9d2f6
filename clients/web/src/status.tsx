/** What has become of one's own message. Each has a shape of its own: a clock, one tick, two ticks,
 * two ticks on a light ground. */

import type { Conversation, Message } from "palaver-client";
import { useNames } from "./hooks.js";
import { Icon } from "./icons.js";

const TICKS = {
  sending: ["waiting", "Sending"],
  sent: ["check", "Sent"],
  delivered: ["checks", "Delivered"],
  read: ["checks", "Read"],
  failed: ["warning", "Not sent"],
} as const;

export function Status({ message, conversation }: { message: Message; conversation: Conversation }) {
  const names = useNames();
  if (message.status === undefined) return null;
  const [icon, label] = TICKS[message.status];
  // In a group it is read when all have read it; until then some may have.
  const some = message.status === "sent" || message.status === "delivered";
  const readers = some ? conversation.whoHas(message).map(names) : [];
  const title = readers.length > 0 ? `${label}, read by ${readers.join(", ")}` : label;
  return (
    <span class="status" data-status={message.status} title={title}>
      <Icon name={icon} />
      <span class="hidden">{title}</span>
    </span>
  );
}
