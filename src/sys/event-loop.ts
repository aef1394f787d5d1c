// Node's event loop, seen from outside: for a thread that sleeps in poll(2) and has to notice what the loop has to do.

import { performance } from 'node:perf_hooks';
import { bindOwn } from './libc.js';

/**
 * An fd that is readable when the main thread's event loop has something to do (uv_backend_fd), timers excepted. What
 * JavaScript asks to be watched counts from the loop's next turn on.
 */
export function eventLoopFd(): number {
  const loop = bindOwn('void *uv_default_loop()')();
  return Number(bindOwn('int uv_backend_fd(void *)')(loop));
}

/** How many events of fds the main thread's event loop has handled so far (uv_metrics_info). */
export function eventsHandled(): number {
  return performance.nodeTiming.uvMetricsInfo.events;
}
