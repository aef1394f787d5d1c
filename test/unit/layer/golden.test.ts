// The canonical form, byte for byte: layers written by different versions of the program must have equal digests.
// The golden file shows each 16 bytes that are not all zero; `VENEER_WRITE_GOLDEN=1` writes it anew.

import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { entry, pack } from './support.js';

const GOLDEN = path.resolve(import.meta.dirname, '../../golden/layer/canonical-tar.txt');

function dump(bytes: Buffer): string {
  const lines = [`${String(bytes.length)} bytes`];
  for (let at = 0; at < bytes.length; at += 16) {
    const row = bytes.subarray(at, at + 16);
    if (row.every((byte) => byte === 0)) continue;
    const text = row.toString('latin1').replace(/[^\x20-\x7e]/g, '.');
    lines.push(`${at.toString(16).padStart(5, '0')}  ${row.toString('hex').replace(/(..)/g, '$1 ')} ${text}`);
  }
  return `${lines.join('\n')}\n`;
}

it('writes the bytes of the golden file', async () => {
  const tar = await pack([
    entry('./', { type: 'directory', mode: 0o755, mtime: { sec: 0o12345670123, nsec: 0 } }),
    entry('etc/.wh.gone', { mode: 0, mtime: { sec: 0, nsec: 0 } }),
    { ...entry('etc/caf\xc3\xa9\xff', { mode: 0o4751, uid: 0o1234567, gid: 0o7654321 }), content: 'hello\n' },
    entry('etc/hard', { type: 'hardlink', linkTarget: 'etc/caf\xc3\xa9\xff' }),
    entry('etc/link', { type: 'symlink', mode: 0o777, linkTarget: '../usr' }),
    entry('dev/disk', { type: 'block', mode: 0o660, devMajor: 259, devMinor: 300 }),
    entry('dev/pipe', { type: 'fifo', mode: 0o600, mtime: { sec: -2, nsec: 750_000_000 } }),
    entry(`${'p'.repeat(120)}/${'n'.repeat(60)}`, { uid: 2_097_151, gid: 2_097_152 }),
    entry(`${'q'.repeat(160)}/n`, {
      type: 'symlink',
      linkTarget: 't'.repeat(101),
      xattrs: new Map([
        ['user.b=%', Buffer.from([0, 10, 255])],
        ['security.capability', Buffer.from('0100000200200000000000000000000000000000', 'hex')],
      ]),
    }),
  ]);
  const text = dump(tar);
  if (process.env['VENEER_WRITE_GOLDEN'] !== undefined) writeFileSync(GOLDEN, text);
  expect(text).toBe(readFileSync(GOLDEN, 'latin1'));
});
