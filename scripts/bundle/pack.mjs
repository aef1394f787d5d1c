// A program in one file: each module of the bundle a function of what CommonJS gives to modules, and a small file that starts it.

import { createHash } from 'node:crypto';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const LOADER = readFileSync(path.join(import.meta.dirname, 'loader.cjs'), 'utf8');

/** One byte for each character, so that a module is found by its offset and needs no decoding; in comments it says the same. */
const ascii = (text) =>
  text.replace(/[\u0080-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);

const HEAD = '(function (exports, require, module, __filename, __dirname) {\n';
const TAIL = '\n})';

/** Writes `NAME.cjs` and `NAME-modules.cjs`. `modules`: [file name, code] of each. */
export function pack({ dir, name, modules, firstLines = '' }) {
  const sources = modules.map(([file, code]) => [`./${file}`, `${HEAD}${ascii(code.replace(/^#!.*/, ''))}${TAIL}`]);
  const build = createHash('sha256').update(JSON.stringify(sources)).digest('hex').slice(0, 16);
  // The table comes first in the file, and its length shifts what it says: offsets of a fixed width.
  const table = (start) => {
    let offset = start;
    let line = 1;
    return Object.fromEntries(
      sources.map(([id, text], index) => {
        const place = [index, offset, text.length, line];
        offset += text.length + 2;
        line += text.split('\n').length;
        return [id, place];
      }),
    );
  };
  const describe = (start) => `// ${JSON.stringify({ build, modules: table(start) })}`;
  let start = 0;
  while (describe(start).length + 1 !== start) start = describe(start).length + 1;
  const body = sources.map(([, text]) => `${text};\n`).join('');
  writeFileSync(path.join(dir, `${name}-modules.cjs`), `${describe(start)}\n${body}`, 'latin1');
  const loader = LOADER.replaceAll('__NAME__', name)
    .replace('__BUILD__', build)
    .replace('__MODULES__', JSON.stringify(table(start)));
  const file = path.join(dir, `${name}.cjs`);
  writeFileSync(file, `${firstLines}${loader}`);
  if (firstLines !== '') chmodSync(file, 0o755);
}
