// --mount and --tmpfs, as docker reads them (docker/cli, opts/mount.go).

import path from 'node:path';
import { VeneerError } from '../core/index.js';
import type { HostConfig, MountRequest } from '../runtime/index.js';
import { parseByteSize } from './arguments.js';

/** In place of the options that docker's local driver has. */
export const OTHER_FILES =
  'mount what you want on a directory of the host, and give that: -v DIRECTORY:PATH; memory is --tmpfs PATH';

const HINT = 'write type=bind|volume|tmpfs,source=SOURCE,target=PATH[,readonly]';

function wrong(text: string, why: string): VeneerError {
  return new VeneerError('usage', `--mount '${text}': ${why}`, { hint: HINT });
}

/** Fields of a line of CSV: quotes keep commas. */
function fieldsOf(text: string): string[] {
  return [...text.matchAll(/(?:^|,)((?:"(?:[^"]|"")*"|[^,"])*)/g)].map(([, field = '']) =>
    field.replace(/"((?:[^"]|"")*)"/g, (_quoted, inner: string) => inner.replaceAll('""', '"')),
  );
}

function flag(text: string, name: string, value: string | undefined): boolean {
  if (value === undefined || /^(?:1|t|true)$/i.test(value)) return true;
  if (/^(?:0|f|false)$/i.test(value)) return false;
  throw wrong(text, `${name} is true or false`);
}

interface Fields {
  type: string;
  source: string;
  target: string;
  readOnly: boolean;
  bind: Record<string, string | boolean>;
  volume: Record<string, string | boolean | Record<string, string>>;
  tmpfs: Record<string, number>;
}

type Reader = (fields: Fields, value: string | undefined, text: string) => void;

const PROPAGATIONS = ['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave'];

/** What is mounted below the source: there, and read-only with it where the kernel can; writable; read-only or nothing; not there. */
const RECURSION: Readonly<Record<string, object>> = {
  enabled: {},
  disabled: { NonRecursive: true },
  writable: { ReadOnlyNonRecursive: true },
  readonly: { ReadOnlyForceRecursive: true },
};

const READERS: Readonly<Record<string, Reader>> = {
  type: (fields, value = '') => {
    fields.type = value.toLowerCase();
  },
  source: (fields, value = '') => {
    fields.source = /^\.\.?(?:\/|$)/.test(value) ? path.resolve(value) : value;
  },
  target: (fields, value = '') => {
    fields.target = value;
  },
  readonly: (fields, value, text) => {
    fields.readOnly = flag(text, 'readonly', value);
  },
  'bind-propagation': (fields, value = '', text) => {
    if (!PROPAGATIONS.includes(value)) throw wrong(text, `bind-propagation is one of ${PROPAGATIONS.join(', ')}`);
    fields.bind['Propagation'] = value;
  },
  'bind-nonrecursive': (fields, value, text) => {
    fields.bind['NonRecursive'] = flag(text, 'bind-nonrecursive', value);
  },
  'bind-recursive': (fields, value = '', text) => {
    const how = RECURSION[value];
    if (how === undefined) throw wrong(text, `bind-recursive is one of ${Object.keys(RECURSION).join(', ')}`);
    Object.assign(fields.bind, how);
  },
  'bind-create-src': (fields, value, text) => {
    fields.bind['CreateMountpoint'] = flag(text, 'bind-create-src', value);
  },
  'volume-nocopy': (fields, value, text) => {
    fields.volume['NoCopy'] = flag(text, 'volume-nocopy', value);
  },
  'volume-label': (fields, value = '') => {
    const [name = '', ...rest] = value.split('=');
    fields.volume['Labels'] = { ...(fields.volume['Labels'] as object), [name]: rest.join('=') };
  },
  'volume-driver': (_fields, value = '', text) => {
    if (value !== 'local' && value !== '') throw wrong(text, `there is no volume driver '${value}'; there is local`);
  },
  'volume-opt': (_fields, value = '', text) => {
    throw new VeneerError('usage', `--mount '${text}': volume-opt=${value}: the driver 'local' takes no options`, {
      hint: OTHER_FILES,
    });
  },
  'tmpfs-size': (fields, value = '') => {
    fields.tmpfs['SizeBytes'] = parseByteSize('--mount tmpfs-size', value);
  },
  'tmpfs-mode': (fields, value = '', text) => {
    if (!/^[0-7]{1,5}$/.test(value)) throw wrong(text, `tmpfs-mode is an octal number`);
    fields.tmpfs['Mode'] = parseInt(value, 8);
  },
};

const ALIASES: Readonly<Record<string, string>> = {
  src: 'source',
  destination: 'target',
  dst: 'target',
  ro: 'readonly',
};

/** Throws `usage`. */
export function parseMount(text: string): MountRequest {
  const fields: Fields = { type: 'volume', source: '', target: '', readOnly: false, bind: {}, volume: {}, tmpfs: {} };
  for (const field of fieldsOf(text)) {
    const equals = field.indexOf('=');
    const name = (equals < 0 ? field : field.slice(0, equals)).trim().toLowerCase();
    const read = READERS[ALIASES[name] ?? name];
    if (read === undefined) throw wrong(text, `'${name}' is not a field of it`);
    read(fields, equals < 0 ? undefined : field.slice(equals + 1), text);
  }
  const { type, source, target } = fields;
  if (type !== 'bind' && type !== 'volume' && type !== 'tmpfs') throw wrong(text, `'${type}' is not a type`);
  if (target === '') throw wrong(text, 'the target is missing');
  if (type === 'bind' && source === '') throw wrong(text, 'the source is missing');
  if (!fields.readOnly && ('ReadOnlyNonRecursive' in fields.bind || 'ReadOnlyForceRecursive' in fields.bind)) {
    throw wrong(text, 'bind-recursive=writable and bind-recursive=readonly take readonly');
  }
  if (type === 'tmpfs' && source !== '') throw wrong(text, 'a tmpfs has no source');
  for (const [kind, options] of Object.entries({ bind: fields.bind, volume: fields.volume, tmpfs: fields.tmpfs })) {
    const [name] = Object.keys(options);
    if (kind !== type && name !== undefined) throw wrong(text, `${name} is not for the type ${type}`);
  }
  return {
    Type: type,
    Source: source,
    Target: target,
    ...(fields.readOnly ? { ReadOnly: true } : {}),
    ...(Object.keys(fields.bind).length === 0 ? {} : { BindOptions: fields.bind }),
    ...(Object.keys(fields.volume).length === 0 ? {} : { VolumeOptions: fields.volume }),
    ...(Object.keys(fields.tmpfs).length === 0 ? {} : { TmpfsOptions: fields.tmpfs }),
  };
}

/** `PATH[:OPTIONS]`. */
export function parseTmpfs(words: readonly string[]): HostConfig['Tmpfs'] {
  return Object.fromEntries(
    words.map((word) => {
      const colon = word.indexOf(':');
      return colon < 0 ? [word, ''] : [word.slice(0, colon), word.slice(colon + 1)];
    }),
  );
}
