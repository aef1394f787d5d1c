import type { ExecOptions } from '../container/index.js';
import type { Store } from '../store/index.js';
import { passStreams } from './container-streams.js';

/** Runs a command in a running container: to its exit code, or 0 where it goes on by itself. */
export async function execInContainer(
  store: Store,
  reference: string,
  { detachKeys, ...options }: ExecOptions & { readonly detachKeys: readonly number[] },
): Promise<number> {
  const { prepareExec } = await import('../container/index.js');
  const exec = await prepareExec(store, reference, options);
  if (options.detached) {
    await exec.start();
    exec.release();
    return 0;
  }
  let end;
  try {
    end = await passStreams({
      attachSocket: exec.attachSocket,
      controlFifo: exec.controlFifo,
      tty: options.terminal,
      streams: { stdin: options.stdin, stdout: true, stderr: true },
      detachKeys,
      begin: () => exec.start(),
      sendSignal: (signal) => exec.signal(signal),
    });
  } catch (error) {
    exec.release();
    throw error;
  }
  if (end.by === 'command') return exec.wait();
  exec.release();
  return end.by === 'signal' ? end.exitCode : 0;
}
