import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { include: ['scripts/fuzz.ts'], pool: 'forks', disableConsoleIntercept: true, reporters: ['dot'] },
});
