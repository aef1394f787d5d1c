// What of /proc and /sys a container does not see, or cannot write: as Docker's (moby, oci/defaults.go).

import type { SecurityOptions } from './security-options.js';

const MASKED = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/sys/devices/virtual/powercap',
  '/sys/firmware',
];

const READ_ONLY = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

export interface ProtectedPaths {
  readonly maskedPaths: readonly string[];
  readonly readonlyPaths: readonly string[];
}

export function protectedPaths({ protectPaths, mask, unmask }: SecurityOptions, privileged: boolean): ProtectedPaths {
  if (privileged || !protectPaths) return { maskedPaths: [...mask], readonlyPaths: [] };
  const isOpen = (path: string): boolean => unmask.some((one) => /^all$/i.test(one) || one === path);
  return {
    maskedPaths: [...MASKED.filter((path) => !isOpen(path)), ...mask],
    readonlyPaths: READ_ONLY.filter((path) => !isOpen(path)),
  };
}
