// Closes every run with one plain line, and in CI makes a skipped test a failure: there every test must be able to run.

import type { Reporter, TestModule } from 'vitest/node';

/** Tests that CI may skip: a part of the full name, and why. */
const MAY_SKIP: readonly { readonly name: string; readonly why: string }[] = [
  { name: 'is taken by zsh, where it is installed', why: 'a shell is much to install for one test' },
  { name: 'is taken by fish, where it is installed', why: 'a shell is much to install for one test' },
];

export default class TotalsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const totals = { passed: 0, failed: 0, skipped: 0 };
    const unexpected: string[] = [];
    for (const module of modules) {
      if (module.children.size === 0 && module.state() === 'failed') totals.failed += 1;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state !== 'pending') totals[state] += 1;
        const allowed = MAY_SKIP.some(({ name }) => test.fullName.includes(name));
        if (state === 'skipped' && !allowed) unexpected.push(`${module.relativeModuleId} > ${test.fullName}`);
      }
    }
    const ci = process.env['CI'] !== undefined && process.env['CI'] !== '';
    if (ci && unexpected.length > 0) {
      process.exitCode = 1;
      process.stdout.write(`Skipped, but CI must run them:\n${unexpected.map((name) => `  ${name}\n`).join('')}`);
    }
    const { passed, failed, skipped } = totals;
    process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`);
  }
}
