import { type FormEvent, useState } from "react";
import { useConnection, useSynced } from "transports-client/react";

import { List } from "./list";
import { add, client, problemOf, type Todo } from "./todo";

const STATES = {
  connecting: "connecting",
  open: "connected",
  waiting: "no connection: what you do is kept and sent later",
  stopped: "stopped",
};

export function App() {
  const state = useConnection(client);
  const todo = useSynced<Todo>(client, "Todo");
  const [problem, setProblem] = useState("");
  const [waiting, setWaiting] = useState(0);

  /** Counts the edits without an answer, and tells if one does not come about. */
  const attempt = async (edit: Promise<unknown>) => {
    setProblem("");
    setWaiting((count) => count + 1);
    try {
      await edit;
    } catch (error) {
      setProblem(problemOf(error));
    }
    setWaiting((count) => count - 1);
  };

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const text = String(new FormData(form).get("text")).trim();
    if (text === "") return;
    void attempt(add(text));
    form.reset();
  };

  const done = todo ? Object.values(todo.items).filter((item) => item.done).length : 0;
  return (
    <>
      <header>
        <h1>{todo?.title ?? "…"}</h1>
        <p className={`connection ${state}`} role="status">
          <span id="state" data-state={state}>
            {STATES[state]}
          </span>
          {waiting > 0 && <span id="pending">{waiting} on the way</span>}
        </p>
      </header>
      <form onSubmit={submit}>
        <input name="text" aria-label="What is to be done" placeholder="What is to be done?" autoComplete="off" disabled={!todo} />
        <button disabled={!todo}>Add</button>
      </form>
      <p id="problem" role="alert">
        {problem}
      </p>
      {todo && <List todo={todo} attempt={attempt} />}
      {todo && (
        <footer>
          {done} of {todo.order.length} done
        </footer>
      )}
    </>
  );
}
