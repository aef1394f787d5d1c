import { describe, expect, test } from 'vitest';
import { ReplyBody } from '../../../src/registry/reply-body.js';

const KIB = 1024;

function body(idle = 60_000): { body: ReplyBody; calls: string[] } {
  const calls: string[] = [];
  const flow = {
    pause: () => void calls.push('pause'),
    resume: () => void calls.push('resume'),
    abort: () => void calls.push('abort'),
  };
  return { body: new ReplyBody(flow, { host: 'r.example', idle, failure: (error) => error as Error }), calls };
}

describe('a body', () => {
  test('holds back its sender while nobody reads', async () => {
    const { body: it, calls } = body();
    for (let nth = 0; nth < 5; nth += 1) it.push(Buffer.alloc(64 * KIB));
    expect(calls).toEqual(['pause']);
    it.push(Buffer.alloc(64 * KIB));
    const reader = it[Symbol.asyncIterator]();
    for (let nth = 0; nth < 3; nth += 1) await reader.next();
    expect(calls).toEqual(['pause']);
    await reader.next();
    expect(calls).toEqual(['pause', 'resume']);
  });

  test('gives what came before it failed', async () => {
    const { body: it } = body();
    it.push(Buffer.from('a'));
    it.end(new Error('cut'));
    const reader = it[Symbol.asyncIterator]();
    expect((await reader.next()).value).toEqual(Buffer.from('a'));
    await expect(reader.next()).rejects.toThrow('cut');
    await expect(reader.next()).rejects.toThrow('cut');
  });

  test('that nobody wants is let pass if it is short, and ended if it is long', () => {
    const long = body();
    long.body.push(Buffer.alloc(65 * KIB));
    long.body.discard();
    expect(long.calls).toEqual(['abort']);
    const longer = body();
    longer.body.discard();
    for (let nth = 0; nth < 3; nth += 1) longer.body.push(Buffer.alloc(30 * KIB));
    expect(longer.calls).toEqual(['abort']);
    const short = body();
    short.body.discard();
    short.body.push(Buffer.alloc(KIB));
    short.body.end();
    expect(short.calls).toEqual([]);
  });

  test('counts against its sender what its reader waits, and nothing else', async () => {
    const { body: it, calls } = body(30);
    it.push(Buffer.from('a'));
    const reader = it[Symbol.asyncIterator]();
    await reader.next();
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(calls).toEqual([]);
    await expect(reader.next()).rejects.toThrow('r.example: nothing came for 0.03 s');
    expect(calls).toEqual(['abort']);
  });

  test('that comes byte by byte, never silent for long, is given up', async () => {
    const { body: it, calls } = body(400);
    const drip = setInterval(() => it.push(Buffer.from('a')), 50);
    try {
      await expect(it.bytes(KIB)).rejects.toThrow('r.example: it is too slow');
    } finally {
      clearInterval(drip);
    }
    expect(calls).toEqual(['abort']);
  });

  test('is read up to a limit', async () => {
    const { body: it } = body();
    it.push(Buffer.alloc(KIB));
    it.push(Buffer.alloc(1));
    await expect(it.bytes(KIB)).rejects.toMatchObject({ code: 'limit' });
  });
});
