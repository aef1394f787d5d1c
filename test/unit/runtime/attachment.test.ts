import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { createInterface } from 'node:readline';
import { describe, expect, test } from 'vitest';
import { Attachment } from '../../../src/runtime/attachment.js';
import { requires } from '../../helpers/requires.js';
import { tempDir } from '../../helpers/tmp.js';

const gate = requires('python3');

interface Peer extends AsyncDisposable {
  readonly socket: string;
  tell(line: string): void;
  line(): Promise<string>;
}

async function startPeer(): Promise<Peer> {
  const temp = tempDir('attachment');
  const socket = path.join(temp.path, 'attach');
  const child = spawn('python3', [path.join(import.meta.dirname, '../../helpers/packet-peer.py'), socket]);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = async (): Promise<string> => String((await lines.next()).value);
  expect(await line()).toBe('listening');
  return {
    socket,
    line,
    tell: (text) => child.stdin.write(`${text}\n`),
    [Symbol.asyncDispose]: async () => {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
      temp[Symbol.dispose]();
    },
  };
}

/** Sinks that keep what they are given. */
function collector(): {
  out: Buffer[];
  err: Buffer[];
  stdout: (b: Uint8Array) => Promise<void>;
  stderr: (b: Uint8Array) => Promise<void>;
} {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  const into = (list: Buffer[]) => (bytes: Uint8Array) => {
    list.push(Buffer.from(bytes));
    return Promise.resolve();
  };
  return { out, err, stdout: into(out), stderr: into(err) };
}

describe.skipIf(gate.skip)(gate.title('Attachment'), () => {
  test('keeps standard output and error apart, and ends with the container', async () => {
    await using peer = await startPeer();
    const { out, err, ...sinks } = collector();
    const relayed = Attachment.open(peer.socket).relay(sinks);
    peer.tell('send 026f7574 0365727221 0231 0232');
    peer.tell('close');
    expect(await relayed).toBe('ended');
    expect([Buffer.concat(out).toString(), Buffer.concat(err).toString()]).toEqual(['out12', 'err!']);
  });

  test('waits for a slow sink and loses nothing', async () => {
    await using peer = await startPeer();
    let total = 0;
    let wrong = 0;
    const relayed = Attachment.open(peer.socket).relay({
      stdout: async (bytes) => {
        await new Promise((resolve) => setTimeout(resolve, 1));
        for (const byte of bytes) {
          if (byte !== (total >> 13) % 256) wrong += 1;
          total += 1;
        }
      },
    });
    peer.tell('flood 300');
    peer.tell('close');
    expect(await relayed).toBe('ended');
    expect({ total, wrong }).toEqual({ total: 300 * 8192, wrong: 0 });
  });

  test('sends all of its input in packets that conmon reads whole, then its end', async () => {
    await using peer = await startPeer();
    const stdin = new PassThrough();
    const relayed = Attachment.open(peer.socket).relay({ stdin });
    stdin.end(Buffer.alloc(100_000, 'x'));
    for (const length of [32_768, 32_768, 32_768, 1696]) {
      peer.tell('read');
      expect((await peer.line()).length / 2).toBe(length);
    }
    peer.tell('drain');
    expect(await peer.line()).toBe('0');
    peer.tell('close');
    expect(await relayed).toBe('ended');
  });

  test('shows what came before the other side went away with input unread', async () => {
    await using peer = await startPeer();
    const { out, err, ...sinks } = collector();
    const stdin = new PassThrough();
    stdin.write('nobody reads this');
    const relayed = Attachment.open(peer.socket).relay({ ...sinks, stdin });
    peer.tell('send 026f6e65 0274776f');
    await expect.poll(() => Buffer.concat(out).toString()).toBe('onetwo');
    peer.tell('send 027468726565');
    peer.tell('close');
    expect(await relayed).toBe('ended');
    expect([Buffer.concat(out).toString(), err]).toEqual(['onetwothree', []]);
  });

  test('detaches by keys, by signal and by close', async () => {
    for (const way of ['keys', 'signal', 'close'] as const) {
      await using peer = await startPeer();
      const stdin = new PassThrough();
      const controller = new AbortController();
      const attachment = Attachment.open(peer.socket);
      const relayed = attachment.relay({ stdin, detachKeys: [16, 17], signal: controller.signal });
      stdin.write('typed');
      peer.tell('read');
      expect(await peer.line()).toBe(Buffer.from('typed').toString('hex'));
      if (way === 'keys') stdin.write('\x10\x11');
      else if (way === 'signal') controller.abort();
      else attachment.close();
      expect(await relayed).toBe('detached');
      peer.tell('drain');
      expect(await peer.line()).toBe('0');
    }
  });

  test('rejects with what a sink rejects with', async () => {
    await using peer = await startPeer();
    const relayed = Attachment.open(peer.socket).relay({ stdout: () => Promise.reject(new Error('no reader')) });
    peer.tell('send 0261');
    await expect(relayed).rejects.toThrow('no reader');
  });

  test('says so where nobody listens, and where a path is too long', () => {
    using temp = tempDir('attachment');
    expect(() => Attachment.open(`${temp.path}/attach`)).toThrow(/nobody listens .* monitor \(conmon\) is gone/);
    expect(() => Attachment.open(`${temp.path}/${'x'.repeat(108)}`)).toThrow(/ENAMETOOLONG|file name too long/);
  });
});
