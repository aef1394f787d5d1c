import { VeneerError } from '../core/index.js';
import type { Store } from '../store/index.js';
import type { AttachOptions } from './attach-options.js';
import { passStreams, requireTerminal } from './container-streams.js';

/** Attaches to a running container until it ends: to its exit code then, or, where it goes on, as `runForeground`. Throws `invalid`. */
export async function attachToContainer(
  store: Store,
  reference: string,
  { stdin, sigProxy, detachKeys }: AttachOptions & { readonly stdin: boolean },
): Promise<number> {
  const { attachableContainer, killContainer, waitForRun } = await import('../container/index.js');
  const { id, attachSocket, controlFifo, terminal, openStdin } = attachableContainer(store, reference);
  const streams = { stdin: stdin && openStdin, stdout: true, stderr: true };
  requireTerminal({ tty: terminal, stdin: streams.stdin });
  const gone = new AbortController();
  // Asked before: a container that is removed at its end tells nobody afterwards.
  const ended = waitForRun(store, id, gone.signal);
  ended.catch(() => undefined);
  const sendSignal = (signal: NodeJS.Signals): Promise<unknown> => killContainer(store, id, signal);
  try {
    const end = await passStreams({
      attachSocket,
      controlFifo,
      tty: terminal,
      streams,
      detachKeys,
      // As docker: who closes the terminal closes his own.
      ...(sigProxy && !terminal ? { sendSignal } : {}),
    });
    if (end.by === 'signal') return end.exitCode;
    if (end.by === 'keys') return 0;
    return await ended;
  } finally {
    gone.abort(new VeneerError('unavailable', 'nobody waits for the container any more'));
  }
}
