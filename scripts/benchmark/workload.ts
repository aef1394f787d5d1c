// What a workload is: data and short shell scripts, the same for every backend.

/** Layers of directories, made once per run of the benchmark and only read from then on. */
export const TREES = ['empty', 'root', 'big', 'random', 'crowd', 'layers64', 'project', 'python'] as const;
export type TreeName = (typeof TREES)[number];

/** Files beside the mount, which workloads read. */
export const INPUTS = ['root-tar', 'quarters', 'repository', 'npm-cache', 'deb', 'names64'] as const;
export type InputName = (typeof INPUTS)[number];

export const GROUPS = ['metadata', 'reading', 'data', 'layers', 'parallel', 'real'] as const;
export type Group = (typeof GROUPS)[number];

/**
 * What a ratio of medians is held against: time on veneer divided by time on `against`. `below` asks for less than the
 * limit, not at most. `notWorseThan` names a workload whose ratio, in the same run, is the limit.
 */
export type Target =
  | { readonly against: string; readonly limit: number; readonly below?: true }
  | { readonly against: string; readonly notWorseThan: string };

/**
 * The caches when the clock starts. `cold`: a fresh mount and an empty page cache. `fresh`: a fresh mount over layers
 * whose files are in the page cache. `warm`: the same was done before on this mount.
 */
export type Start = 'cold' | 'fresh' | 'warm';

export interface Workload {
  readonly name: string;
  readonly title: string;
  readonly group: Group;
  /** Top first. */
  readonly layers: readonly TreeName[];
  readonly input?: InputName;
  /** Mounted without an upper directory. */
  readonly readOnly?: true;
  /** It changes files, so that the plain directory has to be a copy. */
  readonly writes?: true;
  readonly start: Start;
  /** Debian packages of the programs that it runs, beyond the essential ones. */
  readonly packages?: readonly string[];
  /** On the mount, not timed. */
  readonly before?: string;
  /** Runs the tools on nothing, so that a cold start does not time reading their own files. */
  readonly tools?: string;
  /** The timed part. Its working directory is the mount; $IN has the inputs, $OUT is a directory beside the mount. */
  readonly run: string;
  /** How often `run` is done in one timed part; times are divided by it. */
  readonly repeat?: number;
  /** Where the time is fio's own, without its start-up. */
  readonly clock?: 'fio';
  /** Says on standard output what was done, and fails if it was not. Every backend must say the same. */
  readonly check: string;
  /** As `check`, but dearer: in the warm-up round only, on a mount of its own. */
  readonly verify?: string;
  readonly targets: readonly Target[];
}

/** Sizes that scripts and fixtures share; scripts see them as variables of these names. */
export interface Sizes {
  /** Of the big file, in MiB. */
  readonly BIG: number;
  /** Of the file of random reads and writes, in MiB. */
  readonly RANDOM_MIB: number;
  /** Writes of 4 KiB. */
  readonly SMALL_WRITES: number;
  /** Entries of the large directory. */
  readonly CROWD: number;
  /** Directories that each of the 64 layers has. */
  readonly DIRS64: number;
  /** Files of the C project. */
  readonly SOURCES: number;
  /** Files of the git repository, and of the Debian package. */
  readonly FILES: number;
}

export const FULL: Sizes = {
  BIG: 1024,
  RANDOM_MIB: 256,
  SMALL_WRITES: 102_400,
  CROWD: 100_000,
  DIRS64: 200,
  SOURCES: 300,
  FILES: 3000,
};

export const QUICK: Sizes = {
  BIG: 16,
  RANDOM_MIB: 4,
  SMALL_WRITES: 2000,
  CROWD: 1000,
  DIRS64: 5,
  SOURCES: 12,
  FILES: 100,
};
