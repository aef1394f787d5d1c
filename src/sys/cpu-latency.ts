// How long processors may take to wake up: the kernel's request for quality of service (power/pm_qos_interface.rst). An idle
// processor of a virtual machine is halted, and waking it costs tens of microseconds; with a latency of 0 it polls instead.

import { readFileSync } from 'node:fs';
import { AT_FDCWD, O_RDWR } from './constants.js';
import { close, openat, write } from './file.js';

const DEVICE = '/dev/cpu_dma_latency';
const DRIVER = '/sys/devices/system/cpu/cpuidle/current_driver';

/** Microseconds: PM_QOS_CPU_LATENCY_DEFAULT_VALUE, which is no request. */
const ANY = 2_000_000_000;
/** Of halting (drivers/cpuidle/cpuidle-haltpoll.c), whose real cost the guest does not know. */
const HALTPOLL = 'haltpoll';
/** Of the lightest sleep that wakes without an interrupt (C1 by MWAIT), on hardware. */
const LIGHT_SLEEP = 2;

/** The request of this process. The kernel forgets it when the process ends, however it does. */
export class CpuLatency {
  readonly #fd: number;
  readonly #low = Buffer.alloc(4);
  readonly #any = Buffer.alloc(4);

  private constructor(fd: number, microseconds: number) {
    this.#fd = fd;
    this.#low.writeInt32LE(microseconds);
    this.#any.writeInt32LE(ANY);
  }

  /** Undefined where it has no effect (no cpuidle driver) or is not allowed (it takes root). */
  static open(): CpuLatency | undefined {
    const driver = currentDriver();
    if (driver === undefined) return undefined;
    const fd = openat(AT_FDCWD, DEVICE, O_RDWR);
    return fd < 0 ? undefined : new CpuLatency(fd, driver === HALTPOLL ? 0 : LIGHT_SLEEP);
  }

  /** From now on idle processors wake up quickly. */
  lower(): void {
    write(this.#fd, this.#low);
  }

  /** From now on they may sleep as they like. */
  restore(): void {
    write(this.#fd, this.#any);
  }

  close(): void {
    close(this.#fd);
  }
}

function currentDriver(): string | undefined {
  try {
    const name = readFileSync(DRIVER, 'latin1').trim();
    return name === 'none' ? undefined : name;
  } catch {
    return undefined;
  }
}
