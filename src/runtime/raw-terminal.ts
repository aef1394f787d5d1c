// Our own terminal, while it belongs to a container: bytes go through as they are.

import { terminalSize, terminalState, rawState, setTerminal } from '../sys/index.js';
import type { TerminalSize } from './control.js';
import { requestingSignals } from './proxy-signals.js';

/**
 * Makes the terminal of an fd raw until it is disposed of, or the process ends in whatever way but SIGKILL: a signal that ends it puts
 * the terminal right first, one that stops it does so for as long. Undefined where the fd is no terminal.
 */
export function rawTerminal(fd: number): Disposable | undefined {
  const before = terminalState(fd);
  if (typeof before === 'number') return undefined;
  const raw = rawState(before);
  const restore = (): void => {
    setTerminal(fd, before);
  };
  const onStop = (): void => {
    restore();
    process.kill(process.pid, 'SIGSTOP');
  };
  // The shell has put its own state in place.
  const onContinue = (): void => {
    setTerminal(fd, raw);
  };
  // Unless somebody else deals with it, it ends the process without a further event.
  const onRequest = (signal: NodeJS.Signals): void => {
    if (process.listenerCount(signal) > 1) return;
    restore();
    process.off(signal, onRequest);
    process.kill(process.pid, signal);
  };
  const requests = requestingSignals();
  for (const name of requests) process.on(name, onRequest);
  process.on('exit', restore).on('SIGTSTP', onStop).on('SIGCONT', onContinue);
  setTerminal(fd, raw);
  return {
    [Symbol.dispose]: () => {
      restore();
      for (const name of requests) process.off(name, onRequest);
      process.off('exit', restore).off('SIGTSTP', onStop).off('SIGCONT', onContinue);
    },
  };
}

/** Tells the size of the terminal that one of the fds is, now and whenever it changes, until disposed of. */
export function watchTerminalSize(fds: readonly number[], onSize: (size: TerminalSize) => void): Disposable {
  const tell = (): void => {
    for (const fd of fds) {
      const size = terminalSize(fd);
      // One nobody has given a size has none to pass on.
      if (size === undefined || size.rows === 0 || size.columns === 0) continue;
      onSize(size);
      return;
    }
  };
  tell();
  process.on('SIGWINCH', tell).on('SIGCONT', tell);
  return {
    [Symbol.dispose]: () => {
      process.off('SIGWINCH', tell).off('SIGCONT', tell);
    },
  };
}
