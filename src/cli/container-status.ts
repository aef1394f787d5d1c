// What docker says of a container in the columns STATUS and COMMAND of `ps`.

import type { Container } from '../container/index.js';
import { ago, humanDuration } from './time.js';

const HEALTH = { starting: 'health: starting', healthy: 'healthy', unhealthy: 'unhealthy', unknown: 'health: unknown' };

/** One word: docker's, and `mounted` for what was never started and is mounted. */
export function stateWord({ run, state }: Pick<Container, 'run' | 'state'>): string {
  return run.status === 'created' && state === 'mounted' ? 'mounted' : run.status;
}

/** Whether `ps` lists it without -a. */
export function isUp({ run, state }: Pick<Container, 'run' | 'state'>): boolean {
  return state === 'mounted' || ['running', 'paused', 'restarting'].includes(run.status);
}

/** What is amiss with what runs, or what its health checks say. */
function asideText({ fileSystem, health }: Container['run']): string {
  if (typeof fileSystem === 'object') return ` (file system ${fileSystem.state})`;
  return health === undefined ? '' : ` (${HEALTH[health.status]})`;
}

/** `Up 3 minutes (healthy)`, `Exited (0) 2 hours ago`. */
export function statusText({ run, state }: Pick<Container, 'run' | 'state'>, now = new Date()): string {
  const code = `(${String(run.exitCode ?? 0)})`;
  const since = (date: Date | undefined): string => {
    return date === undefined ? '' : ` ${humanDuration((now.getTime() - date.getTime()) / 1000)}`;
  };
  switch (run.status) {
    case 'created':
      return state === 'mounted' ? 'Mounted' : 'Created';
    case 'running':
      return `Up${since(run.startedAt)}${asideText(run)}`;
    case 'paused':
      return `Up${since(run.startedAt)} (Paused)`;
    case 'restarting':
      return `Restarting ${code} ${ago(run.finishedAt, now)}`;
    case 'exited':
      return `Exited ${code}${run.finishedAt === undefined ? '' : ` ${ago(run.finishedAt, now)}`}${state === 'mounted' ? ' (Mounted)' : ''}`;
    case 'dead':
      return 'Dead';
  }
}

/** The program and its arguments; those with blanks in quotes (moby, daemon/list.go). */
export function commandText([program = '', ...args]: readonly string[]): string {
  const words = args.map((word) => (word.includes(' ') ? `'${word}'` : word));
  return [program, ...words].join(' ');
}
