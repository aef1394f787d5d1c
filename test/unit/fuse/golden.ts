// Whole messages as annotated hex: test/golden/wire/*.hex. `[request]` and `[reply]` start a message, `;` a comment.

import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';

const DIRECTORY = path.resolve(import.meta.dirname, '../../golden/wire');

export interface Golden {
  readonly name: string;
  readonly request: Buffer;
  /** Undefined where the kernel expects none. */
  readonly reply: Buffer | undefined;
}

function parse(name: string, text: string): Golden {
  const sections = new Map<string, string>();
  let section = '';
  for (const line of text.split('\n')) {
    const content = line.replace(/;.*/, '').trim();
    const title = /^\[(\w+)\]$/.exec(content)?.[1];
    if (title !== undefined) section = title;
    else if (!/^([0-9a-f]{2}( |$))*$/.test(content)) throw new Error(`${name}: no hex: '${line}'`);
    else sections.set(section, `${sections.get(section) ?? ''}${content.replaceAll(' ', '')}`);
  }
  const reply = sections.get('reply');
  return {
    name,
    request: Buffer.from(sections.get('request') ?? '', 'hex'),
    reply: reply === undefined ? undefined : Buffer.from(reply, 'hex'),
  };
}

/** All of them, by file name. Notifications are replies to no request. */
export const goldens: ReadonlyMap<string, Golden> = new Map(
  readdirSync(DIRECTORY)
    .filter((file) => file.endsWith('.hex'))
    .map((file) => {
      const name = file.slice(0, -'.hex'.length);
      return [name, parse(name, readFileSync(path.join(DIRECTORY, file), 'utf8'))];
    }),
);

/** Those that have a request. */
export const requests: readonly Golden[] = [...goldens.values()].filter(({ request }) => request.length > 0);

export function golden(name: string): Golden {
  const found = goldens.get(name);
  if (found === undefined) throw new Error(`no golden message '${name}'`);
  return found;
}

/** Hex with 8 bytes a line, as the files have it: differences are readable. */
export function hex(bytes: Buffer): string {
  return (bytes.toString('hex').match(/.{1,16}/g) ?? []).join('\n');
}
