// Numbers about numbers.

export interface Summary {
  readonly min: number;
  readonly q1: number;
  readonly median: number;
  readonly q3: number;
  readonly max: number;
  /** Median of the distances from the median. */
  readonly mad: number;
}

/** The value at a share (0 to 1) of the sorted samples, between neighbours where it falls between them. NaN of none. */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = share * (sorted.length - 1);
  const low = sorted[Math.floor(at)] ?? NaN;
  const high = sorted[Math.ceil(at)] ?? NaN;
  return low + (high - low) * (at - Math.floor(at));
}

export function summarize(samples: readonly number[]): Summary {
  const median = quantile(samples, 0.5);
  return {
    min: quantile(samples, 0),
    q1: quantile(samples, 0.25),
    median,
    q3: quantile(samples, 0.75),
    max: quantile(samples, 1),
    mad: quantile(
      samples.map((sample) => Math.abs(sample - median)),
      0.5,
    ),
  };
}
