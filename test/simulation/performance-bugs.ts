import { core, type PlantedBug } from './planted.ts';

const same = 'labels come late, twice or never, and predictions are as good as they were';
const mended = 'predictions get worse, and the version that is trained of newer data mends it';
const again = 'predictions get worse, and those of the version that was to mend it as well';

export const performanceBugs: readonly PlantedBug[] = [
  core(
    'labels that are told twice count twice',
    'engine/performance.ts',
    'if (tick.start < counted.readTo) continue;',
    '',
    same,
  ),
  core(
    'labels of other versions count as well',
    'engine/performance.ts',
    'if (row.deployment !== deployment) continue;',
    '',
    mended,
  ),
  core(
    'what truths say of a class is not counted',
    'engine/performance.ts',
    '...defined({ classes, errors })',
    '...defined({ errors })',
    same,
  ),
  core(
    'what is added up of a class counts false negatives for false positives',
    'base/truths.ts',
    'sum + other[name as keyof Sums]]',
    "sum + other[(name === 'falsePositives' ? 'falseNegatives' : name) as keyof Sums]]",
    same,
  ),
  core(
    'truths that are numbers are read as text',
    'model/performance/performance.ts',
    'truths: truthRuleOf(rules), bets',
    'truths: truthRuleOf({ positive: rules.positive }), bets',
    mended,
  ),
  core(
    'labels are read before the last of them have come',
    'model/performance/performance.ts',
    'tickMs, maturityMs, outcomes },',
    'tickMs, maturityMs: maturityMs / 2, outcomes },',
    same,
  ),
  core(
    'each window bets from the beginning',
    'model/performance/performance.ts',
    'evidence: betting ?? withWindow(evidence)',
    'evidence: betting ?? withWindow(noLosses)',
    same,
  ),
  core(
    'too few labels are judged',
    'drift/outcomes.ts',
    'if (labels >= leastCoverage * predictions && labels >= leastLabels)',
    'if (labels >= leastLabels)',
    'labels come for less than half of the predictions, and nothing is said of them',
  ),
  core(
    'a new champion has the evidence of the one before',
    'model/performance/performance.ts',
    '...defined({ incident }), evidence: noLosses, first: noOutcomes };',
    '...defined({ incident }), evidence: before?.evidence ?? noLosses, first: noOutcomes };',
    same,
  ),
  core(
    'the evidence of before an incident stays',
    'model/performance/performance.ts',
    'const isAnew = isAlarm || (open !== undefined && incident === undefined);',
    'const isAnew = false;',
    mended,
  ),
  core(
    'an incident of performance acts again under another version',
    'model/performance/rule.ts',
    'const hasActed = incident.newsAt !== incident.at',
    'const hasActed = incident.newsAt < 0',
    again,
  ),
  core(
    'an incident of performance ends with its champion',
    'model/performance/performance.ts',
    'const known = { version, turn, windows, ...defined({ incident }), evidence',
    'const known = { version, turn, windows, evidence',
    mended,
  ),
  core(
    'one clean window ends an incident of performance',
    'model/performance/incident.ts',
    'clean >= cleanWindowsToResolve',
    'clean >= 1',
    mended,
  ),
];
