// Where other union file systems lost data: five names of one file over copy-up and re-mounts, and a database that many small
// writes change after its copy-up.

import { appendFileSync, linkSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import Database from 'better-sqlite3';
import { afterEach, describe, expect, test } from 'vitest';
import { backendGate } from '../helpers/backends.js';
import { link } from '../helpers/layer-spec.js';
import { Scenario } from '../helpers/scenario.js';

const skip = backendGate('kernel').skip || backendGate('veneer').skip;

let scenario: Scenario;
afterEach(() => scenario.remove());

describe.skipIf(skip)('after copy-up', () => {
  test('five names in three directories are one file, through every re-mount', async () => {
    const names = ['a/1', 'a/2', 'b/3', 'b/4', 'c/5'];
    const [first, ...others] = names;
    const lower = { [first!]: 'start', ...Object.fromEntries(others.map((name) => [name, link(first!)])) };
    scenario = new Scenario('five', { lower: [lower], upper: {} });
    const inodes = new Set<bigint>();
    const expectOne = (root: string, present: readonly string[], content: string): void => {
      for (const name of present) {
        const stat = statSync(`${root}/${name}`, { bigint: true });
        inodes.add(stat.ino);
        expect([name, Number(stat.nlink), readFileSync(`${root}/${name}`, 'utf8')]).toEqual([
          name,
          present.length,
          content,
        ]);
      }
      expect(inodes.size).toBe(1);
    };
    await scenario.on('veneer', (root) => expectOne(root, names, 'start'));
    await scenario.step('veneer', (root) => appendFileSync(`${root}/b/3`, '+b3'));
    await scenario.on('veneer', (root) => {
      expectOne(root, names, 'start+b3');
      rmSync(`${root}/a/1`);
      renameSync(`${root}/a/2`, `${root}/c/moved`);
      expectOne(root, ['b/3', 'b/4', 'c/5', 'c/moved'], 'start+b3');
    });
    await scenario.step('veneer', (root) => {
      expectOne(root, ['b/3', 'b/4', 'c/5', 'c/moved'], 'start+b3');
      linkSync(`${root}/c/5`, `${root}/a/again`);
      appendFileSync(`${root}/c/moved`, '+moved');
    });
    await scenario.on('veneer', (root) =>
      expectOne(root, ['b/3', 'b/4', 'c/5', 'c/moved', 'a/again'], 'start+b3+moved'),
    );
    scenario.expectLowersUnchanged();
  });

  test.each(['delete', 'wal', 'truncate'])('a database stays whole, journal %s', async (journal) => {
    scenario = new Scenario('database', { lower: [{ 'var/x': '' }], upper: {} });
    const ROWS = 20_000;
    const made = new Database(`${scenario.staged.lowers[0]!}/var/db`);
    made.pragma(`journal_mode = ${journal}`);
    made.exec('create table t (id integer primary key, body text); create index i on t (body)');
    const insert = made.prepare('insert into t values (?, ?)');
    made.transaction(() => {
      for (let id = 0; id < ROWS; id += 1) insert.run(id, `${'row '.repeat(20)}${String(id)}`);
    })();
    made.close();
    for (const round of [1, 2]) {
      await scenario.on('veneer', (root) => {
        const db = new Database(`${root}/var/db`);
        db.pragma('synchronous = off');
        const update = db.prepare('update t set body = ? where id = ?');
        for (let n = 0; n < 400; n += 1) update.run(`round ${String(round)}`, (n * 7919) % ROWS);
        db.exec(`delete from t where id % 10 = ${String(round)}`);
        expect(db.pragma('integrity_check', { simple: true })).toBe('ok');
        db.close();
      });
    }
    await scenario.on('kernel', (root) => {
      const db = new Database(`${root}/var/db`);
      expect(db.pragma('integrity_check', { simple: true })).toBe('ok');
      expect(db.prepare('select count(*) from t').pluck().get()).toBe(ROWS * 0.8);
      db.close();
    });
  });
});
