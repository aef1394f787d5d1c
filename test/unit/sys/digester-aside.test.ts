import { createHash, randomBytes } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { DigesterAside } from '../../../src/sys/index.js';

const sha256 = (bytes: Buffer) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

describe('DigesterAside', () => {
  it.each([
    ['nothing', []],
    ['empty chunks', [0, 0]],
    ['small chunks', [1, 10, 63, 64, 65]],
    ['large chunks', [1 << 20, 300_000, 1 << 20]],
    ['both in turn', [1, 100_000, 2, 3, 0, 1 << 20, 5]],
  ])('hashes %s', async (_, sizes) => {
    const chunks = sizes.map((size) => randomBytes(size));
    const digester = new DigesterAside();
    for (const chunk of chunks) digester.update(chunk);
    const whole = Buffer.concat(chunks);
    expect(digester.size).toBe(whole.length);
    expect(await digester.digest()).toBe(sha256(whole));
  });

  it('hashes several streams at once', async () => {
    const all = Array.from({ length: 8 }, () => randomBytes(500_000));
    const digests = await Promise.all(
      all.map(async (bytes) => {
        using digester = new DigesterAside();
        for (let at = 0; at < bytes.length; at += 70_000) digester.update(bytes.subarray(at, at + 70_000));
        return await digester.digest();
      }),
    );
    expect(digests).toEqual(all.map(sha256));
  });

  it('says when to wait, and when chunks may be changed', async () => {
    using digester = new DigesterAside();
    const chunk = randomBytes(1 << 20);
    expect(digester.ready()).toBeUndefined();
    expect(digester.settled()).toBeUndefined();
    let chunks = 0;
    for (; chunks < 100 && digester.ready() === undefined; chunks += 1) digester.update(chunk);
    expect(chunks).toBe(2);
    await digester.ready();
    expect(digester.ready()).toBeUndefined();
    await digester.settled();
    expect(digester.settled()).toBeUndefined();
    const before = Buffer.alloc(chunks << 20, chunk);
    chunk.fill(0);
    expect(await digester.digest()).toBe(sha256(before));
  });

  it('can be given up while it works', async () => {
    for (let round = 0; round < 100; round += 1) {
      using digester = new DigesterAside();
      digester.update(Buffer.alloc(100_000));
      digester.update(Buffer.alloc(100_000));
      if (round % 2 === 0) await digester.settled();
    }
  });

  it('has no digest once it is given up', async () => {
    const digester = new DigesterAside();
    digester.update(Buffer.alloc(100_000));
    const digest = digester.digest();
    digester[Symbol.dispose]();
    await expect(digest).rejects.toThrow('given up');
  });

  it('hashes all the same in a Node that exports nothing', () => {
    const door = path.resolve(import.meta.dirname, '../../../dist/sys/index.js');
    const script = `
      import { createRequire } from 'node:module';
      const koffi = createRequire(${JSON.stringify(door)})('koffi');
      const { load } = koffi;
      koffi.load = (name) => { if (name === null) throw new Error('no symbols'); return load(name); };
      const { DigesterAside } = await import(${JSON.stringify(door)});
      const digester = new DigesterAside();
      digester.update(Buffer.from('abc'));
      console.log(digester.ready(), digester.settled(), digester.size, await digester.digest());
    `;
    const said = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    expect(said.trim()).toBe(`undefined undefined 3 ${sha256(Buffer.from('abc'))}`);
  });
});
