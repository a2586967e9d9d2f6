/** Who are you? In development mode whoever you say. */

import { useEffect, useState } from "preact/hooks";
import { Avatar } from "./avatar.js";
import { suggestions, type Person } from "./session.js";

export function Login({ onChoose }: { onChoose(user: string): void }) {
  const [people, setPeople] = useState<Person[]>([]);
  const [problem, setProblem] = useState<string>();
  const [name, setName] = useState("");
  useEffect(() => {
    suggestions().then(setPeople, (error: Error) => setProblem(error.message));
  }, []);
  return (
    <main class="login">
      <h1>palaver</h1>
      <p>
        This server runs in development mode: choose who you are. Open another window, be somebody
        else there, and write to yourself.
      </p>
      {problem && <p role="alert">{problem}</p>}
      <ul class="people">
        {people.map(({ id, name }) => (
          <li key={id}>
            <button type="button" class="person" onClick={() => onChoose(id)}>
              <Avatar user={id} name={name} large />
              {name}
            </button>
          </li>
        ))}
      </ul>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const id = name.trim().toLowerCase();
          if (id) onChoose(id);
        }}
      >
        <label for="name">Or somebody else</label>
        <div class="field">
          <input
            id="name"
            value={name}
            maxLength={64}
            autocomplete="off"
            placeholder="A name"
            onInput={(event) => setName(event.currentTarget.value)}
          />
          <button type="submit" disabled={!name.trim()}>
            Enter
          </button>
        </div>
      </form>
    </main>
  );
}
