import { type KeyboardEvent, type PointerEvent, useRef, useState } from "react";

import { type Item, move, remove, rename, tick, type Todo } from "./todo";

type Attempt = (edit: Promise<unknown>) => unknown;

/** An item in the hand, and the one whose place it is over. */
interface Drag {
  name: string;
  over: string;
}

export function List({ todo, attempt }: { todo: Todo; attempt: Attempt }) {
  const [drag, setDrag] = useState<Drag>();
  const list = useRef<HTMLUListElement>(null);
  const shown = drag ? moved(todo.order, drag) : todo.order;

  const follow = (event: PointerEvent) => {
    if (!drag) return;
    for (const element of list.current!.children as HTMLCollectionOf<HTMLElement>) {
      const { top, bottom } = element.getBoundingClientRect();
      const name = element.dataset["name"]!;
      if (event.clientY < top || event.clientY > bottom || name === drag.name) continue;
      setDrag({ ...drag, over: todo.order[shown.indexOf(name)] ?? name });
    }
  };

  const drop = () => {
    if (drag) attempt(move(drag.name, drag.over));
    setDrag(undefined);
  };

  const step = (event: KeyboardEvent, name: string) => {
    const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const to = by && todo.order[todo.order.indexOf(name) + by];
    if (!to) return;
    event.preventDefault();
    attempt(move(name, to));
  };

  return (
    <ul ref={list}>
      {shown.map((name) => {
        const item = todo.items[name];
        if (!item) return null;
        return (
          <li key={name} data-name={name} className={drag?.name === name ? "dragged" : ""}>
            <button
              className="handle"
              aria-label={`Move "${item.text}": drag, or arrow up and down`}
              onPointerDown={(event) => {
                event.currentTarget.setPointerCapture(event.pointerId);
                setDrag({ name, over: name });
              }}
              onPointerMove={follow}
              onPointerUp={drop}
              onPointerCancel={() => setDrag(undefined)}
              onKeyDown={(event) => step(event, name)}
            >
              ⠿
            </button>
            <Row name={name} item={item} attempt={attempt} />
          </li>
        );
      })}
    </ul>
  );
}

function Row({ name, item, attempt }: { name: string; item: Item; attempt: Attempt }) {
  /** What is being typed; others' changes do not get in between. */
  const [draft, setDraft] = useState<string>();

  const finish = () => {
    if (draft !== undefined && draft !== item.text) attempt(rename(name, draft));
    setDraft(undefined);
  };

  const key = (event: KeyboardEvent<HTMLInputElement>) => {
    if (event.key === "Escape") setDraft(undefined);
    if (event.key === "Enter") finish();
  };

  return (
    <>
      <input
        type="checkbox"
        aria-label={`"${item.text}" is done`}
        checked={item.done}
        onChange={(event) => attempt(tick(name, event.target.checked))}
      />
      <input
        className={item.done ? "text done" : "text"}
        aria-label="Text"
        value={draft ?? item.text}
        onChange={(event) => setDraft(event.target.value)}
        onBlur={finish}
        onKeyDown={key}
      />
      <button className="remove" aria-label={`Remove "${item.text}"`} onClick={() => attempt(remove(name))}>
        ×
      </button>
    </>
  );
}

/** The order as it will be if the item is let go. Others may have removed one of the two meanwhile. */
function moved(order: readonly string[], { name, over }: Drag): readonly string[] {
  const [from, to] = [order.indexOf(name), order.indexOf(over)];
  return from < 0 || to < 0 ? order : order.toSpliced(from, 1).toSpliced(to, 0, name);
}
