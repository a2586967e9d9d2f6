// What both servers share: their settings, who may connect, and where messages are kept.

import jwt from "jsonwebtoken";
import pg from "pg";

const { PEER_PORT, PEER_SECRET, PEER_DSN } = process.env;

export const port = Number(PEER_PORT);

// The user that a token names. Throws if it is not to be believed.
export function userOf(token) {
  return jwt.verify(token, PEER_SECRET, { algorithms: ["HS256"] }).sub;
}

const pool = PEER_DSN ? new pg.Pool({ connectionString: PEER_DSN }) : null;
let last = 0;

await pool?.query(`
  CREATE TABLE IF NOT EXISTS peer_message (
    room text NOT NULL,
    id bigserial,
    sender text NOT NULL,
    text text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (room, id)
  )`);

// The id of a message, which is durable by then if there is a database.
export async function store(room, sender, text) {
  if (!pool) return ++last;
  const { rows } = await pool.query({
    name: "store", // a prepared statement
    text: "INSERT INTO peer_message (room, sender, text) VALUES ($1, $2, $3) RETURNING id",
    values: [room, sender, text],
  });
  return Number(rows[0].id);
}
