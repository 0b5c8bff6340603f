const bits = 12;
const size = 2 ** bits;
/** Leading zeros are counted in 32 bits, which is enough for 2^44 different values. */
const deepest = 32;

/**
 * How many different values there are, by their hashes: HyperLogLog (Flajolet et al. 2007) with 4,096 registers and the
 * estimator of Ertl 2017 (arXiv:1702.01284, algorithm 6), which has no bias at any size. Standard error 1.63 %. Merging
 * is the maximum of each register, and exact.
 */
export class Distinct {
  readonly registers: Uint8Array;

  constructor(registers: Uint8Array = new Uint8Array(size)) {
    this.registers = registers;
  }

  add(high: number, low: number): void {
    const register = high >>> (32 - bits);
    const rank = Math.clz32(low) + 1;
    if (rank > (this.registers[register] ?? 0)) this.registers[register] = rank;
  }

  merge(other: Distinct): void {
    for (let at = 0; at < size; at += 1)
      this.registers[at] = Math.max(this.registers[at] ?? 0, other.registers[at] ?? 0);
  }

  estimate(): number {
    const counts = new Float64Array(deepest + 2);
    for (const rank of this.registers) counts[rank] = (counts[rank] ?? 0) + 1;
    let z = size * tau(1 - (counts[deepest + 1] ?? 0) / size);
    for (let rank = deepest; rank >= 1; rank -= 1) z = 0.5 * (z + (counts[rank] ?? 0));
    z += size * sigma((counts[0] ?? 0) / size);
    return (size * size) / (2 * Math.LN2 * z);
  }
}

function sigma(given: number): number {
  if (given === 1) return Number.POSITIVE_INFINITY;
  let [x, y, z, last] = [given, 1, given, -1];
  while (z !== last) {
    x *= x;
    last = z;
    z += x * y;
    y += y;
  }
  return z;
}

function tau(given: number): number {
  if (given === 0 || given === 1) return 0;
  let [x, y, z, last] = [given, 1, 1 - given, -1];
  while (z !== last) {
    x = Math.sqrt(x);
    last = z;
    y *= 0.5;
    z -= (1 - x) ** 2 * y;
  }
  return z / 3;
}
