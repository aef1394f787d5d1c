// containers-registries.conf(5), version 2: what one file says.

import { parse, TomlError } from 'smol-toml';
import { VeneerError } from '../../core/index.js';
import { FieldReader } from './fields.js';

const PULL_FROM = ['all', 'digest-only', 'tag-only'] as const;
export type PullFrom = (typeof PULL_FROM)[number];

export interface MirrorTable {
  /** HOST[:PORT][/PATH]. */
  readonly location: string;
  /** Undefined where the file does not say. */
  readonly insecure: boolean | undefined;
  readonly pullFrom: PullFrom;
}

export interface RegistryTable {
  /** HOST[:PORT][/PATH[:TAG|@DIGEST]] or `*.HOST`. */
  readonly prefix: string;
  /** Undefined where names stay as they are, under a wildcard. */
  readonly location: string | undefined;
  readonly insecure: boolean | undefined;
  readonly blocked: boolean;
  readonly mirrors: readonly MirrorTable[];
  /** Where it stands. */
  readonly file: string;
}

const WILDCARD = /^\*\.[^/:*@\s]+$/;
const PLACE = /^(?:[\w.-]+|\[[0-9a-fA-F:.]+\])(?::[0-9]+)?(?:\/[\w./@:-]+)?$/;

function parseToml(text: string, file: string): unknown {
  try {
    return parse(text.replace(/^\ufeff/, ''));
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [first = ''] = error.message.replace(/^Invalid TOML document: /, '').split('\n');
    throw new VeneerError('invalid', `malformed '${file}', line ${String(error.line)}: ${first}`);
  }
}

/** A place without the slash at its end; undefined where there is none. */
function placeOf(table: FieldReader, name: string): string | undefined {
  const place = table.text(name)?.replace(/\/+$/, '');
  if (place === undefined || place === '') return undefined;
  if (/^https?:\/\//.test(place)) throw table.malformed(`'${name}' has a scheme: write HOST[:PORT][/PATH]`);
  if (name === 'prefix' && WILDCARD.test(place)) return place;
  if (PLACE.test(place)) return place;
  throw table.malformed(`'${name}' is not HOST[:PORT][/PATH]${name === 'prefix' ? ' or *.HOST' : ''}`);
}

function readMirror(value: unknown, where: string, digestOnly: boolean): MirrorTable {
  const table = new FieldReader(value, `mirror in ${where}`);
  const location = placeOf(table, 'location');
  if (location === undefined) throw table.malformed("'location' is missing");
  const word = table.text('pull-from-mirror') ?? '';
  const pullFrom = word === '' ? 'all' : PULL_FROM.find((it) => it === word);
  if (pullFrom === undefined) throw table.malformed(`'pull-from-mirror' is none of ${PULL_FROM.join(', ')}`);
  if (digestOnly && word !== '') throw table.malformed("'pull-from-mirror' contradicts 'mirror-by-digest-only'");
  return { location, insecure: table.flag('insecure'), pullFrom: digestOnly ? 'digest-only' : pullFrom };
}

function readRegistry(value: unknown, file: string): RegistryTable {
  const where = `[[registry]] in '${file}'`;
  const table = new FieldReader(value, where);
  const location = placeOf(table, 'location');
  const prefix = placeOf(table, 'prefix') ?? location;
  if (prefix === undefined) throw table.malformed("it has neither 'prefix' nor 'location'");
  if (location === undefined && !prefix.startsWith('*.')) throw table.malformed("'location' is missing");
  const digestOnly = table.flag('mirror-by-digest-only') ?? false;
  return {
    prefix,
    location,
    insecure: table.flag('insecure'),
    blocked: table.flag('blocked') ?? false,
    mirrors: table
      .list('mirror')
      .map((mirror) => readMirror(mirror, `[[registry]] '${prefix}' in '${file}'`, digestOnly)),
    file,
  };
}

/** Throws `invalid`, naming the file; and `unsupported` for version 1 of the format. */
export function parseRegistriesConf(text: string, file: string): RegistryTable[] {
  const root = new FieldReader(parseToml(text, file), `'${file}'`);
  if (root.has('registries')) {
    throw new VeneerError(
      'unsupported',
      `'${file}' has version 1 of its format: [registries.search], [registries.insecure]`,
      {
        hint: 'write [[registry]] tables: see containers-registries.conf(5)',
      },
    );
  }
  const registries = root.list('registry').map((table) => readRegistry(table, file));
  const seen = new Map<string, RegistryTable>();
  for (const table of registries) {
    const other = seen.get(table.prefix) ?? table;
    if (other.blocked !== table.blocked || (other.insecure ?? false) !== (table.insecure ?? false))
      throw root.malformed(`two [[registry]] tables contradict each other on '${table.prefix}'`);
    seen.set(table.prefix, table);
  }
  return [...seen.values()];
}
