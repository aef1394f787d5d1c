// Taking the bridge and its rules away: 60 ms in which the kernel waits for its processors (rcu_barrier in br_multicast_dev_del and
// netdev_run_todo, synchronize_rcu where rules are removed). A process of its own waits, so that nobody else has to.

import { spawn } from 'node:child_process';
import { BRIDGE, removalScript } from './firewall.js';
import type { LockedLedger } from './ledger.js';
import { programEnvironment } from './run-program.js';

const SCRIPT = `ip link delete ${BRIDGE} &
${removalScript()}
wait
rmdir "$@"
`;

/** Nobody has an address any more. Who wants one finds the ledger locked until all is gone. */
export function switchOff(ledger: LockedLedger): void {
  // Without this, what is still there is made anew: the process may be killed.
  ledger.forgetBridge();
  ledger.handOver((fd, directories) => {
    const child = spawn('/bin/sh', ['-c', SCRIPT, 'veneer', ...directories], {
      cwd: '/',
      detached: true,
      env: programEnvironment(),
      stdio: ['ignore', 'ignore', 'ignore', fd],
    });
    // Without a shell there is nobody to do it, but who comes next.
    child.on('error', () => undefined);
    child.unref();
  });
}
