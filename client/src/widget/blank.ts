// What a new item or an option that is set begins with.

import type { Form, Place, Schemas } from "../schema.js";

/** A type in itself so often is none that a value could be given of. */
const DEEPEST = 32;

/** The least that fits a place; undefined if that is not known. */
export function blank(schemas: Schemas, place: Place, depth = 0): unknown {
  if (depth > DEEPEST) return undefined;
  const below = (place: Place) => blank(schemas, place, depth + 1);
  if (isOptional(place)) return null;
  const form: Form = schemas.form(place);
  const { Int, Names, Array: array, Tuple, Struct, Enum } = form;
  if (form === "Bool") return false;
  if (form === "Str") return "";
  if (form === "Float" || Int) return within(within(0, Int), place.range);
  if (form.List || form.Set) return [];
  if (form.Map) return {};
  if (Names) return Names[0]?.name;
  if (array) return all(Array.from({ length: array[1] }, () => below({ type: array[0] })));
  if (Tuple) return all(Tuple.map((type: Form) => below({ type })));
  if (Struct) return fields(Struct, below);
  return Enum ? variant(Enum, below) : undefined;
}

/** Whether there may be nothing. */
export function isOptional({ type }: Place): boolean {
  return typeof type === "object" && "Optional" in type;
}

function within(number: number, { min = number, max = number }: { min?: number; max?: number } = {}): number {
  return Math.min(Math.max(number, min), max);
}

/** The list, if all in it is known. */
function all(items: unknown[]): unknown[] | undefined {
  return items.includes(undefined) ? undefined : items;
}

function fields(struct: { fields: (Place & { name: string })[] }, below: (place: Place) => unknown): object | undefined {
  const needed = struct.fields.filter((field) => !field.has_default && !field.may_be_missing);
  const values = all(needed.map(below));
  return values && Object.fromEntries(needed.map(({ name }, index) => [name, values[index]]));
}

/** The first variant that can be given. */
function variant({ tagging, variants }: Form, below: (place: Place) => unknown): unknown {
  const { tag, content } = tagging.Internal ?? tagging.Adjacent ?? {};
  for (const each of variants) {
    const { name, type } = each;
    const inside: any = type && below(each);
    if (type && inside === undefined) continue;
    if (tag === undefined) return type ? { [name]: inside } : name;
    if (content === undefined) return { [tag]: name, ...inside };
    return type ? { [tag]: name, [content]: inside } : { [tag]: name };
  }
  return undefined;
}
