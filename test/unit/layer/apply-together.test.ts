// Layers that are unpacked at once, and unpacking that is given up.

import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { applyLayer, writeLayer } from '../../../src/layer/index.js';
import type { ByteSource } from '../../../src/layer/index.js';
import { END, member, source } from './support.js';
import { look, shape, temporary } from './tree.js';

const root = member({ name: './', typeflag: '5', mode: 0o755 });
const dir = (name: string, fields = {}) => member({ name: `${name}/`, typeflag: '5', mode: 0o755, ...fields });
const file = (name: string, content = '') => member({ name }, content);
const link = (name: string, linkname: string) => member({ name, typeflag: '1', linkname });

/** A promise to be settled from outside. */
function later<T>() {
  let settle!: { resolve: (value: T) => void; reject: (error: Error) => void };
  const promise = new Promise<T>((resolve, reject) => (settle = { resolve, reject }));
  return { promise, ...settle };
}

describe('the layers below as a function', () => {
  it.each<[string, Buffer[]]>([
    ['nothing speaks of them', [root, dir('d'), file('d/f', 'x'), link('d/g', 'd/f'), END]],
    ['the archive is empty but for the root', [root, END]],
  ])('are not asked for where %s', async (_, members) => {
    const lower = () => Promise.reject(new Error('asked for'));
    const target = temporary();
    await applyLayer({ source: source(members), target, lower });
    expect(look(target)['.']).toBeDefined();
  });

  it.each<[string, Buffer[]]>([
    ['a whiteout', [root, file('.wh.f'), END]],
    ['an opaque mark', [root, dir('d'), file('d/.wh..wh..opq'), END]],
    ['a link to a file of theirs', [root, link('g', 'f'), END]],
    ['a directory that nothing describes', [root, file('d/f'), END]],
    ['a root that nothing describes', [END]],
  ])('are asked for by %s, and what they fail with is thrown', async (_, members) => {
    const lower = () => Promise.reject(new Error('asked for'));
    await expect(applyLayer({ source: source(members), target: temporary(), lower })).rejects.toThrow('asked for');
  });

  it('are asked for once, when everything else is there', async () => {
    const target = temporary();
    const lower = temporary();
    const asked: string[][] = [];
    const ask = () => {
      asked.push(readdirSync(target).sort());
      return Promise.resolve([lower]);
    };
    await applyLayer({
      source: source([file('a'), file('.wh.b'), dir('c'), file('c/.wh.d'), END]),
      target,
      lower: ask,
    });
    expect(asked).toEqual([['a', 'c']]);
  });

  it('let layers be unpacked at once, in any order', async () => {
    const [bottom, top] = [temporary(), temporary()];
    const bottomDone = later<readonly string[]>();
    const applyingTop = applyLayer({
      source: source([file('new', 'n'), link('copy', 'd/f'), file('.wh.gone'), file('.wh.never'), file('d/more'), END]),
      target: top,
      lower: () => bottomDone.promise,
    });
    await expect.poll(() => readdirSync(top)).toEqual(['new']);
    await applyLayer({
      source: source([dir('d', { mode: 0o700, uid: 5 }), file('d/f', 'below'), file('gone'), END]),
      target: bottom,
    });
    bottomDone.resolve([bottom]);
    await applyingTop;
    expect(shape(top)).toEqual({ copy: 'file', d: 'dir', 'd/more': 'file', gone: 'gone', new: 'file' });
    expect(look(top)['d']).toMatchObject({ mode: '700', owner: '5:0' });
    expect(readFileSync(path.join(top, 'copy'), 'utf8')).toBe('below');
  });
});

/** What of ours is open: files below our temporary directories, and pipes. */
function openFiles(directory: string): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`);
      return target.startsWith(directory) ? [target] : [];
    } catch {
      return [];
    }
  });
}

function childProcesses(): number {
  const children = readFileSync(`/proc/self/task/${String(process.pid)}/children`, 'utf8');
  return children.split(' ').filter((pid) => pid !== '').length;
}

/** Hands chunks out and then nothing, for good. */
function stuck(chunks: readonly Buffer[]): ByteSource & { returned: () => number } {
  let [at, returned] = [0, 0];
  return {
    returned: () => returned,
    [Symbol.asyncIterator]: () => ({
      next() {
        const value = chunks[at++];
        return value === undefined ? new Promise(() => undefined) : Promise.resolve({ done: false, value });
      },
      return() {
        returned += 1;
        return new Promise(() => undefined);
      },
    }),
  };
}

describe('a signal', () => {
  const tar = Buffer.concat([root, file('f', 'x'.repeat(2 << 20)), file('g', 'y'.repeat(1 << 20)), END]);
  const noise = randomBytes(3_000_000);
  const incompressible = Buffer.concat([root, member({ name: 'f' }, noise), END]);
  const half = (bytes: Buffer) => bytes.subarray(0, bytes.length / 2);

  it.each<[string, () => Buffer]>([
    ['plain', () => half(tar)],
    ['gzip', () => half(gzipSync(incompressible))],
    ['zstd', () => half(execFileSync('zstd', ['-c'], { input: incompressible, maxBuffer: 1 << 28 }))],
    ['xz', () => half(execFileSync('xz', ['-0c'], { input: incompressible, maxBuffer: 1 << 28 }))],
  ])('ends the wait for a source that has got stuck: %s', async (_, start) => {
    const base = temporary();
    const target = path.join(base, 'diff');
    mkdirSync(target);
    const children = childProcesses();
    const from = stuck([start()]);
    const controller = new AbortController();
    const applying = applyLayer({
      source: from,
      target,
      record: { skeleton: path.join(base, 'skeleton'), replaced: path.join(base, 'replaced') },
      signal: controller.signal,
    });
    applying.catch(() => undefined);
    await expect.poll(() => readdirSync(target)).toEqual(['f']);
    controller.abort(new Error('enough'));
    await expect(applying).rejects.toThrow('enough');
    expect(from.returned()).toBe(1);
    expect(openFiles(base)).toEqual([]);
    await expect.poll(childProcesses).toBe(children);
  });

  it('that is aborted already lets nothing begin', async () => {
    const target = temporary();
    const signal = AbortSignal.abort(new Error('never'));
    await expect(applyLayer({ source: source(tar), target, signal })).rejects.toThrow('never');
    expect(readdirSync(target)).toEqual([]);
  });

  it('ends the wait for the layers below', async () => {
    const target = temporary();
    const controller = new AbortController();
    const lower = () => {
      setImmediate(() => controller.abort(new Error('enough')));
      return new Promise<string[]>(() => undefined);
    };
    const options = { source: source([file('.wh.f'), END]), target, lower, signal: controller.signal };
    await expect(applyLayer(options)).rejects.toThrow('enough');
    expect(openFiles(target)).toEqual([]);
  });

  it('is noticed while much comes out of little', async () => {
    const target = temporary();
    const controller = new AbortController();
    const zeros = gzipSync(Buffer.concat([file('zeros', '\0'.repeat(200 << 20)), END]));
    let bytes = 0;
    const applying = applyLayer({
      source: source(zeros, zeros.length),
      target,
      signal: controller.signal,
      onProgress(read) {
        bytes = read;
        if (read > 10 << 20) controller.abort(new Error('enough'));
      },
    });
    await expect(applying).rejects.toThrow('enough');
    expect(bytes).toBeLessThan(20 << 20);
  });

  it('ends writeLayer, which waits for its sink first', async () => {
    const target = temporary();
    await applyLayer({ source: source(tar), target });
    const controller = new AbortController();
    const [skeleton, calls] = [path.join(temporary(), 'skeleton'), { begun: 0, ended: 0 }];
    const writing = writeLayer({
      upper: [target],
      lower: [],
      record: { skeleton },
      signal: controller.signal,
      async sink() {
        calls.begun += 1;
        controller.abort(new Error('enough'));
        await new Promise((resolve) => setTimeout(resolve, 20));
        calls.ended += 1;
      },
    });
    await expect(writing).rejects.toThrow('enough');
    expect(calls).toEqual({ begun: 1, ended: 1 });
    expect(openFiles(target)).toEqual([]);
  });
});
