// Signals that are meant for the command, whose terminal or script sends them to us.

import { readFileSync } from 'node:fs';
import { constants } from 'node:os';

/** All that can be caught, but those that tell us of ourselves, of our terminal and of our children, and those that Node and its faults use. */
const PROXIED = [
  'SIGHUP',
  'SIGINT',
  'SIGQUIT',
  'SIGTERM',
  'SIGUSR1',
  'SIGUSR2',
  'SIGALRM',
  'SIGVTALRM',
  'SIGIO',
  'SIGPWR',
  'SIGXCPU',
  'SIGXFSZ',
] as const satisfies readonly NodeJS.Signals[];

/** Those that we were started to ignore, as `nohup` and shells have it: they stay ignored. */
function ignoredSignals(): bigint {
  const [, mask = '0'] = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'latin1')) ?? [];
  return BigInt(`0x${mask}`);
}

/** Those of them that reach us. */
export function requestingSignals(): NodeJS.Signals[] {
  const ignored = ignoredSignals();
  return PROXIED.filter((name) => (ignored & (1n << BigInt(constants.signals[name] - 1))) === 0n);
}

/** Hands every signal that asks us for something to `send`, until disposed of. */
export function proxySignals(send: (signal: NodeJS.Signals) => void): Disposable {
  const handled = requestingSignals();
  for (const name of handled) process.on(name, send);
  return {
    [Symbol.dispose]: () => {
      for (const name of handled) process.off(name, send);
    },
  };
}
