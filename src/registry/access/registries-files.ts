// Which registries.conf files count, and what they say together: containers-registries.conf.d(5).

import { readdirSync } from 'node:fs';
import path from 'node:path';
import { hasCode, VeneerError } from '../../core/index.js';
import { parseRegistriesConf } from './registries-conf.js';
import type { RegistryTable } from './registries-conf.js';
import { readSmallFile } from './small-file.js';

export interface ConfigPlaces {
  readonly env: NodeJS.ProcessEnv;
  readonly home: string;
  /** Where the machine's configuration is; `/etc` by default. */
  readonly etc?: string | undefined;
}

/** A variable that is set to something. */
export function setting(env: NodeJS.ProcessEnv, name: string): string | undefined {
  return env[name] === '' ? undefined : env[name];
}

/** `$XDG_CONFIG_HOME/containers`. */
export function userContainers({ env, home }: ConfigPlaces): string {
  return path.join(setting(env, 'XDG_CONFIG_HOME') ?? path.join(home, '.config'), 'containers');
}

/** The `*.conf` files of a directory, in the order of their names. */
function dropIns(dir: string): string[] {
  try {
    const names = readdirSync(dir).filter((name) => name.endsWith('.conf'));
    return names.sort().map((name) => path.join(dir, name));
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR') || hasCode(error, 'EACCES')) return [];
    throw error;
  }
}

/** The paths in the order in which they overwrite each other, with the first one's text. */
function filesOf(places: ConfigPlaces): { main: string; text: string | undefined; others: string[] } {
  const system = path.join(places.etc ?? '/etc', 'containers');
  const user = userContainers(places);
  const named = setting(places.env, 'CONTAINERS_REGISTRIES_CONF');
  const main = named ?? path.join(user, 'registries.conf');
  const text = readSmallFile(main);
  if (named !== undefined && text === undefined)
    throw new VeneerError('not-found', `CONTAINERS_REGISTRIES_CONF: there is no file '${named}'`);
  const ofUser = dropIns(path.join(user, 'registries.conf.d'));
  // A user's file stands for the machine's with all that belongs to it.
  if (named === undefined && text !== undefined) return { main, text, others: ofUser };
  const others = [...dropIns(path.join(system, 'registries.conf.d')), ...ofUser];
  if (named !== undefined) return { main, text, others };
  const fallback = path.join(system, 'registries.conf');
  return { main: fallback, text: readSmallFile(fallback), others };
}

/** What all files say together: of two tables for one prefix the later one counts, as a whole. */
export function loadRegistriesConf(places: ConfigPlaces): RegistryTable[] {
  const { main, text, others } = filesOf(places);
  const tables = new Map<string, RegistryTable>();
  const add = (content: string | undefined, file: string): void => {
    for (const table of content === undefined ? [] : parseRegistriesConf(content, file))
      tables.set(table.prefix, table);
  };
  add(text, main);
  for (const file of others) add(readSmallFile(file), file);
  return [...tables.values()];
}
