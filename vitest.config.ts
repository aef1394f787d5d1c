import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // One process per file: native add-ons, mounts and process-wide state (umask, cwd) must not be shared.
    pool: 'forks',
    isolate: true,
    // Most of them wait for processes of theirs most of the time; by default one processor would be left alone.
    maxWorkers: availableParallelism(),
    // Un-mounting says after a minute why it does not come to an end.
    testTimeout: 90_000,
    hookTimeout: 90_000,
    // What is waited for comes at once, but on a machine with more to do.
    expect: { poll: { timeout: 20_000, interval: 20 } },
    // Nothing leaves this machine, whatever a command would pull.
    env: { CONTAINERS_REGISTRIES_CONF: fileURLToPath(new URL('test/helpers/registry/no-hub.conf', import.meta.url)) },
    reporters: ['default', './test/helpers/totals-reporter.ts'],
  },
});
