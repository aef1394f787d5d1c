import type { Command } from 'commander';
import { namingFullDisk } from '../core/index.js';
import type { Store } from '../store/index.js';
import { globalsOf } from './context.js';

/** Runs `act` with the store that --root, VENEER_ROOT or the user's default names, and leaves it whatever happens: the program ends then. */
export async function withStore<Result>(
  command: Command,
  act: (store: Store) => Promise<Result> | Result,
): Promise<Result> {
  const { defaultRoot, Store } = await import('../store/index.js');
  const store = Store.open(globalsOf(command).root ?? defaultRoot(process.env, process.getuid?.() ?? 0));
  try {
    return await act(store);
  } catch (error) {
    // What is written elsewhere says so itself.
    throw namingFullDisk(error, store.root);
  } finally {
    store.leave();
  }
}
