// Unpacks, assembles and packs one large layer, and tells how long that took and how much memory. Arguments: the built library's
// layer room, a directory for it, bytes of one file of zeros, a number of small files.

import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const [door, base, bytes, files] = process.argv.slice(2);
const { applyLayer, assembleTar, writeLayer } = await import(door);

/** A ustar header; enough of one for what is made here. */
function header(name, { size = 0, typeflag = '0' } = {}) {
  const block = Buffer.alloc(512);
  block.write(name, 'latin1');
  for (const [value, offset, length] of [
    [0o644, 100, 8],
    [0, 108, 8],
    [0, 116, 8],
    [1_700_000_000, 136, 12],
  ]) {
    block.write(value.toString(8).padStart(length - 1, '0'), offset, 'latin1');
  }
  if (size < 8 ** 11) block.write(size.toString(8).padStart(11, '0'), 124, 'latin1');
  else {
    block[124] = 0x80;
    block.writeBigUInt64BE(BigInt(size), 128);
  }
  block.write(`        ${typeflag}`, 148, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

const ZEROS = Buffer.alloc(1 << 20);
const CONTENT = Buffer.alloc(512, 'content\n');

async function* archive(size, count) {
  if (size > 0) {
    yield header('zeros', { size });
    const padded = size + (-size & 511);
    for (let at = 0; at < padded; at += ZEROS.length) yield ZEROS.subarray(0, Math.min(ZEROS.length, padded - at));
  }
  let blocks = [];
  for (let index = 0; index < count; index += 1) {
    const directory = `d${String(Math.floor(index / 1000))}`;
    if (index % 1000 === 0) blocks.push(header(`${directory}/`, { typeflag: '5' }));
    blocks.push(header(`${directory}/f${String(index)}`, { size: 8 }), CONTENT);
    if (blocks.length < 1000) continue;
    yield Buffer.concat(blocks);
    blocks = [];
  }
  yield Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

/** Of the process so far, in bytes. */
const peak = () => Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'latin1'))[1]) * 1024;

const diff = path.join(base, 'diff');
mkdirSync(diff);
const record = { skeleton: path.join(base, 'skeleton'), replaced: path.join(base, 'replaced') };
const report = { start: peak() };
async function timed(name, work) {
  const start = performance.now();
  const result = await work();
  report[name] = { ms: Math.round(performance.now() - start), peak: peak() };
  return result;
}
const applied = await timed('apply', () =>
  applyLayer({ source: archive(Number(bytes), Number(files)), target: diff, record }),
);
report.size = applied.uncompressedSize;
report.assembled = await timed('assemble', async () => {
  let length = 0;
  for await (const chunk of assembleTar({ ...record, directories: [diff], diffId: applied.diffId }))
    length += chunk.length;
  return length;
});
report.written = (await timed('write', () => writeLayer({ upper: [diff], lower: [] }))).contentSize;
report.content = applied.contentSize;
console.log(JSON.stringify(report));
