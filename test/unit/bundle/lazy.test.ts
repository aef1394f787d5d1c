import vm from 'node:vm';
import { describe, expect, test } from 'vitest';
import { lazily } from '../../../scripts/bundle/lazy.mjs';

/** Runs a module with these others, and tells what it exports and what it has loaded. */
function run(
  code: string,
  modules: Readonly<Record<string, unknown>>,
): { exports: Record<string, unknown>; loads: string[] } {
  const loads: string[] = [];
  const exports: Record<string, unknown> = {};
  const require = (id: string): unknown => {
    loads.push(id);
    return modules[id];
  };
  const module = vm.runInThisContext(`(function (exports, require) {\n${lazily(code)}\n})`) as (
    ...args: unknown[]
  ) => void;
  module(exports, require);
  return { exports, loads };
}

describe('lazily', () => {
  test('loads a module when it is first used, once', () => {
    const code = `const require_a = require("./a.cjs");\nexports.f = () => require_a.one + require_a.one;`;
    const { exports, loads } = run(code, { './a.cjs': { one: 1 } });
    expect(loads).toEqual([]);
    const f = exports['f'] as () => number;
    expect([f(), f(), loads]).toEqual([2, 2, ['./a.cjs']]);
  });

  test('calls, constructs and extends what is imported', () => {
    const code = [
      'const require_a$1 = require("./a.cjs");',
      'let node_net = require("node:net");',
      'exports.f = () => [(0, require_a$1.call)(2), new require_a$1.inner.Made(3).value, new node_net.Made(4).value];',
      'exports.g = () => { class Own extends require_a$1.inner.Made {} return new Own(5).value; };',
    ].join('\n');
    class Made {
      readonly value: number;
      constructor(value: number) {
        this.value = value;
      }
    }
    const { exports, loads } = run(code, {
      './a.cjs': { call: (value: number) => value, inner: { Made } },
      'node:net': { Made },
    });
    expect(loads).toEqual([]);
    expect([(exports['f'] as () => unknown)(), (exports['g'] as () => unknown)()]).toEqual([[2, 3, 4], 5]);
  });

  test('leaves alone what Node has loaded, what is no module of ours, and what is made into another shape', () => {
    const code = [
      'let node_fs = require("node:fs");',
      'let better_sqlite3 = require("better-sqlite3");',
      'let node_os = require("node:os");',
      'node_os = toESM(node_os, 1);',
    ].join('\n');
    expect(lazily(code)).toBe(code);
  });

  test('requires what is imported at run time from Node', async () => {
    const code = 'exports.f = async () => (await import("node:os")).name;';
    const { exports, loads } = run(code, { 'node:os': { name: 'os' } });
    expect(loads).toEqual([]);
    await expect((exports['f'] as () => Promise<unknown>)()).resolves.toBe('os');
    expect(loads).toEqual(['node:os']);
  });

  test('refuses a module that is used as a whole', () => {
    expect(() => lazily('const require_a = require("./a.cjs");\nexports.all = require_a;')).toThrow(
      'cannot load require_a late',
    );
  });
});
