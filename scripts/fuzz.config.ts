import { defineConfig } from 'vitest/config';

const script = process.env['VENEER_FUZZ_WHAT'] === 'data' ? 'scripts/fuzz-data.ts' : 'scripts/fuzz.ts';

export default defineConfig({
  test: { include: [script], pool: 'forks', disableConsoleIntercept: true, reporters: ['dot'] },
});
