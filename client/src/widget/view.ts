// The view of a server's models in a notebook: trees with live values, and a control for each place that can be edited.

import type { Client, Model } from "../client.js";
import type { Editor } from "../editor.js";
import type { Place, Schemas } from "../schema.js";
import type { Path } from "../value.js";
import { blank, isOptional } from "./blank.js";
import style from "./view.css";
import { connect, type WidgetModel } from "./wire.js";

/** Lists and maps show this many at first. */
const SHOWN = 50;

function render({ model, el }: { model: WidgetModel; el: HTMLElement }): () => void {
  const client = connect(model);
  const root = document.createElement("div");
  root.className = "transports";
  // Else JupyterLab takes what is typed here for its own shortcuts, and Enter for the start of editing a cell.
  root.dataset.lmSuppressShortcuts = "true";
  root.addEventListener("keydown", (event) => event.stopPropagation());
  const sheet = document.createElement("style");
  sheet.textContent = style;
  el.append(sheet, root);
  // For front ends of one's own: `element.transports.client`.
  (el as any).transports = { client };

  const panels = new Map<number, { panel: Panel; update(): void }>();
  const only: number | null = model.get("shown") ?? null;
  const changed = (changed: Model) => {
    const id = changed.id!;
    if (only !== null && id !== only) return;
    let known = panels.get(id);
    if (!known) {
      const panel = new Panel(client, id);
      panels.set(id, (known = { panel, update: onceAFrame(() => panel.update()) }));
      const ids = [...panels.keys()].sort((a, b) => a - b);
      root.insertBefore(panel.element, root.children[ids.indexOf(id)] ?? null);
    }
    known.update();
    el.dispatchEvent(new CustomEvent("transports-change", { bubbles: true, detail: { id } }));
  };
  client.on("change", changed as never);
  client.on("state", (state) => root.toggleAttribute("data-stale", (state as string) !== "open"));
  return () => client.stop();
}

/** Calls `call` at most once a frame, however often it is asked. A tab in the background has no frames, but timers. */
function onceAFrame(call: () => void): () => void {
  let asked = false;
  const run = () => {
    asked = false;
    call();
  };
  return () => {
    if (asked) return;
    asked = true;
    if (document.hidden) setTimeout(run, 250);
    else requestAnimationFrame(run);
  };
}

/** One model. */
class Panel {
  readonly element = document.createElement("section");
  readonly #heading = document.createElement("header");
  readonly #problem = document.createElement("p");
  readonly #model: Model;
  readonly #hand: Hand;
  #place: Place | undefined;
  #node: Node | undefined;

  constructor(client: Client, id: number) {
    const model = (this.#model = client.model(id));
    this.#hand = {
      schemas: (client.mirrors as Editor).schemas,
      edit: (path, value) => void this.#try(model.edit(path, value)),
      push: (path, value) => void this.#try(model.push(path, value)),
      remove: (path) => void this.#try(model.remove(path)),
    };
    this.#problem.setAttribute("role", "alert");
    this.#problem.hidden = true;
    this.element.append(this.#heading, this.#problem);
    this.element.dataset.model = String(id);
  }

  update(): void {
    const { id, type, rev, value } = this.#model;
    this.#heading.textContent = `${type} `;
    const small = document.createElement("small");
    small.textContent = `${id}, revision ${rev ?? "?"}`;
    this.#heading.append(small);
    const place = this.#hand.schemas.at(type!, [], value);
    if (!this.#node?.fits(value) || !isSame(place, this.#place)) {
      const node = nodeOf(value, [], place, this.#hand);
      if (this.#node) this.#node.element.replaceWith(node.element);
      else this.element.append(node.element);
      this.#node = node;
    }
    this.#place = place;
    this.#node.update(value);
  }

  async #try(edit: Promise<number>): Promise<void> {
    try {
      await edit;
      this.#problem.hidden = true;
    } catch (error) {
      const { reason, message } = error as { reason?: string; message: string };
      this.#problem.textContent = reason ?? message;
      this.#problem.hidden = false;
      // The control shows what was wanted: back to what is.
      this.#node?.update(this.#model.value, true);
    }
  }
}

/** What a control can do, and what is known of where it stands. */
interface Hand {
  readonly schemas: Schemas;
  edit(path: Path, value: unknown): void;
  push(path: Path, value: unknown): void;
  remove(path: Path): void;
}

/** Whether a server that said it again said the same. */
function isSame(place: Place | undefined, other: Place | undefined): boolean {
  return place === other || JSON.stringify(place) === JSON.stringify(other);
}

/** A place on show. */
interface Node {
  readonly element: HTMLElement;
  /** Whether a value can be shown here, or needs another node. */
  fits(value: unknown): boolean;
  /** `again`: also where the value is the one that was shown last. */
  update(value: any, again?: boolean): void;
}

function nodeOf(value: unknown, path: Path, place: Place | undefined, hand: Hand): Node {
  return new (isBranch(value) ? Branch : Leaf)(value, path, place, hand);
}

function isBranch(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}

function button(label: string, name: string, click: () => void): HTMLButtonElement {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = label;
  button.title = name;
  button.setAttribute("aria-label", name);
  button.onclick = click;
  return button;
}

/** A map or a list. */
class Branch implements Node {
  readonly element = document.createElement("details");
  readonly #rows = document.createElement("div");
  readonly #more = document.createElement("button");
  readonly #summary = document.createElement("summary");
  readonly #children = new Map<string | number, { row: HTMLElement; node: Node }>();
  readonly #isList: boolean;
  /** What items and entries that can be added and removed are. */
  readonly #items: Place | undefined;
  #value: any;
  #limit = SHOWN;

  constructor(
    value: any,
    readonly path: Path,
    readonly place: Place | undefined,
    readonly hand: Hand,
  ) {
    this.#isList = Array.isArray(value);
    const form = hand.schemas.form(place);
    const items = form.List ?? form.Set ?? form.Map ?? form.Struct?.rest;
    if (items && !place!.read_only) this.#items = { type: items };
    this.element.open = path.length < 2;
    this.#more.type = "button";
    this.#more.onclick = () => {
      this.#limit *= 4;
      this.update(this.#value, true);
    };
    this.element.append(this.#summary, this.#rows, this.#more, ...this.#adding());
    this.element.ontoggle = () => this.element.open && this.update(this.#value, true);
  }

  fits(value: unknown): boolean {
    return typeof value === "object" && value !== null && Array.isArray(value) === this.#isList;
  }

  update(value: any, again = false): void {
    if (value === this.#value && !again) return;
    this.#value = value;
    const keys: (string | number)[] = this.#isList ? value.map((_: unknown, index: number) => index) : this.#keys(value);
    this.#summary.textContent = this.#isList ? `${keys.length} items` : `${keys.length} entries`;
    // What cannot be seen costs nothing.
    if (!this.element.open) return;
    const shown = keys.slice(0, this.#limit);
    this.#more.hidden = shown.length === keys.length;
    this.#more.textContent = `${keys.length - shown.length} more`;
    const gone = new Set(this.#children.keys());
    shown.forEach((key, index) => {
      gone.delete(key);
      let child = this.#children.get(key);
      if (!child?.node.fits(value[key])) {
        const row = document.createElement("div");
        row.className = "row";
        const label = document.createElement("span");
        label.className = "name";
        label.textContent = String(key);
        const path = [...this.path, key];
        const place = this.#placeOf(key);
        const node = nodeOf(value[key], path, place, this.hand);
        row.append(label, node.element, ...this.#tools(value[key], path, place));
        child?.row.remove();
        this.#children.set(key, (child = { row, node }));
      }
      if (this.#rows.children[index] !== child.row) this.#rows.insertBefore(child.row, this.#rows.children[index] ?? null);
      child.node.update(value[key], again);
    });
    for (const key of gone) {
      this.#children.get(key)!.row.remove();
      this.#children.delete(key);
    }
  }

  /** In the order of their declaration, others behind. */
  #keys(value: object): string[] {
    const keys = Object.keys(value);
    const fields: { name: string }[] = this.hand.schemas.form(this.place).Struct?.fields ?? [];
    const declared = fields.map(({ name }) => name).filter((key) => key in value);
    return [...declared, ...keys.filter((key) => !declared.includes(key))];
  }

  #placeOf(key: string | number): Place | undefined {
    const place = this.hand.schemas.below(this.place, key, this.#value);
    return this.place?.read_only ? { ...place, read_only: true } : place;
  }

  /** What sets and unsets an option, and what takes out an item or an entry. */
  #tools(value: unknown, path: Path, place: Place | undefined): HTMLElement[] {
    const { schemas, edit, remove } = this.hand;
    const name = path.join(".");
    const tools = [];
    if (place && isOptional(place) && !place.read_only) {
      const first = blank(schemas, { ...place, type: schemas.form(place) });
      if (value !== null) tools.push(button("none", `unset ${name}`, () => edit(path, null)));
      else if (first !== undefined) tools.push(button("set", `set ${name}`, () => edit(path, first)));
    }
    const isField = !this.#isList && this.hand.schemas.form(this.place).Struct?.fields.some((field: any) => field.name === path.at(-1));
    if (this.#items && !isField) tools.push(button("\u00d7", `remove ${name}`, () => remove(path)));
    return tools;
  }

  /** What adds an item or an entry. */
  #adding(): HTMLElement[] {
    const first = this.#items && blank(this.hand.schemas, this.#items);
    if (first === undefined) return [];
    const name = `add to ${this.path.join(".")}`;
    if (this.#isList) return [button("+", name, () => this.hand.push(this.path, first))];
    const row = document.createElement("form");
    const key = document.createElement("input");
    key.type = "text";
    key.required = true;
    key.setAttribute("aria-label", `key to ${name}`);
    const add = button("+", name, () => {});
    add.type = "submit";
    row.append(key, add);
    row.onsubmit = (event) => {
      event.preventDefault();
      // One that is there stays as it is.
      if (!(key.value in this.#value)) this.hand.edit([...this.path, key.value], first);
      row.reset();
    };
    return [row];
  }
}

type Control = HTMLInputElement | HTMLSelectElement;

/** A value that is no map and no list. */
class Leaf implements Node {
  readonly element = document.createElement("span");
  readonly #kind: string;
  readonly #output = document.createElement("output");
  #control: Control | undefined;
  #value: unknown;
  #fresh = true;

  constructor(
    value: unknown,
    readonly path: Path,
    readonly place: Place | undefined,
    readonly hand: Hand,
  ) {
    this.#kind = kindOf(value);
    this.element.className = "leaf";
    if (!place?.read_only) this.#control = this.#makeControl();
    if (this.#control) {
      this.#control.setAttribute("aria-label", path.join("."));
      this.#control.onchange = () => this.#changed();
      this.element.append(this.#control);
    }
    // A slider alone does not say where it stands.
    if (!this.#control || this.#control.type === "range") this.element.append(this.#output);
  }

  fits(value: unknown): boolean {
    return kindOf(value) === this.#kind;
  }

  update(value: unknown, again = false): void {
    if (value === this.#value && !again && !this.#fresh) return;
    this.#fresh = false;
    this.#value = value;
    this.#output.textContent = shown(value);
    const control = this.#control;
    // What the user is typing stays.
    if (!control || (document.activeElement === control && isTyped(control) && !again)) return;
    if (control instanceof HTMLInputElement && control.type === "checkbox") control.checked = value === true;
    else control.value = value === null ? "" : String(value);
  }

  #makeControl(): Control | undefined {
    if (this.#kind === "bigint" || this.#kind === "null") return undefined;
    const form = this.hand.schemas.form(this.place);
    if (form.Names) {
      const select = document.createElement("select");
      select.append(...form.Names.map(({ name }: { name: string }) => new Option(name, name)));
      return select;
    }
    const { min, max, exclusive } = this.place?.range ?? {};
    const isRange = min !== undefined && max !== undefined && !exclusive;
    const input = document.createElement("input");
    if (this.#kind === "boolean") {
      input.type = "checkbox";
      input.setAttribute("role", "switch");
    } else if (this.#kind === "number") {
      input.type = isRange ? "range" : "number";
      input.step = "any";
      if (isRange) {
        input.min = String(min);
        input.max = String(max);
        input.step = String(form.Int ? 1 : (max - min) / 100);
        input.oninput = () => (this.#output.textContent = input.value);
      }
    } else {
      input.type = "text";
    }
    return input;
  }

  #changed(): void {
    const control = this.#control!;
    if (this.#kind === "boolean") return this.hand.edit(this.path, (control as HTMLInputElement).checked);
    if (this.#kind !== "number") return this.hand.edit(this.path, control.value);
    const number = (control as HTMLInputElement).valueAsNumber;
    if (Number.isFinite(number)) this.hand.edit(this.path, number);
    else this.update(this.#value, true);
  }
}

function isTyped(control: Control): boolean {
  return control instanceof HTMLInputElement && (control.type === "text" || control.type === "number");
}

function kindOf(value: unknown): string {
  return value === null ? "null" : typeof value;
}

function shown(value: unknown): string {
  if (typeof value !== "number" || Number.isInteger(value)) return value === null ? "none" : String(value);
  return String(Number(value.toPrecision(6)));
}

export { connect };
export default { render };
