/** 1234567 as `1,234,567`. */
export const grouped = (count: number): string => String(count).replace(/\B(?=(\d{3})+$)/g, ',');

/** A share as a person reads it: 0.0123 as `1.23 %`. */
export const percent = (share: number): string => `${Number((share * 100).toPrecision(3))} %`;
