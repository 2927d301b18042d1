/** A number that was written with a fraction or in bits of a float, where an Int belongs; also if the fraction is 0. */
export class Fraction {
  constructor(readonly number: number) {}
}

/** A document that means nothing to us, such as the state of a peer, with all numbers as such. */
export function numbers(document: any): unknown {
  if (document instanceof Fraction) return document.number;
  if (typeof document === "object" && document) for (const key of Object.keys(document)) document[key] = numbers(document[key]);
  return document;
}
