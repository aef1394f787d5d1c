// The lines of `stats`: two looks at each container, and what it has used between them.

import { containerUsage, processorShare } from '../container/index.js';
import type { ContainerUsage } from '../container/index.js';
import { formatSize } from '../core/index.js';
import type { ContainerRecord, Store } from '../store/index.js';
import type { Listing, Row } from './output.js';

export const USAGE_LISTING: Listing = {
  columns: [
    ['CONTAINER ID', 'ID'],
    ['NAME', 'Name'],
    ['CPU %', 'CPUPerc'],
    ['MEM USAGE / LIMIT', 'MemUsage'],
    ['MEM %', 'MemPerc'],
    ['NET I/O', 'NetIO'],
    ['BLOCK I/O', 'BlockIO'],
    ['PIDS', 'PIDs'],
  ],
  key: 'ID',
};

const BINARY_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** As docker prints memory (go-units, BytesSize): four digits, units of 1,024. */
function binarySize(bytes: number): string {
  let [value, unit] = [bytes, 0];
  while (value >= 1024 && unit < BINARY_UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${String(Number(value.toPrecision(4)))}${BINARY_UNITS[unit] ?? ''}`;
}

const percent = (share: number): string => `${(100 * share).toFixed(2)}%`;

export function usageRow(
  { id, name, isWhole }: { id: string; name: string; isWhole: boolean },
  now: ContainerUsage | undefined,
  before: ContainerUsage | undefined,
): Row {
  const named = { ID: isWhole ? id : id.slice(0, 12), Container: name, Name: name };
  if (now === undefined) {
    const [none, pair] = ['--', '-- / --'];
    return { ...named, CPUPerc: none, MemUsage: pair, MemPerc: none, NetIO: pair, BlockIO: pair, PIDs: none };
  }
  return {
    ...named,
    CPUPerc: percent(processorShare(before, now)),
    MemUsage: `${binarySize(now.memory)} / ${binarySize(now.memoryLimit)}`,
    MemPerc: percent(now.memory / now.memoryLimit),
    NetIO: `${formatSize(now.bytesReceived)} / ${formatSize(now.bytesSent)}`,
    BlockIO: `${formatSize(now.bytesRead)} / ${formatSize(now.bytesWritten)}`,
    PIDs: String(now.processes),
  };
}

/** Remembers the last look at each container. */
export class UsageTable {
  readonly #store: Store;
  readonly #isWhole: boolean;
  #last = new Map<string, ContainerUsage>();

  constructor(store: Store, { isWhole }: { isWhole: boolean }) {
    this.#store = store;
    this.#isWhole = isWhole;
  }

  /** The lines of some containers: of what runs, unless `all` are wanted. */
  look(records: readonly ContainerRecord[], { all }: { all: boolean }): Row[] {
    const seen = new Map<string, ContainerUsage>();
    const rows: Row[] = [];
    for (const record of records) {
      const usage = containerUsage(this.#store, record);
      if (usage !== undefined) seen.set(record.id, usage);
      if (usage === undefined && !all) continue;
      rows.push(
        usageRow({ id: record.id, name: record.name, isWhole: this.#isWhole }, usage, this.#last.get(record.id)),
      );
    }
    this.#last = seen;
    return rows;
  }
}
