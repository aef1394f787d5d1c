// One health check: a command in the container, and what it says.

import { messageOf } from '../../core/index.js';
import { Attachment } from '../../runtime/index.js';
import type { Store } from '../../store/index.js';
import { prepareExec } from '../exec.js';
import type { HealthProbe } from './health-file.js';
import type { HealthSettings } from './health-rules.js';

/** Of a check's output, so many bytes are kept. */
const MAX_OUTPUT = 4096;
/** The exit code of what took too long, or could not be begun. */
const NO_CODE = -1;

/** Runs the check once. What goes wrong with it is a result. */
export async function probe(store: Store, id: string, settings: HealthSettings): Promise<HealthProbe> {
  const start = new Date();
  const { code, output } = await run(store, id, settings).catch((error: unknown) => ({
    code: NO_CODE,
    output: messageOf(error),
  }));
  return { Start: start.toISOString(), End: new Date().toISOString(), ExitCode: code, Output: output };
}

async function run(store: Store, id: string, settings: HealthSettings): Promise<{ code: number; output: string }> {
  const { command, timeout } = settings;
  const exec = await prepareExec(store, id, { command, terminal: false, stdin: false, detached: false });
  const attachment = Attachment.open(exec.attachSocket);
  try {
    let output = Buffer.alloc(0);
    const collect = (bytes: Uint8Array): Promise<void> => {
      output = Buffer.concat([output, bytes.subarray(0, MAX_OUTPUT - output.length)]);
      return Promise.resolve();
    };
    const relayed = attachment.relay({ stdout: collect, stderr: collect });
    relayed.catch(() => undefined);
    await exec.start();
    const late = AbortSignal.timeout(timeout);
    late.addEventListener('abort', () => void exec.signal('SIGKILL'), { once: true });
    const code = await exec.wait();
    if (late.aborted) return { code: NO_CODE, output: `Health check exceeded timeout (${String(timeout / 1000)}s)` };
    await relayed;
    return { code, output: output.toString('utf8') };
  } finally {
    attachment.close();
  }
}
