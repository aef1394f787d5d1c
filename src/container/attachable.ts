// Where to attach to a running container.

import { VeneerError } from '../core/index.js';
import type { Store } from '../store/index.js';
import { containerState, runFilesOf } from './state.js';
import { documentOf } from './document.js';

export interface Attachable {
  readonly id: string;
  readonly attachSocket: string;
  readonly controlFifo: string;
  readonly terminal: boolean;
  readonly openStdin: boolean;
}

/** Throws `invalid` for a container that does not run, or is paused. */
export function attachableContainer(store: Store, reference: string): Attachable {
  const record = store.containers.resolve(reference);
  const { status } = containerState(store, record);
  const { id, name } = record;
  if (status === 'paused') {
    throw new VeneerError('invalid', `container ${name} is paused`, { hint: `veneer unpause ${name}` });
  }
  if (status !== 'running') {
    throw new VeneerError('invalid', `container ${name} is not running`, { hint: `veneer start -a ${name}` });
  }
  const { config } = documentOf(store, record);
  const { attach, control } = runFilesOf(store, id);
  return {
    id,
    attachSocket: attach,
    controlFifo: control,
    terminal: config.Tty === true,
    openStdin: config.OpenStdin === true,
  };
}
