/** The newest values of a figure with their times, no more than `most`. */
export class Series {
  readonly times: number[] = [];
  readonly values: number[] = [];

  constructor(private readonly most: number) {}

  add(unixSeconds: number, value: number) {
    const last = this.times[this.times.length - 1];
    if (last !== undefined && unixSeconds <= last) return;
    this.times.push(unixSeconds);
    this.values.push(value);
    if (this.times.length > this.most) {
      this.times.shift();
      this.values.shift();
    }
  }
}

/** Series by name; what is no longer fed is forgotten. */
export class Histories {
  private series = new Map<string, Series>();

  constructor(private readonly most: number) {}

  add(unixSeconds: number, values: Record<string, number>) {
    for (const [name, value] of Object.entries(values)) {
      let series = this.series.get(name);
      if (!series) {
        series = new Series(this.most);
        this.series.set(name, series);
      }
      series.add(unixSeconds, value);
    }
  }

  get(name: string): Series {
    return this.series.get(name) ?? new Series(1);
  }

  /** Keep them for the next page of this tab while this one is left, such as for a reload. */
  keepOverReload(name: string) {
    try {
      const kept: unknown = JSON.parse(sessionStorage.getItem(name) ?? "null");
      sessionStorage.removeItem(name);
      if (Array.isArray(kept)) for (const [at, values] of kept) this.add(at, values);
    } catch {
      // A browser that keeps nothing, or something of an earlier version.
    }
    addEventListener("pagehide", () => {
      try {
        sessionStorage.setItem(name, JSON.stringify(this.samples()));
      } catch {
        // There is no room: the curves begin anew.
      }
    });
  }

  /** What was added, by time. */
  private samples(): [number, Record<string, number>][] {
    const found = new Map<number, Record<string, number>>();
    for (const [name, { times, values }] of this.series) {
      times.forEach((at, n) => {
        const these = found.get(at) ?? {};
        these[name] = values[n] ?? 0;
        found.set(at, these);
      });
    }
    return [...found].sort(([a], [b]) => a - b);
  }

  keepOnly(names: (name: string) => boolean) {
    for (const name of this.series.keys()) if (!names(name)) this.series.delete(name);
  }
}
