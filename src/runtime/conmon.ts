// conmon: the parent of a container's first process. It keeps its streams, writes its log, waits for its end and tells its exit code.
// One of them per container; it outlives whoever started it.

import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { VeneerError } from '../core/index.js';
import { findProgram } from './find-program.js';

/** Where podman's packages put it. */
const OTHER_PLACES = ['/usr/libexec/podman', '/usr/lib/podman', '/usr/local/libexec/podman', '/usr/libexec/crio'];

/** The path of conmon. Throws `unavailable`. */
export function findConmon(): string {
  const path = findProgram('conmon', OTHER_PLACES);
  if (path !== undefined) return path;
  throw new VeneerError('unavailable', 'conmon, which watches running containers, is not installed', {
    hint: 'apt-get install conmon',
  });
}

/** What conmon says when the runtime has done its work. */
export interface ConmonAnswer {
  /** A process; negative where there is none. */
  readonly data: number;
  readonly message: string;
}

/** Variables that would reach the runtime and mean something else there: systemd's, and Node's of certificates. */
const NOT_INHERITED = [
  'NOTIFY_SOCKET',
  'LISTEN_FDS',
  'LISTEN_PID',
  'LISTEN_FDNAMES',
  'NODE_EXTRA_CA_CERTS',
  'NODE_OPTIONS',
];

export function programEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !NOT_INHERITED.includes(name)));
}

/** Starts conmon, which leaves for a session of its own, and resolves with its first answer. */
export async function startConmon(args: readonly string[], directory: string): Promise<ConmonAnswer> {
  const conmon = spawn(findConmon(), args, {
    cwd: directory,
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    env: { ...programEnvironment(), _OCI_SYNCPIPE: '3' },
  });
  const ended = new Promise<void>((resolve, reject) => {
    conmon.once('error', reject);
    conmon.once('exit', () => resolve());
  });
  const complaints = collect(conmon.stdio[2]);
  const answer = await firstLine(conmon.stdio[3] as Readable);
  await ended;
  if (answer !== undefined) return answer;
  const message = await complaints;
  return { data: -1, message: message === '' ? 'its monitor (conmon) was killed' : message };
}

async function collect(stream: Readable | null): Promise<string> {
  let text = '';
  for await (const chunk of stream ?? []) text += String(chunk);
  return text;
}

/** conmon keeps the pipe open: nobody waits for its end. */
async function firstLine(pipe: Readable): Promise<ConmonAnswer | undefined> {
  let text = '';
  for await (const chunk of pipe) {
    text += String(chunk);
    if (text.includes('\n')) break;
  }
  if (text === '') return undefined;
  const { data, pid, message = '' } = JSON.parse(text) as { data?: number; pid?: number; message?: string };
  return { data: data ?? pid ?? -1, message };
}
