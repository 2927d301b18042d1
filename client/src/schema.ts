// What a server tells of its types: of which kind a number has to be, also where nothing is yet.

import { isObject, malformed, type Path } from "./value.js";

/** A type as the server tells it; `docs/protocol.md` shows all forms. */
export type Form = any;

/** What may stand in a place: a type, and what a field has to keep to. */
export interface Place {
  type?: Form;
  read_only?: boolean;
  has_default?: boolean;
  may_be_missing?: boolean;
  range?: { min?: number; max?: number; exclusive?: boolean };
}

/** What is in a place of a plain value. */
export function own(value: any, key: string | number): unknown {
  if (value instanceof Map) return value.get(key);
  return typeof value === "object" && value && Object.hasOwn(value, key) ? value[key] : undefined;
}

export class Schemas {
  readonly #models = new Map<unknown, Form>();
  readonly #names = new Map<unknown, Form>();

  /** What the server said before counts no longer. */
  clear(): void {
    this.#models.clear();
    this.#names.clear();
  }

  /** Takes in a message. */
  learn({ type, schema }: Record<string, unknown>): void {
    if (!isObject(schema)) return malformed("schema");
    const { definitions = [] } = schema;
    if (!Array.isArray(definitions)) return malformed("schema");
    this.#models.set(type, schema);
    for (const each of definitions) if (isObject(each)) this.#names.set(each.name, each.type);
  }

  /** The type that is meant where there may also be nothing, or only a name is told. */
  form(place: Place | undefined): Form {
    let form = place?.type;
    // Names that only mean each other would have no end.
    for (let step = 0; step < 9 && isObject(form); step += 1) {
      if ("Optional" in form) form = form.Optional;
      else if ("Named" in form) form = this.#names.get(form.Named);
      else break;
    }
    return form ?? "Any";
  }

  /** The kind of a number there, if it has to be of one. */
  kind(place: Place | undefined): "Float" | "Int" | undefined {
    const form = this.form(place);
    return form === "Float" ? form : form.Int ? "Int" : undefined;
  }

  /** What may stand at `key` of a value. */
  below(place: Place | undefined, key: string | number, value: unknown): Place | undefined {
    const form = this.form(place);
    const item = form.List ?? form.Set ?? form.Map ?? form.Array?.[0] ?? form.Tuple?.[key];
    if (item) return { type: item };
    if (!form.Enum) return field(form, key);
    const { tagging, variants } = form.Enum;
    const wanted = name(form.Enum, value);
    const variant = variants.find((variant: any) => variant.name === wanted);
    if (tagging.Internal) return field(this.form(variant), key);
    return key === (tagging.Adjacent?.content ?? wanted) ? variant : undefined;
  }

  /** Whether the two are different variants of an enum, which the server replaces only as a whole. */
  differ(place: Place | undefined, value: unknown, other: unknown): boolean {
    const { Enum } = this.form(place);
    return !!Enum && name(Enum, value) !== name(Enum, other);
  }

  /** What may stand at `path` of a model, which is of this type and has this value. */
  at(type: string, path: Path, value: unknown): Place | undefined {
    let place: Place | undefined = this.#models.get(type);
    for (const key of path) {
      place = this.below(place, key, value);
      value = own(value, key);
    }
    return place;
  }
}

/** Which variant a value is. */
function name({ tagging }: Form, value: unknown): unknown {
  const { tag } = tagging.Internal ?? tagging.Adjacent ?? {};
  if (tag !== undefined) return own(value, tag);
  return typeof value === "object" && value ? (value instanceof Map ? [...value.keys()] : Object.keys(value))[0] : value;
}

function field({ Struct }: Form, key: string | number): Place | undefined {
  return Struct?.fields.find((field: any) => field.name === key) ?? (Struct?.rest && { type: Struct.rest });
}
