// Variables and labels from options and files, as docker reads them (docker/cli, opts/file.go).

import { readFileSync } from 'node:fs';
import { VeneerError, messageOf } from '../core/index.js';
import { parseLabels } from './arguments.js';

/** The lines of a file that say something. Throws `usage`. */
function linesOf(option: string, file: string): string[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    // Node's words: `ENOENT: no such file or directory, open 'env'`.
    const reason = messageOf(cause).replace(/^[A-Z]+: ([^,]+).*$/s, '$1');
    throw new VeneerError('usage', `${option} '${file}': ${reason}`, { cause });
  }
  return text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .map((line) => line.trimStart())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

/** A name alone takes the value that this process has; where it has none, the container gets none either. */
function withValue(entry: string): string {
  const value = entry.includes('=') ? undefined : process.env[entry];
  return value === undefined ? entry : `${entry}=${value}`;
}

export interface EnvOptions {
  readonly env?: readonly string[];
  readonly envFile?: readonly string[];
}

/** The variables of --env-file and --env: the latter win. Throws `usage`. */
export function readEnv({ env = [], envFile = [] }: EnvOptions): string[] {
  const entries = [...envFile.flatMap((file) => linesOf('--env-file', file)), ...env];
  for (const entry of entries) {
    const name = entry.replace(/=[^]*$/, '');
    if (name === '' || /\s/.test(name)) {
      throw new VeneerError('usage', `'${entry}' is not an environment variable`, { hint: 'write NAME=VALUE' });
    }
  }
  return entries.map(withValue);
}

export interface LabelOptions {
  readonly label?: readonly string[];
  readonly labelFile?: readonly string[];
}

export function readLabels({ label = [], labelFile = [] }: LabelOptions): Record<string, string> {
  return parseLabels([...labelFile.flatMap((file) => linesOf('--label-file', file)), ...label]);
}
