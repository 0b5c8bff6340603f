import { canonical } from '@serin/core/base/json';
import type { Deployment, Mirror, Observation, Serving, Weights } from '@serin/core/ports/serving';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AdapterOf } from './adapters.ts';
import { partsOf } from './parts.ts';

export interface OpenServing {
  readonly serving: Serving;
  /** A deployment that becomes ready. Equal versions have equal content. */
  good(version: number): Deployment;
  /** A deployment that can be started and never becomes ready. */
  broken(version: number): Deployment;
  /** A deployment that cannot be created at all. */
  impossible(version: number): Deployment;
  /**
   * The only deployment of an endpoint is served as soon as it is ready, and no weights at all end the endpoint: both
   * are left open by the promise.
   */
  readonly servesAlone?: boolean;
  /** Resolves when something may have changed since it was called; used between two looks. */
  pause(): Promise<void>;
  close(): Promise<void>;
}

/** What every `Serving` promises; `open` gives an empty one. */
export function servingContract(name: AdapterOf<'serving'>, open: () => Promise<OpenServing>): void {
  describe(`${name} keeps the promise of Serving`, () => {
    const { mirrors, wholeMirrors } = partsOf('serving', name);
    let opened: OpenServing;
    let serving: Serving;
    beforeEach(async () => {
      opened = await open();
      serving = opened.serving;
    });
    afterEach(() => opened.close());

    /** Looks until it is as expected; the time limit of the test ends it. */
    async function observed(endpoint: string, isThere: (observation: Observation) => boolean): Promise<Observation> {
      for (;;) {
        const observation = await serving.observe(endpoint);
        if (observation !== 'absent' && isThere(observation)) return observation;
        await opened.pause();
      }
    }
    /** Looks until nothing is deployed any more, or the endpoint itself is gone. */
    async function emptied(endpoint: string): Promise<void> {
      for (;;) {
        const seen = await serving.observe(endpoint);
        if (seen === 'absent' || (seen.deployments.length === 0 && !seen.busy)) return;
        await opened.pause();
      }
    }
    const alone = (deployment: string) => (opened.servesAlone ? { [deployment]: 100 } : {});
    const statusOf = (observation: Observation, deployment: string) =>
      observation.deployments.find(({ name }) => name === deployment)?.status;
    const weightsOf = ({ weights }: Observation) =>
      Object.fromEntries(Object.entries(weights).filter(([, weight]) => weight > 0));
    const ready = (endpoint: string, deployment: string) =>
      observed(endpoint, (observation) => statusOf(observation, deployment) === 'ready' && !observation.busy);
    const weighed = (endpoint: string, weights: Record<string, number>) =>
      observed(endpoint, (seen) => sameWeights(weightsOf(seen), weights) && !seen.busy);

    /** Asks until the deployment shows: it may take several operations. */
    async function deploy(endpoint: string, deployment: Deployment): Promise<void> {
      for (;;) {
        expect(await serving.change(endpoint, { kind: 'deploy', deployment })).toBe('accepted');
        const seen = await observed(endpoint, (seen) => statusOf(seen, deployment.name) !== undefined || !seen.busy);
        if (statusOf(seen, deployment.name) !== undefined) return;
      }
    }
    async function deployed(endpoint: string, version: number): Promise<void> {
      await deploy(endpoint, opened.good(version));
      await ready(endpoint, `v${version}`);
    }

    test('an endpoint that nothing was deployed to is absent', async () => {
      expect(await serving.observe('never')).toBe('absent');
    });

    test('a deployment becomes ready and gets no weight by itself, unless the platform serves the only one', async () => {
      await deployed('e', 1);

      expect(await serving.observe('e')).toMatchObject({ deployments: [{ name: 'v1', version: 1, status: 'ready' }] });
      expect(weightsOf(await ready('e', 'v1'))).toEqual(alone('v1'));
    });

    test('a deployment takes no weight from another', async () => {
      await deployed('e', 1);
      await serving.change('e', { kind: 'weigh', weights: { v1: 100 } });
      await weighed('e', { v1: 100 });

      await deployed('e', 2);

      expect(weightsOf(await ready('e', 'v2'))).toEqual({ v1: 100 });
    });

    test('a deploy given twice is one deployment', async () => {
      await serving.change('e', { kind: 'deploy', deployment: opened.good(1) });
      await serving.change('e', { kind: 'deploy', deployment: opened.good(1) });
      await observed('e', ({ busy }) => !busy);
      await deployed('e', 1);

      expect((await ready('e', 'v1')).deployments).toHaveLength(1);
    });

    test('deploys given at the same time are one deployment, and each is accepted or busy', async () => {
      const deploy = () => serving.change('e', { kind: 'deploy', deployment: opened.good(1) });

      const answers = await Promise.all([deploy(), deploy(), deploy()]);

      expect(answers).toContain('accepted');
      expect(answers.every((answer) => answer === 'accepted' || answer === 'busy')).toBe(true);
      await observed('e', ({ busy }) => !busy);
      await deployed('e', 1);
      expect((await ready('e', 'v1')).deployments).toHaveLength(1);
    });

    test('a name that is taken by another content is a defect and changes nothing', async () => {
      await deployed('e', 1);
      const other = { ...opened.good(1), environment: { OTHER: 'content' } };

      const deploying = serving.change('e', { kind: 'deploy', deployment: other });

      await expect(deploying).rejects.toMatchObject({ code: 'defect' });
      expect((await ready('e', 'v1')).deployments).toHaveLength(1);
    });

    test('a deployment that cannot be created is invalid', async () => {
      await expect(deploy('e', opened.impossible(1))).rejects.toMatchObject({ code: 'invalid' });
      await emptied('e');
    });

    test('a deployment that never becomes ready is failed, with a reason, and can be retired', async () => {
      await deploy('e', opened.broken(2));

      const { deployments } = await observed('e', (seen) => statusOf(seen, 'v2') === 'failed' && !seen.busy);
      expect(deployments[0]?.reason).not.toBe('');
      expect(deployments[0]?.reason).toBeDefined();
      expect(await serving.change('e', { kind: 'retire', deployment: 'v2' })).toBe('accepted');
      await emptied('e');
    });

    test('a deployment that never becomes ready leaves what is served alone, and can be retired and made again', async () => {
      await deployed('e', 1);
      await serving.change('e', { kind: 'weigh', weights: { v1: 100 } });
      await weighed('e', { v1: 100 });

      await deploy('e', opened.broken(2));

      const seen = await observed('e', (seen) => statusOf(seen, 'v2') === 'failed' && !seen.busy);
      expect([statusOf(seen, 'v1'), weightsOf(seen)]).toEqual(['ready', { v1: 100 }]);
      await serving.change('e', { kind: 'retire', deployment: 'v2' });
      await observed('e', (seen) => statusOf(seen, 'v2') === undefined && !seen.busy);
      await deployed('e', 2);
      expect(weightsOf(await ready('e', 'v2'))).toEqual({ v1: 100 });
    });

    test('weights are replaced as one set', async () => {
      await deployed('e', 1);
      await deployed('e', 2);

      await serving.change('e', { kind: 'weigh', weights: { v1: 100 } });
      await weighed('e', { v1: 100 });
      await serving.change('e', { kind: 'weigh', weights: { v1: 95, v2: 5 } });
      await weighed('e', { v1: 95, v2: 5 });
      await serving.change('e', { kind: 'weigh', weights: { v2: 100 } });
      await weighed('e', { v2: 100 });
    });

    test('the same weights twice are the same as once', async () => {
      await deployed('e', 1);
      await serving.change('e', { kind: 'weigh', weights: { v1: 100 } });
      await weighed('e', { v1: 100 });

      expect(await serving.change('e', { kind: 'weigh', weights: { v1: 100 } })).toBe('accepted');
      await weighed('e', { v1: 100 });
    });

    test.each([
      ['sum to 99', { v1: 99 }],
      ['sum to 101', { v1: 100, v2: 1 }],
      ['are not whole', { v1: 99.5, v2: 0.5 }],
      ['are negative', { v1: 101, v2: -1 }],
      ['are no number', { v1: Number.NaN, v2: 100 }],
      ['are all zero', { v1: 0, v2: 0 }],
    ])('weights that %s are invalid and change nothing', async (_, weights) => {
      await deployed('e', 1);
      await deployed('e', 2);
      await serving.change('e', { kind: 'weigh', weights: { v1: 100 } });
      await weighed('e', { v1: 100 });

      await expect(serving.change('e', { kind: 'weigh', weights })).rejects.toMatchObject({ code: 'invalid' });
      await weighed('e', { v1: 100 });
    });

    test('weight for a deployment that is not there is invalid', async () => {
      await deployed('e', 1);

      const weighing = serving.change('e', { kind: 'weigh', weights: { v1: 50, v9: 50 } });

      await expect(weighing).rejects.toMatchObject({ code: 'invalid' });
    });

    test('weight for a deployment that failed is invalid', async () => {
      await deployed('e', 1);
      await deploy('e', opened.broken(2));
      await observed('e', (seen) => statusOf(seen, 'v2') === 'failed' && !seen.busy);

      const weighing = serving.change('e', { kind: 'weigh', weights: { v1: 95, v2: 5 } });

      await expect(weighing).rejects.toMatchObject({ code: 'invalid' });
    });

    test('no weights at all take an endpoint out of service', async () => {
      await deployed('e', 1);
      await serving.change('e', { kind: 'weigh', weights: { v1: 100 } });
      await weighed('e', { v1: 100 });

      expect(await serving.change('e', { kind: 'weigh', weights: {} })).toBe('accepted');
      if (opened.servesAlone) await emptied('e');
      else await weighed('e', {});
    });

    test('a deployment that holds weight cannot be retired', async () => {
      await deployed('e', 1);
      await serving.change('e', { kind: 'weigh', weights: { v1: 100 } });
      await weighed('e', { v1: 100 });

      const retiring = serving.change('e', { kind: 'retire', deployment: 'v1' });

      await expect(retiring).rejects.toMatchObject({ code: 'invalid' });
      expect(statusOf(await ready('e', 'v1'), 'v1')).toBe('ready');
    });

    test('a retired deployment goes and leaves the others and the weights alone', async () => {
      await deployed('e', 1);
      await deployed('e', 2);
      await serving.change('e', { kind: 'weigh', weights: { v2: 100 } });
      await weighed('e', { v2: 100 });

      expect(await serving.change('e', { kind: 'retire', deployment: 'v1' })).toBe('accepted');

      const left = await observed('e', (seen) => seen.deployments.length === 1 && !seen.busy);
      expect(left.deployments[0]).toMatchObject({ name: 'v2', status: 'ready' });
      expect(weightsOf(left)).toEqual({ v2: 100 });
    });

    const mirror = { deployment: 'v2', percent: 20 };
    const served = { v1: 100 };
    const mirrored = (endpoint: string, expected: Observation['mirror']) =>
      observed(endpoint, (seen) => !seen.busy && canonical(seen.mirror ?? null) === canonical(expected ?? null));

    async function mirroring(): Promise<void> {
      await deployed('e', 1);
      await deployed('e', 2);
      await serving.change('e', { kind: 'weigh', weights: served, mirror });
      await mirrored('e', mirror);
    }

    mirrors(
      'a mirror is set with the weights, the same twice, and ends with the next weights without one',
      async () => {
        await mirroring();
        await weighed('e', served);

        expect(await serving.change('e', { kind: 'weigh', weights: served, mirror })).toBe('accepted');
        await mirrored('e', mirror);
        await serving.change('e', { kind: 'weigh', weights: served, mirror: { ...mirror, percent: 50 } });
        await mirrored('e', { ...mirror, percent: 50 });
        await serving.change('e', { kind: 'weigh', weights: served });
        await mirrored('e', undefined);
        await weighed('e', served);
      },
    );

    wholeMirrors('a mirror can get all requests', async () => {
      const whole = { deployment: 'v2', percent: 100 };
      await deployed('e', 1);
      await deployed('e', 2);

      await serving.change('e', { kind: 'weigh', weights: served, mirror: whole });

      await mirrored('e', whole);
    });

    const wrongMirrors: readonly (readonly [string, { readonly weights: Weights; readonly mirror: Mirror }])[] = [
      ['has weight', { weights: { v1: 50, v2: 50 }, mirror }],
      ['serves alone', { weights: { v2: 100 }, mirror }],
      ['is not there', { weights: served, mirror: { deployment: 'v9', percent: 20 } }],
      ['gets nothing', { weights: served, mirror: { deployment: 'v2', percent: 0 } }],
      ['gets more than all', { weights: served, mirror: { deployment: 'v2', percent: 101 } }],
      ['gets a part of a percent', { weights: served, mirror: { deployment: 'v2', percent: 0.5 } }],
      ['gets no number', { weights: served, mirror: { deployment: 'v2', percent: Number.NaN } }],
    ];
    for (const [how, shares] of wrongMirrors)
      mirrors(`a mirror that ${how} is invalid and changes nothing`, async () => {
        await mirroring();

        await expect(serving.change('e', { kind: 'weigh', ...shares })).rejects.toMatchObject({ code: 'invalid' });
        await weighed('e', served);
        await mirrored('e', mirror);
      });

    test('a mirror that failed is invalid', async () => {
      await deployed('e', 1);
      await deploy('e', opened.broken(2));
      await observed('e', (seen) => statusOf(seen, 'v2') === 'failed' && !seen.busy);

      const weighing = serving.change('e', { kind: 'weigh', weights: served, mirror });

      await expect(weighing).rejects.toMatchObject({ code: 'invalid' });
    });

    mirrors('a mirror cannot be retired while it is one', async () => {
      await mirroring();

      const retiring = serving.change('e', { kind: 'retire', deployment: 'v2' });

      await expect(retiring).rejects.toMatchObject({ code: 'invalid' });
      await serving.change('e', { kind: 'weigh', weights: served });
      await mirrored('e', undefined);
      expect(await serving.change('e', { kind: 'retire', deployment: 'v2' })).toBe('accepted');
      await observed('e', (seen) => seen.deployments.length === 1 && !seen.busy);
    });

    mirrors('a mirror becomes a deployment with weight in one change', async () => {
      await mirroring();

      expect(await serving.change('e', { kind: 'weigh', weights: { v1: 95, v2: 5 } })).toBe('accepted');

      await weighed('e', { v1: 95, v2: 5 });
      await mirrored('e', undefined);
    });

    test('retiring what is not there is no error', async () => {
      expect(await serving.change('never', { kind: 'retire', deployment: 'v1' })).toBe('accepted');
      await deployed('e', 1);
      expect(await serving.change('e', { kind: 'retire', deployment: 'v9' })).toBe('accepted');
    });

    test('what is observed as busy answers busy, and it ends', async () => {
      await deployed('e', 1);
      await deployed('e', 2);
      await serving.change('e', { kind: 'weigh', weights: { v2: 100 } });
      await weighed('e', { v2: 100 });
      await serving.change('e', { kind: 'retire', deployment: 'v1' });

      const seen = await serving.observe('e');
      if (seen !== 'absent' && seen.busy) {
        expect(await serving.change('e', { kind: 'weigh', weights: { v2: 100 } })).toBe('busy');
      }
      await observed('e', ({ busy }) => !busy);
      expect(await serving.change('e', { kind: 'weigh', weights: { v2: 100 } })).toBe('accepted');
      await weighed('e', { v2: 100 });
    });

    test('a name that was retired may come again', async () => {
      await deployed('e', 1);
      await deployed('e', 2);
      await serving.change('e', { kind: 'weigh', weights: { v2: 100 } });
      await weighed('e', { v2: 100 });
      await serving.change('e', { kind: 'retire', deployment: 'v1' });
      await observed('e', (seen) => seen.deployments.length === 1 && !seen.busy);

      await deployed('e', 1);
    });

    test('endpoints do not touch each other', async () => {
      await deployed('one', 1);
      await deployed('two', 2);
      await serving.change('one', { kind: 'weigh', weights: { v1: 100 } });

      await weighed('one', { v1: 100 });
      expect(weightsOf(await ready('two', 'v2'))).toEqual(alone('v2'));
    });
  });
}

const sameWeights = (a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): boolean =>
  Object.keys(a).length === Object.keys(b).length && Object.keys(a).every((name) => a[name] === b[name]);
