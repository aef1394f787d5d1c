// The server process of a mount. Its options come as JSON on standard input; one line of JSON on standard output says
// that the mount answers, or why not. Then it lets go of its standard streams, on whose end others may wait, and
// serves until un-mounted. The mount point is also an argument, so that a list of processes tells them apart.

import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import type { OverlayOptions } from './options.js';
import { describeFailure } from './serve-worker.js';
import type { Failure } from './serve-worker.js';
import { supervise } from './supervise.js';

/** What the starting process sends. */
export interface ServerRequest {
  readonly options: OverlayOptions;
  readonly logFile: string | undefined;
  readonly logLevel: string;
}

/** What it gets back. */
export type ServerAnswer = { readonly ready: true } | { readonly failure: Failure };

let answered = false;

function answer(line: ServerAnswer): void {
  if (answered) return;
  answered = true;
  writeSync(1, `${JSON.stringify(line)}\n`);
  for (const fd of [0, 1, 2]) closeSync(fd);
  // The lowest numbers are taken at once, so that no layer's fd becomes a standard stream.
  for (const flags of ['r', 'w', 'w']) openSync('/dev/null', flags);
}

const request = JSON.parse(readFileSync(0, 'utf8')) as ServerRequest;

supervise(request.options, {
  logFile: request.logFile ?? '/dev/null',
  logLevel: request.logLevel,
  onReady: () => {
    answer({ ready: true });
  },
}).catch((error: unknown) => {
  answer({ failure: describeFailure(error) });
  process.exitCode = 1;
});
