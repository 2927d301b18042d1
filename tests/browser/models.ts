// Made from the models of a Rust program. Do not edit: `UPDATE_BINDINGS=1 cargo test` writes it.

/** A thing in a house. */
export interface Device {
  /**
   * What people call it, even /* this *\/.
   *
   * @minLength 1
   * @maxLength 20
   */
  readonly name: string;
  /**
   * In percent.
   *
   * @minimum 0
   * @maximum 100
   */
  readonly brightness: number;
  /**
   * @minimum 0.0
   * @exclusiveMaximum 1.5
   */
  readonly gain: number | null;
  /**
   * Since the first start.
   *
   * @readonly
   */
  readonly ticks: number | bigint;
  readonly small: number;
  readonly on: boolean;
  readonly note: string | null;
  readonly "fan-mode": Mode;
  readonly motion: Motion;
  readonly last: Event | null;
  readonly shape: Shape;
  readonly children: readonly Child[];
  readonly by_name: { readonly [key: string]: Child };
  /**
   * @maxItems 3
   */
  readonly tags: readonly string[];
  readonly position: readonly [number, number, number];
  readonly samples: readonly number[];
  readonly pair: readonly [number, string | null];
  readonly range: Range;
  readonly levels: readonly (number | bigint | null)[];
  readonly page: Page;
  readonly other: Page2;
  readonly boxed: Tree;
  readonly id: number;
  readonly foreign: unknown;
  /**
   * @readonly
   */
  readonly summary: string;
  readonly room: string;
  readonly address?: string | null;
}

/** How the fan turns. */
export type Mode =
  /** As it likes. */
  | "automatic"
  | "at-night";

/** Where it goes. */
export type Motion =
  | {
      readonly kind: "standing";
    }
  /** On a line. */
  | {
      readonly kind: "driving";
      /** In metres a second. */
      readonly speed: number;
      readonly steps: number | bigint;
    }
  | {
      readonly kind: "turning";
      readonly degrees: number;
    };

export type Event =
  | "Started"
  | {
      readonly Failed: string;
    }
  | {
      readonly Moved: readonly [number, number];
    }
  | {
      readonly Seen: {
        readonly by: Child;
      };
    };

export interface Child {
  readonly label: string | null;
}

export type Shape =
  | {
      readonly t: "Empty";
    }
  | {
      readonly t: "Circle";
      readonly c: number;
    }
  | {
      readonly t: "Box";
      readonly c: {
        readonly width: number;
        readonly height: number;
      };
    };

export type Range = readonly [number, number];

export interface Page {
  readonly items: readonly string[];
}

export interface Page2 {
  readonly items: readonly number[];
}

export interface Tree {
  readonly leaf: string;
  readonly below: readonly Tree[];
}

/** Whatever else there is, too. */
export interface Settings {
  readonly volume: number;
  readonly [key: string]: unknown;
}

/** {@link Device}, as it may be given for an edit. */
export interface DeviceInput {
  /**
   * What people call it, even /* this *\/.
   *
   * @minLength 1
   * @maxLength 20
   */
  readonly name: string;
  /**
   * In percent.
   *
   * @minimum 0
   * @maximum 100
   */
  readonly brightness: number;
  /**
   * @minimum 0.0
   * @exclusiveMaximum 1.5
   */
  readonly gain?: number | null;
  /**
   * Since the first start.
   *
   * @readonly
   */
  readonly ticks: number | bigint;
  readonly small: number;
  readonly on?: boolean;
  readonly note?: string | null;
  readonly "fan-mode": Mode;
  readonly motion: MotionInput;
  readonly last?: EventInput | null;
  readonly shape: Shape;
  readonly children: readonly ChildInput[];
  readonly by_name: { readonly [key: string]: ChildInput };
  /**
   * @maxItems 3
   */
  readonly tags: readonly string[];
  readonly position: readonly [number, number, number];
  readonly samples: readonly number[];
  readonly pair: readonly [number, string | null];
  readonly range: Range;
  readonly levels: readonly (number | bigint | null)[];
  readonly page: Page;
  readonly other: Page2;
  readonly boxed: Tree;
  readonly id: number;
  readonly foreign: unknown;
  /**
   * @readonly
   */
  readonly summary?: string;
  readonly room: string;
  readonly address?: string | null;
}

/** {@link Motion}, as it may be given for an edit. */
export type MotionInput =
  | {
      readonly kind: "standing";
    }
  /** On a line. */
  | {
      readonly kind: "driving";
      /** In metres a second. */
      readonly speed: number;
      readonly steps?: number | bigint;
    }
  | {
      readonly kind: "turning";
      readonly degrees: number;
    };

/** {@link Event}, as it may be given for an edit. */
export type EventInput =
  | "Started"
  | {
      readonly Failed: string;
    }
  | {
      readonly Moved: readonly [number, number];
    }
  | {
      readonly Seen: {
        readonly by: ChildInput;
      };
    };

/** {@link Child}, as it may be given for an edit. */
export interface ChildInput {
  readonly label?: string | null;
}
