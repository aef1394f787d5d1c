import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CompiledFilters } from '../../../src/runtime/compiled-filters.js';
import type { OciSpec } from '../../../src/runtime/spec/oci-spec.js';

const ANNOTATION = 'run.oci.seccomp_bpf_data';

let directory = '';
let program = '';
beforeEach(() => {
  directory = mkdtempSync(path.join(os.tmpdir(), 'veneer-filters-'));
  program = path.join(directory, 'crun');
  writeFileSync(program, 'crun');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const specOf = (syscall: string, annotations: Record<string, string> = {}): OciSpec =>
  ({
    annotations,
    linux: { seccomp: { defaultAction: 'SCMP_ACT_ERRNO', syscalls: [{ names: [syscall], action: 'SCMP_ACT_ALLOW' }] } },
  }) as unknown as OciSpec;

const filterOf = (spec: OciSpec): string | undefined =>
  new CompiledFilters(directory, program).addTo(spec).annotations[ANNOTATION];

test('a filter is given to the next container with the same rules, made by the same program', () => {
  expect(filterOf(specOf('read'))).toBeUndefined();
  writeFileSync(path.join(directory, 'seccomp.bpf'), Buffer.alloc(16, 7));
  new CompiledFilters(directory, program).keep(specOf('read'), directory);
  expect(filterOf(specOf('read', { mine: 'x' }))).toBe(Buffer.alloc(16, 7).toString('base64'));
  expect(filterOf(specOf('write'))).toBeUndefined();
  expect(filterOf(specOf('read', { [ANNOTATION]: 'mine' }))).toBe('mine');
  utimesSync(program, 1, 1);
  expect(filterOf(specOf('read'))).toBeUndefined();
});

test('what is no filter is not kept', () => {
  const filters = new CompiledFilters(directory, program);
  filters.keep(specOf('read'), directory);
  for (const length of [0, 12]) {
    writeFileSync(path.join(directory, 'seccomp.bpf'), Buffer.alloc(length));
    filters.keep(specOf('read'), directory);
    expect(filterOf(specOf('read'))).toBeUndefined();
  }
  const unconfined = { annotations: {}, linux: {} } as unknown as OciSpec;
  expect(filters.addTo(unconfined)).toBe(unconfined);
});
