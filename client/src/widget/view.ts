// The view of a server's models in a notebook: trees with live values, and a control for each place that can be edited.

import type { Client, Model } from "../client.js";
import type { Path } from "../value.js";
import style from "./view.css";
import { connect, type WidgetModel } from "./wire.js";

/** What may stand in a place, as the kernel tells it. */
interface Rules {
  readOnly?: boolean;
  range?: { min: number; max: number; step: number | null };
  choice?: string[];
  optional?: Rules | null;
  fields?: Record<string, Rules | null>;
  /** The names of the fields as they were declared. */
  order?: string[];
  items?: Rules | null;
  entries?: Rules | null;
}

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
  const rules: Record<string, Rules> = model.get("rules") ?? {};
  const changed = (changed: Model) => {
    const id = changed.id!;
    if (only !== null && id !== only) return;
    let known = panels.get(id);
    if (!known) {
      const panel = new Panel(client, id, rules[id]);
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
  #node: Node | undefined;

  constructor(client: Client, id: number, readonly rules: Rules | undefined) {
    this.#model = client.model(id);
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
    if (!this.#node?.fits(value)) {
      const node = nodeOf(value, [], this.rules ?? null, (path, value) => this.#edit(path, value));
      if (this.#node) this.#node.element.replaceWith(node.element);
      else this.element.append(node.element);
      this.#node = node;
    }
    this.#node.update(value);
  }

  async #edit(path: Path, value: unknown): Promise<void> {
    try {
      await this.#model.edit(path, value);
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

type Send = (path: Path, value: unknown) => void;

/** A place on show. */
interface Node {
  readonly element: HTMLElement;
  /** Whether a value can be shown here, or needs another node. */
  fits(value: unknown): boolean;
  /** `again`: also where the value is the one that was shown last. */
  update(value: any, again?: boolean): void;
}

function nodeOf(value: unknown, path: Path, rules: Rules | null, send: Send): Node {
  const { optional, ...rest } = rules ?? {};
  const here: Rules = { ...optional, ...rest };
  if (typeof value === "object" && value !== null) return new Branch(value, path, here, send);
  return new Leaf(value, path, here, send);
}

/** A map or a list. */
class Branch implements Node {
  readonly element = document.createElement("details");
  readonly #rows = document.createElement("div");
  readonly #more = document.createElement("button");
  readonly #summary = document.createElement("summary");
  readonly #children = new Map<string | number, { row: HTMLElement; node: Node }>();
  readonly #isList: boolean;
  #value: any;
  #limit = SHOWN;

  constructor(
    value: object,
    readonly path: Path,
    readonly rules: Rules,
    readonly send: Send,
  ) {
    this.#isList = Array.isArray(value);
    this.element.open = path.length < 2;
    this.#more.type = "button";
    this.#more.onclick = () => {
      this.#limit *= 4;
      this.update(this.#value, true);
    };
    this.element.append(this.#summary, this.#rows, this.#more);
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
        const node = nodeOf(value[key], [...this.path, key], this.#rulesOf(key), this.send);
        row.append(label, node.element);
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
    const declared = (this.rules.order ?? []).filter((key) => key in value);
    return [...declared, ...keys.filter((key) => !declared.includes(key))];
  }

  #rulesOf(key: string | number): Rules | null {
    const { fields, items, entries, readOnly } = this.rules;
    const own = (this.#isList ? items : (fields?.[key] ?? entries)) ?? null;
    return readOnly ? { ...own, readOnly } : own;
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
    readonly rules: Rules,
    readonly send: Send,
  ) {
    this.#kind = kindOf(value);
    this.element.className = "leaf";
    if (!rules.readOnly) this.#control = this.#makeControl();
    if (this.#control) {
      this.#control.setAttribute("aria-label", path.join("."));
      this.#control.onchange = () => this.#changed();
      this.element.append(this.#control);
    }
    // A slider alone does not say where it stands.
    if (!this.#control || rules.range) this.element.append(this.#output);
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
    const { choice, range } = this.rules;
    if (choice) {
      const select = document.createElement("select");
      select.append(...choice.map((name) => new Option(name, name)));
      return select;
    }
    if (this.#kind === "bigint" || this.#kind === "null") return undefined;
    const input = document.createElement("input");
    if (this.#kind === "boolean") {
      input.type = "checkbox";
      input.setAttribute("role", "switch");
    } else if (this.#kind === "number") {
      input.type = range ? "range" : "number";
      input.step = "any";
      if (range) {
        input.min = String(range.min);
        input.max = String(range.max);
        input.step = String(range.step ?? (range.max - range.min) / 100);
        input.oninput = () => (this.#output.textContent = input.value);
      }
    } else {
      input.type = "text";
    }
    return input;
  }

  #changed(): void {
    const control = this.#control!;
    if (this.#kind === "boolean") return this.send(this.path, (control as HTMLInputElement).checked);
    if (this.#kind !== "number") return this.send(this.path, control.value);
    const number = (control as HTMLInputElement).valueAsNumber;
    if (Number.isFinite(number)) this.send(this.path, number);
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
