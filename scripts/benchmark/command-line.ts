// The arguments of scripts/bench.

import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { BACKENDS, backendOf } from './backends.js';
import type { Backend } from './backends.js';
import { Unavailable } from './failure.js';
import { GROUPS } from './workload.js';
import type { Workload } from './workload.js';
import { WORKLOADS } from './workloads/index.js';

/** Its message is one line, whatever the arguments have in them. */
export class UsageError extends Error {
  override readonly name = 'UsageError';

  constructor(message: string) {
    super(message.replace(/\s*[\r\n]\s*/g, ' '));
  }
}

export interface Settings {
  readonly action: 'run' | 'list' | 'needs';
  readonly workloads: readonly Workload[];
  readonly backends: readonly Backend[];
  readonly rounds: number;
  readonly quick: boolean;
  /** An empty directory, made and removed by the caller. */
  readonly scratch: string;
  readonly debianTar: string | undefined;
  /** JSON on standard output in place of the table. */
  readonly format: 'table' | 'json';
  readonly jsonFile: string | undefined;
  readonly plotFile: string | undefined;
}

const OPTIONS = {
  list: { type: 'boolean' },
  needs: { type: 'boolean' },
  backends: { type: 'string' },
  rounds: { type: 'string' },
  quick: { type: 'boolean' },
  scratch: { type: 'string' },
  'debian-tar': { type: 'string' },
  format: { type: 'string' },
  json: { type: 'string' },
  plot: { type: 'string' },
} as const;

function workloadsOf(names: readonly string[]): Workload[] {
  if (names.length === 0) return [...WORKLOADS];
  const isGroup = (name: string): boolean => GROUPS.some((group) => group === name);
  const unknown = names.find((name) => !isGroup(name) && !WORKLOADS.some((workload) => workload.name === name));
  if (unknown !== undefined) throw new UsageError(`unknown workload '${unknown}' (see --list)`);
  return WORKLOADS.filter(({ name, group }) => names.includes(name) || names.includes(group));
}

function backendsOf(list: string | undefined): Backend[] {
  if (list === undefined) return [...BACKENDS];
  return [...new Set(list.split(','))].map((name) => {
    const backend = found(name);
    if (backend === undefined) throw new UsageError(`unknown backend '${name}' (see --list)`);
    return backend;
  });
}

function found(name: string): Backend | undefined {
  try {
    return backendOf(name);
  } catch (error) {
    if (error instanceof Unavailable) throw new UsageError(`backend '${name}': ${error.message}`);
    throw error;
  }
}

function roundsOf(text: string | undefined, quick: boolean): number {
  const rounds = Number(text ?? (quick ? 1 : 5));
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new UsageError(`--rounds: '${text ?? ''}' is not a number from 1 up`);
  return rounds;
}

function formatOf(text: string | undefined): 'table' | 'json' {
  if (text === undefined || text === 'table') return 'table';
  if (text === 'json') return text;
  throw new UsageError(`--format: '${text}' is neither table nor json`);
}

/** A run may take hours: that its report has nowhere to go is to be known before. */
function reportFile(option: string, file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  const isDirectory = (name: string): boolean => existsSync(name) && statSync(name).isDirectory();
  if (file === '' || isDirectory(file)) throw new UsageError(`${option}: '${file}' is not a file's name`);
  const parent = path.dirname(file);
  if (!isDirectory(parent)) throw new UsageError(`${option}: '${parent}' is not a directory`);
  return file;
}

/** Throws UsageError. */
export function parseCommandLine(args: readonly string[]): Settings {
  const { values, positionals } = parsed(args);
  const quick = values.quick === true;
  return {
    action: values.list === true ? 'list' : values.needs === true ? 'needs' : 'run',
    workloads: workloadsOf(positionals),
    backends: backendsOf(values.backends),
    rounds: roundsOf(values.rounds, quick),
    quick,
    scratch: values.scratch ?? '',
    debianTar: values['debian-tar'],
    format: formatOf(values.format),
    jsonFile: reportFile('--json', values.json),
    plotFile: reportFile('--plot', values.plot),
  };
}

function parsed(args: readonly string[]): ReturnType<typeof parse> {
  try {
    return parse(args);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

const parse = (args: readonly string[]) => parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
