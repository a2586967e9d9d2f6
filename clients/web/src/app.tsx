/** Somebody chats here, or is asked who they are. */

import { useState } from "preact/hooks";
import { Chat } from "./chat.js";
import { SessionContext } from "./hooks.js";
import { Login } from "./login.js";
import { begin, end, remembered } from "./session.js";

export function App() {
  const [session, setSession] = useState(() => {
    const user = remembered();
    return user === undefined ? undefined : begin(user);
  });
  if (session === undefined) return <Login onChoose={(user) => setSession(begin(user))} />;
  const leave = async () => {
    await end(session);
    setSession(undefined);
  };
  return (
    <SessionContext.Provider value={session}>
      <Chat key={session.user} onLeave={leave} />
    </SessionContext.Provider>
  );
}
