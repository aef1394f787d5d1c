// The changes of `diff` as docker prints them, as JSON, and as a patch.

import type { ByteString } from '../core/index.js';
import type { Change, DetailedChange, FileFacts, PatchLine } from '../layer/index.js';
import { coloured, shownBytes, textBytes } from './byte-output.js';
import type { Colour } from './byte-output.js';
import { toJson } from './output.js';

/** docker's letters. */
export const LETTERS = { added: 'A', modified: 'C', deleted: 'D' } as const;

export const KIND_COLOURS = { added: 'green', modified: 'yellow', deleted: 'red' } as const;

export function absolute(path: ByteString): ByteString {
  return path.startsWith('/') ? path : `/${path}`;
}

/** `C /etc/hosts`. */
export function changeLine({ kind, path }: Change): ByteString {
  return `${coloured(`${LETTERS[kind]} ${shownBytes(absolute(path))}`, KIND_COLOURS[kind])}\n`;
}

export function jsonLine(object: object): ByteString {
  return textBytes(`${toJson(object)}\n`);
}

/** A path in JSON, which has no bytes: where it is not UTF-8, they are beside it in base64. */
export function jsonPath(path: ByteString): { Path: string; PathBytes?: string } {
  const bytes = Buffer.from(absolute(path), 'latin1');
  const text = bytes.toString('utf8');
  return Buffer.from(text, 'utf8').equals(bytes) ? { Path: text } : { Path: text, PathBytes: bytes.toString('base64') };
}

export function jsonChange({ kind, path }: Change): object {
  return { Kind: LETTERS[kind], ...jsonPath(path) };
}

export function jsonDetails(change: DetailedChange): object {
  const { before, now } = change;
  return {
    ...jsonChange(change),
    ...(before === undefined ? {} : { Old: jsonFacts(before) }),
    ...(now === undefined ? {} : { New: jsonFacts(now) }),
  };
}

function jsonFacts({ type, size, mode, uid, gid, mtime }: FileFacts): object {
  const seconds = new Date(mtime.sec * 1000).toISOString().replace(/\.\d+Z$/, '');
  return {
    Type: type,
    Size: size,
    Mode: mode.toString(8).padStart(4, '0'),
    Uid: uid,
    Gid: gid,
    Modified: `${seconds}.${String(mtime.nsec).padStart(9, '0')}Z`,
  };
}

/** git's colours. */
const PATCH_COLOURS: Readonly<Record<PatchLine['kind'], Colour | undefined>> = {
  header: 'bold',
  hunk: 'cyan',
  added: 'green',
  removed: 'red',
  context: undefined,
  note: undefined,
};

export function patchText(lines: readonly PatchLine[]): ByteString {
  return lines.map(({ kind, text }) => `${coloured(shownBytes(text), PATCH_COLOURS[kind])}\n`).join('');
}
