// docker's filters `label=` and `label!=`.

export interface LabelFilter {
  readonly key: string;
  /** Any, where it is undefined. */
  readonly value?: string | undefined;
  /** `label!=`: only what has it not. */
  readonly isNegated?: boolean | undefined;
}

/** Whether labels meet all filters. */
export function meetsLabels(labels: Readonly<Record<string, string>>, filters: readonly LabelFilter[]): boolean {
  return filters.every(({ key, value, isNegated = false }) => {
    const has = Object.hasOwn(labels, key) && (value === undefined || labels[key] === value);
    return has !== isNegated;
  });
}
