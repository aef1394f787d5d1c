import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  chownSync,
} from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { changeFile } from '../../../../src/registry/access/replace-file.js';
import { requires } from '../../../helpers/requires.js';
import { tempDir } from '../../../helpers/tmp.js';

const gate = requires('root');

describe('a changed file', () => {
  test('is readable by its owner alone, and so are directories made for it', async () => {
    using temp = tempDir('replace');
    const file = path.join(temp.path, 'a/b/config.json');
    await changeFile(file, (text) => `${text ?? 'none'}!`);
    expect(readFileSync(file, 'utf8')).toBe('none!');
    expect([file, path.dirname(file)].map((it) => statSync(it).mode & 0o777)).toEqual([0o600, 0o700]);
    expect(readdirSync(path.dirname(file))).toEqual(['config.json']);
  });

  test('loses the rights that others had on it', async () => {
    using temp = tempDir('replace');
    const file = path.join(temp.path, 'config.json');
    writeFileSync(file, 'a', { mode: 0o644 });
    await changeFile(file, (text) => `${text ?? ''}b`);
    expect([readFileSync(file, 'utf8'), statSync(file).mode & 0o777]).toEqual(['ab', 0o600]);
  });

  test('stays a link, and what it points to is changed', async () => {
    using temp = tempDir('replace');
    const [file, target] = [path.join(temp.path, 'config.json'), path.join(temp.path, 'real/kept.json')];
    mkdirSync(path.dirname(target));
    writeFileSync(target, 'a');
    symlinkSync('real/kept.json', file);
    await changeFile(file, (text) => `${text ?? ''}b`);
    expect(lstatSync(file).isSymbolicLink()).toBe(true);
    expect(readFileSync(target, 'utf8')).toBe('ab');
  });

  test.skipIf(gate.skip)(gate.title("stays the user's when root changes it"), async () => {
    using temp = tempDir('replace');
    const file = path.join(temp.path, 'config.json');
    writeFileSync(file, 'a');
    chownSync(file, 1234, 5678);
    await changeFile(file, () => 'b');
    expect(statSync(file)).toMatchObject({ uid: 1234, gid: 5678 });
  });

  test('is left alone if nothing is to change, or the change fails', async () => {
    using temp = tempDir('replace');
    const file = path.join(temp.path, 'config.json');
    await changeFile(file, () => undefined);
    expect(existsSync(file)).toBe(false);
    writeFileSync(file, 'a');
    const before = statSync(file).ino;
    await changeFile(file, () => undefined);
    await expect(changeFile(file, () => { throw new Error('no'); })).rejects.toThrow("cannot write '"); // prettier-ignore
    expect([statSync(file).ino, readFileSync(file, 'utf8'), readdirSync(temp.path)]).toEqual([
      before,
      'a',
      ['config.json'],
    ]);
  });

  test('has all changes that were made at the same time', async () => {
    using temp = tempDir('replace');
    const file = path.join(temp.path, 'config.json');
    const words = Array.from({ length: 20 }, (_, at) => `<${String(at)}>`);
    await Promise.all(words.map((word) => changeFile(file, (text = '') => text + word)));
    const text = readFileSync(file, 'utf8');
    expect(words.filter((word) => !text.includes(word))).toEqual([]);
    expect(text).toHaveLength(words.join('').length);
  });

  test('waits for who has its lock', async () => {
    using temp = tempDir('replace');
    const file = path.join(temp.path, 'config.json');
    writeFileSync(`${file}.lock`, '');
    let asked = false;
    const change = changeFile(file, (text = '') => {
      asked = true;
      return `${text}b`;
    });
    await sleep(60);
    expect(asked).toBe(false);
    writeFileSync(file, 'a');
    rmSync(`${file}.lock`);
    await change;
    expect(readFileSync(file, 'utf8')).toBe('ab');
  });

  test('has what a program wrote meanwhile that knows of no lock', async () => {
    using temp = tempDir('replace');
    const file = path.join(temp.path, 'config.json');
    writeFileSync(file, 'a');
    let attempts = 0;
    await changeFile(file, (text = '') => {
      attempts += 1;
      if (attempts === 1) writeFileSync(file, 'other');
      return `${text}!`;
    });
    expect([readFileSync(file, 'utf8'), attempts]).toEqual(['other!', 2]);
  });

  test('is not blocked by a lock of the dead', async () => {
    using temp = tempDir('replace');
    const file = path.join(temp.path, 'config.json');
    writeFileSync(`${file}.lock`, '');
    utimesSync(`${file}.lock`, 1, 1);
    await changeFile(file, () => 'a');
    expect(readdirSync(temp.path)).toEqual(['config.json']);
  });

  test('that cannot be written is named', async () => {
    using temp = tempDir('replace');
    writeFileSync(path.join(temp.path, 'x'), '');
    await expect(changeFile(path.join(temp.path, 'x/config.json'), () => 'a')).rejects.toThrow(
      expect.objectContaining({
        code: 'unavailable',
        message: expect.stringMatching(/^cannot write '.*\/x\/config.json': /) as unknown,
      }) as Error,
    );
  });
});
