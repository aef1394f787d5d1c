import { inspectContainer } from '../container/index.js';
import type { Store } from '../store/index.js';
import type { AttachOptions } from './attach-options.js';
import { attachToContainer } from './attach-to-container.js';
import { requireTerminal } from './container-streams.js';
import { runForeground } from './run-foreground.js';

/** Starts a container, unless it runs already, and stays with it: to its exit code, or as `runForeground`. */
export async function startAttached(
  store: Store,
  reference: string,
  options: AttachOptions & { readonly stdin: boolean },
): Promise<number> {
  const { id, run, config } = inspectContainer(store, reference);
  if (run.status === 'running' || run.status === 'paused') return attachToContainer(store, id, options);
  const streams = { stdin: options.stdin && config.OpenStdin === true, stdout: true, stderr: true };
  const tty = config.Tty === true;
  requireTerminal({ tty, stdin: streams.stdin });
  return runForeground(store, id, { ...options, streams, sigProxy: options.sigProxy && !tty });
}
