// `rename`: a container's other name. Nothing but the row has it, so one that runs goes on.

import type { Store } from '../store/index.js';
import { viewOf } from './view.js';
import type { Container } from './view.js';

/** Throws `not-found`, `invalid` for a malformed name, and `already-exists` for one that is taken, be it by the container itself. */
export function renameContainer(store: Store, reference: string, name: string): Container {
  const { id } = store.containers.resolve(reference);
  store.containers.rename(id, name);
  return viewOf(store, store.containers.get(id));
}
