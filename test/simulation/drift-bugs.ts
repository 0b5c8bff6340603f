import { core, type PlantedBug } from './planted.ts';

const mended = 'requests drift, and the version that is trained of newer data mends it';
const unmended = 'requests drift, and no version that is trained passes';

export const driftBugs: readonly PlantedBug[] = [
  core(
    'a window is counted twice',
    'model/drift/drift.ts',
    "goOn({ ...(without(drift, 'few') as Open), from: drift.until }, context)",
    "goOn(without(drift, 'few') as Open, context)",
    'requests do not drift, and nothing says so',
  ),
  core(
    'the rest of a window is not counted',
    'model/drift/drift.ts',
    'if (cursor !== undefined) return',
    'if (cursor === undefined && turn < 0) return',
    'requests do not drift, and nothing says so',
  ),
  core(
    'each part of a window is counted from its beginning',
    'engine/drift.ts',
    '[counted?.unread, cursor]',
    '[counted?.unread, undefined]',
    'requests do not drift, and nothing says so',
  ),
  core(
    'the answers of the parts of a window are not added up',
    'engine/answers.ts',
    'before?.rows ?? 0',
    '0',
    'requests do not drift, and nothing says so',
  ),
  core(
    'the answers of the part of a window before are forgotten',
    'engine/answers.ts',
    'before === undefined ? emptyCounts(frozen) : await',
    'true ? emptyCounts(frozen) : await',
    'requests do not drift, and nothing says so',
  ),
  core(
    'the probabilities of the parts of a window before are forgotten',
    'engine/drift.ts',
    'let probabilities = counts && counted?.probabilities;',
    'let probabilities = counts && noProbabilities;',
    'requests do not drift, and nothing says so',
  ),
  core(
    'the first page of each part has no probabilities',
    'engine/drift.ts',
    'if (place !== undefined)\n',
    'if (place !== undefined && page > 0)\n',
    'requests do not drift, and nothing says so',
  ),
  core(
    'an incident of drift never ends',
    'drift/incident.ts',
    'open.clean + 1 >= cleanWindowsToResolve',
    'open.clean + 1 >= 1000',
    'requests drift for a while, and are then as before',
  ),
  core(
    'each window of drift is news, and starts a run',
    'drift/incident.ts',
    'const isNews = open === undefined',
    'const isNews = level !== undefined || open === undefined',
    unmended,
  ),
  core(
    'requests are compared with the data of an earlier champion',
    'model/drift/rule.ts',
    'if (drift?.version === champion && drift.reference === reference) return model;',
    'if (drift !== undefined) return model;',
    mended,
  ),
  core(
    'the detector of an earlier version judges',
    'model/drift/drift.ts',
    'const { turn = 0, windows = [], incident } = before ?? {};\n  const begun = {',
    'const { turn = 0, windows = [], incident } = before ?? {};\n  const begun = { ...defined({ detector: before?.detector }),',
    mended,
  ),
  core(
    'drift that grows is not told of',
    'model/monitor/own.ts',
    'if (firing?.startedAt === alert?.startedAt) return model;',
    'if ((firing === undefined) === (alert === undefined)) return model;',
    mended,
  ),
];
