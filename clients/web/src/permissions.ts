/** Who may do what in a group: the table of the protocol (Roles), where the product has not another
 * one. What is shown to somebody who may not is refused by the server, with a reason. */

import type { ConversationInfo } from "palaver-client";

const ROLES = ["member", "moderator", "admin", "owner"] as const;
export type Role = (typeof ROLES)[number];

type Permission =
  | "add_members"
  | "remove_members"
  | "change_roles"
  | "change_settings"
  | "pin_messages"
  | "delete_any_message"
  | "lock_conversation";

/** Who is in an external group, its host says. */
const OF_MEMBERS: readonly Permission[] = ["add_members", "remove_members", "change_roles"];

type Info = Readonly<ConversationInfo>;

const rank = (role: string) => ROLES.indexOf(role as Role);

export function may(info: Info, permission: Permission): boolean {
  if (info.kind === "direct") return permission === "pin_messages";
  if (info.kind === "external_group" && OF_MEMBERS.includes(permission)) return false;
  if (permission === "add_members" && info.settings["who_may_add"] === "everyone") return true;
  return rank(info.role) >= rank(permission === "pin_messages" ? "moderator" : "admin");
}

/** Nobody acts on their equals, unless theirs is the highest role. */
export function outranks(info: Info, role: string): boolean {
  return rank(info.role) > rank(role) || info.role === highest(info);
}

/** Roles that one can give: those that this group has, up to one's own or below it. The product's
 * list is not told. */
export function rolesToGive(info: Info): Role[] {
  const there = Object.values(info.members).map(({ role }) => role);
  const known = new Set(["member", "admin", ...there]);
  return ROLES.filter((role) => known.has(role) && outranks(info, role));
}

function highest(info: Info): Role {
  const has = (role: string) => Object.values(info.members).some((member) => member.role === role);
  return has("owner") ? "owner" : "admin";
}
