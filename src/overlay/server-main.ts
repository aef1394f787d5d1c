// The server process of a mount. Its options come as JSON on standard input; one line of JSON on standard output says
// that the mount answers, or why not. Then it lets go of its standard streams, on whose end others may wait, and
// serves until un-mounted. The mount point is also an argument, so that a list of processes tells them apart.

import { closeSync, openSync, readFile, readdirSync, writeSync } from 'node:fs';
import { promisify } from 'node:util';
import { exitAtOnce, isCloseOnExec } from '../sys/index.js';
import { LogFile, defaultLogFile } from './log-file.js';
import type { OverlayOptions } from './options.js';
import { preload } from './preload.js';
import { describeFailure } from './server.js';
import type { Failure } from './server.js';
import { supervise } from './supervise.js';

/** What the starting process sends. */
export interface ServerRequest {
  /** Paths are those of the server's working directory. */
  readonly options: OverlayOptions;
  /** An absolute path, or undefined for one named after the mount point. */
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

/**
 * Closes what the starting process happened to have open (locks, pipes), which we would hold for the life of the
 * mount. Node opens its own files close-on-exec, so one without that mark was inherited.
 */
function closeInherited(): void {
  for (const entry of readdirSync('/proc/self/fd')) {
    const fd = Number(entry);
    if (fd > 2 && isCloseOnExec(fd) === 0) closeSync(fd);
  }
}

/** Where nobody has named a log, and it has nothing to say, none stays: mount points come and go. */
let tidyLog = (): void => undefined;

/** All of standard input. Where that takes a while, it is used. */
async function receive(): Promise<string> {
  const idle = setTimeout(() => void preload(), 1);
  try {
    return await promisify(readFile)(0, 'utf8');
  } finally {
    clearTimeout(idle);
  }
}

async function main(): Promise<void> {
  const [, , mountpoint = ''] = process.argv;
  const context = { env: process.env, uid: process.geteuid?.() ?? 0 };
  try {
    const request = await receive();
    // Whoever started it needs none after all.
    if (request === '') return;
    const { options, logLevel, logFile } = JSON.parse(request) as ServerRequest;
    const own = logFile === undefined ? defaultLogFile(mountpoint, context) : undefined;
    const log = new LogFile(logFile ?? own ?? '/dev/null');
    // Who asks for more than usual wants to read it.
    if (own !== undefined && logLevel === 'info') tidyLog = () => log.tidy();
    await supervise(options, {
      logFd: log.fd,
      logLevel,
      onReady: () => {
        // No directory is kept busy, nor its file system.
        process.chdir('/');
        answer({ ready: true });
      },
    });
  } catch (error) {
    answer({ failure: describeFailure(error) });
    process.exitCode = 1;
  }
}

closeInherited();
// Whoever un-mounted waits for this process: nothing that others left in the event loop is to hold it up.
void main().finally(() => {
  tidyLog();
  exitAtOnce(Number(process.exitCode ?? 0));
});
