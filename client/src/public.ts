export { type Client, type State } from "./client.js";
export { EditError, type EditFailure } from "./edit.js";
export { type Key, type Listener, Model } from "./model.js";
export type { Path, Value } from "./value.js";
