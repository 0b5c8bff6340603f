/** A port whose methods answer at once: what a fake is before a world decides when its calls happen. */
export type Sync<Port> = {
  readonly [Name in keyof Port]: NonNullable<Port[Name]> extends (...given: infer Given) => Promise<infer Result>
    ? (...given: Given) => Result
    : Port[Name];
};

type Method = (...given: readonly unknown[]) => unknown;

/** The port over a fake: `call` decides when, and whether, each method is applied and answered. */
export function portOf<Port extends object>(
  fake: Sync<NoInfer<Port>>,
  call: (name: string, apply: () => unknown, given: readonly unknown[]) => Promise<unknown>,
): Port {
  const methods = Object.entries(fake as Readonly<Record<string, Method>>).map(([name, method]) => [
    name,
    (...given: readonly unknown[]) => call(name, () => method(...given), given),
  ]);
  // The type of each method is that of the fake's, in a promise.
  return Object.fromEntries(methods) as Port;
}

/** Without a world: every call is applied at once, and answered in a microtask. */
export const atOnce = <Port extends object>(fake: Sync<Port>): Port => portOf<Port>(fake, async (_, apply) => apply());
