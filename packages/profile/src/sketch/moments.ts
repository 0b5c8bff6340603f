import type { Input, Output } from './bytes.ts';

/**
 * Count, extremes, mean and the sum of squared distances from it, of finite numbers: batches by two passes, put together
 * as Chan, Golub and LeVeque (1979) do. Merging two gives those of the whole but for rounding.
 */
export class Moments {
  count = 0;
  min = Number.POSITIVE_INFINITY;
  max = Number.NEGATIVE_INFINITY;
  mean = 0;
  squares = 0;

  add(values: Float64Array, count: number): void {
    if (count === 0) return;
    const batch = new Moments();
    let sum = 0;
    for (let at = 0; at < count; at += 1) {
      const value = values[at] ?? 0;
      sum += value;
      if (value < batch.min) batch.min = value;
      if (value > batch.max) batch.max = value;
    }
    batch.count = count;
    // The sum of huge numbers overflows, their mean does not.
    batch.mean = Number.isFinite(sum) ? sum / count : meanOf(values, count);
    for (let at = 0; at < count; at += 1) batch.squares += ((values[at] ?? 0) - batch.mean) ** 2;
    this.merge(batch);
  }

  merge(other: Moments): void {
    const count = this.count + other.count;
    if (other.count === 0) return;
    const share = other.count / count;
    const distance = other.mean - this.mean;
    this.squares += other.squares + (this.count === 0 ? 0 : distance * distance * this.count * share);
    // Only means near the largest double are infinitely far from each other.
    if (Number.isFinite(distance)) this.mean += distance * share;
    else this.mean = this.mean * (1 - share) + other.mean * share;
    this.min = Math.min(this.min, other.min);
    this.max = Math.max(this.max, other.max);
    this.count = count;
  }

  write(to: Output): void {
    to.whole(this.count);
    if (this.count > 0) to.doubles([this.min, this.max, this.mean, this.squares]);
  }

  static read(from: Input): Moments {
    const moments = new Moments();
    moments.count = from.whole();
    if (moments.count > 0) {
      const [min = 0, max = 0, mean = 0, squares = 0] = from.doubles();
      Object.assign(moments, { min, max, mean, squares });
    }
    return moments;
  }
}

function meanOf(values: Float64Array, count: number): number {
  let mean = 0;
  for (let at = 0; at < count; at += 1) mean += (values[at] ?? 0) / count;
  return mean;
}
