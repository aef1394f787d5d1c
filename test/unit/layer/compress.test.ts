import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compress, compressToFile, decompress, detectCompression } from '../../../src/layer/index.js';
import type { LayerCompression } from '../../../src/layer/index.js';
import { digestOf, isFull } from '../../../src/core/index.js';
import { filterIntoFile } from '../../../src/layer/filter.js';
import { tempDir } from '../../helpers/tmp.js';
import { source } from './support.js';

async function joined(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

/** Text that compresses as layers do, not as zeros do. */
const text = Buffer.from(Array.from({ length: 200_000 }, (_, index) => `${(index * 2654435761) % 1e9}`).join(' '));

describe('compress', () => {
  describe.each<[LayerCompression, string[]]>([
    ['gzip', ['gzip', '-dc']],
    ['zstd', ['zstd', '-dcq']],
  ])('%s', (compression, program) => {
    it('is what the program of that name reads', async () => {
      const packed = await joined(compress(source(text), compression));
      expect(packed.length).toBeLessThan(text.length / 1.5);
      expect(execFileSync(program[0]!, program.slice(1), { input: packed, maxBuffer: 1 << 28 }).equals(text)).toBe(
        true,
      );
    });

    it('is what decompress reads', async () => {
      const packed = compress(source(text), compression);
      expect((await joined(decompress(packed))).equals(text)).toBe(true);
    });

    it('gives the same bytes for the same bytes, however they come', async () => {
      const sizes = [1000, 4096, 65_537, text.length];
      const packed = await Promise.all(sizes.map((size) => joined(compress(source(text, size), compression))));
      for (const other of packed) expect(other.equals(packed[0]!)).toBe(true);
    });

    it('compresses more at a higher level', async () => {
      const [low, high] = await Promise.all(
        [1, 9].map((level) => joined(compress(source(text), compression, { level }))),
      );
      expect(high!.length).toBeLessThan(low!.length);
    });

    it('compresses nothing', async () => {
      const packed = await joined(compress(source(Buffer.alloc(0)), compression));
      expect(detectCompression(packed)).toBe(compression);
      expect(await joined(decompress(source(packed)))).toHaveLength(0);
    });

    it('passes on what a source throws', async () => {
      const failing = (async function* () {
        yield await Promise.resolve(text);
        throw new Error('the source');
      })();
      await expect(joined(compress(failing, compression))).rejects.toThrow('the source');
    });

    it('ends when it is aborted', async () => {
      const endless = (async function* () {
        for (;;) yield await Promise.resolve(Buffer.from(text));
      })();
      const controller = new AbortController();
      const reading = joined(compress(endless, compression, { signal: controller.signal }));
      setTimeout(() => controller.abort(new Error('enough')), 50);
      await expect(reading).rejects.toThrow('enough');
    });
  });

  it.each<LayerCompression>(['none', 'gzip', 'zstd'])(
    'ends the wait for a source that has got stuck: %s',
    async (compression) => {
      const stuck = (async function* () {
        yield await Promise.resolve(text);
        await new Promise(() => undefined);
      })();
      const controller = new AbortController();
      const reading = joined(compress(stuck, compression, { signal: controller.signal }));
      setTimeout(() => controller.abort(new Error('enough')), 50);
      await expect(reading).rejects.toThrow('enough');
    },
  );

  it('passes bytes through', async () => {
    expect((await joined(compress(source(text), 'none'))).equals(text)).toBe(true);
  });

  it('writes gzip headers without a time, a name or a system', async () => {
    const packed = await joined(compress(source(text, 100), 'gzip'));
    expect(packed.subarray(0, 10).toString('hex')).toBe('1f8b08000000000000ff');
  });
});

describe('compressToFile', () => {
  /** What is in the file afterwards, whether or not it went well. */
  async function intoFile<T>(work: (fd: number) => Promise<T>): Promise<{ result: T | undefined; bytes: Buffer }> {
    using temp = tempDir('compress');
    const file = join(temp.path, 'file');
    const fd = openSync(file, 'w+');
    try {
      const result = await work(fd);
      return { result, bytes: readFileSync(file) };
    } finally {
      closeSync(fd);
    }
  }

  it.each<LayerCompression>(['none', 'gzip', 'zstd'])(
    '%s: what compress gives, with its digest',
    async (compression) => {
      const { result, bytes } = await intoFile((fd) => compressToFile(source(text, 70_000), compression, { fd }));
      expect(bytes.equals(await joined(compress(source(text), compression)))).toBe(true);
      expect(result).toEqual({ digest: digestOf(bytes), size: bytes.length });
    },
  );

  it.each<LayerCompression>(['gzip', 'zstd'])('%s: passes on what the source throws', async (compression) => {
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield* source(text, 70_000);
      throw new Error('no more');
    }
    await expect(intoFile((fd) => compressToFile(failing(), compression, { fd }))).rejects.toThrow('no more');
  });

  it.each<LayerCompression>(['gzip', 'zstd'])('%s: gives up with the reason of the signal', async (compression) => {
    const reason = new Error('enough');
    const controller = new AbortController();
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (let count = 0; ; count += 1) {
        if (count === 20) controller.abort(reason);
        yield Buffer.from(text.subarray(0, 70_000));
        await Promise.resolve();
      }
    }
    const { signal } = controller;
    await expect(intoFile((fd) => compressToFile(endless(), compression, { fd, signal }))).rejects.toBe(reason);
  });

  it('a full disk is one, also where a program says so', async () => {
    const fd = openSync('/dev/full', 'r+');
    try {
      const ours: unknown = await compressToFile(source(text), 'gzip', { fd }).catch((error: unknown) => error);
      expect(isFull(ours)).toBe(true);
      const work = filterIntoFile(['sh', '-c', 'cat; exit 1'], source(Buffer.from('x')), fd);
      expect(await work.catch((error: unknown) => isFull(error))).toBe(true);
    } finally {
      closeSync(fd);
    }
  });
});
