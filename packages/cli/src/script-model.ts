import type { Argument } from './script-arguments.ts';

/** What a script keeps and predicts, as far as its text tells; `unclear` says what a person has to say. */
export interface KeptModel {
  readonly target?: string;
  readonly metric?: 'accuracy' | 'r2';
  /** Lines of Python that import what is needed, and give the model of a `path`. */
  readonly load?: { readonly imports: readonly string[]; readonly line: string };
  readonly unclear?: string;
}

const targets = [
  /^(?:TARGET|LABEL|Y)(?:_COL(?:UMN)?|_NAME)?\s*(?::[^=\n]*)?=\s*['"]([^'"\n]+)['"]/m,
  /\b(?:y|labels?|targets?)\w*\s*=\s*\w+\[\s*['"]([^'"\n]+)['"]\s*\]/i,
  /\b(?:y|labels?|targets?)\s*=\s*\w+\.(?!(?:pop|drop|values|iloc|loc|target)\b)([a-z_]\w*)\s*$/im,
  /\.pop\(\s*['"]([^'"\n]+)['"]\s*\)/,
  /\.drop\(\s*(?:columns\s*=\s*)?\[?\s*['"]([^'"\n]+)['"]\s*\]?\s*[,)]/,
];

const keepers: readonly { readonly form: RegExp; readonly load: (text: string) => KeptModel['load'] }[] = [
  {
    form: /\bjoblib\.dump\(|from joblib import [^\n]*\bdump\b/,
    load: () => ({ imports: ['import joblib'], line: 'return joblib.load(files[0])' }),
  },
  {
    form: /\bpickle\.dump\(/,
    load: () => ({ imports: ['import pickle'], line: 'return pickle.loads(files[0].read_bytes())' }),
  },
  {
    form: /\bXGB(?:RF)?(?:Classifier|Regressor)\([\s\S]*\.save_model\(/,
    load: (text) => {
      const kind = /\bXGB(?:RF)?(?:Classifier|Regressor)/.exec(text)?.[0] ?? 'XGBClassifier';
      return {
        imports: ['import xgboost'],
        line: `model = xgboost.${kind}()\n    model.load_model(files[0])\n    return model`,
      };
    },
  },
];

const classifies =
  /Classifier|LogisticRegression|\bSVC\b|\w+NB\b|accuracy_score|roc_auc|f1_score|classification_report/;
const regresses =
  /Regressor|LinearRegression|\bRidge|\bLasso|ElasticNet|\bSVR\b|mean_squared_error|mean_absolute_error|r2_score/;

export function modelIn(text: string, given: readonly Argument[]): KeptModel {
  const named = given.find(
    ({ name, fallback }) =>
      /(?:^|\.)(?:target|label)(?:[-_](?:col(?:umn)?|name))?$/i.test(name) && typeof fallback === 'string',
  );
  const target =
    typeof named?.fallback === 'string' ? named.fallback : targets.map((form) => form.exec(text)?.[1]).find(Boolean);
  const found = keepers.filter(({ form }) => form.test(text));
  const load = found.length === 1 ? found[0]?.load(text) : undefined;
  const metric = classifies.test(text) ? 'accuracy' : regresses.test(text) ? 'r2' : undefined;
  const unclear = whyUnclear(text, load !== undefined, metric !== undefined);
  return {
    ...(target === undefined ? {} : { target }),
    ...(metric === undefined ? {} : { metric }),
    ...(load === undefined ? {} : { load }),
    ...(unclear === undefined ? {} : { unclear }),
  };
}

/** What keeps the model from being loaded and asked by somebody who did not write it. */
function whyUnclear(text: string, isLoaded: boolean, isKnown: boolean): string | undefined {
  if (/\btorch\.save\(/.test(text)) return 'it saves weights of PyTorch, and only the script knows their network';
  if (!isLoaded) return 'it does not save one model with joblib, pickle or save_model of XGBoost';
  const dumps = [...text.matchAll(/\b(?:joblib|pickle)\.dump\(|(?<![\w.])dump\(/g)].length;
  if (dumps > 1) return `it saves ${dumps} things, and only the script knows how they work together`;
  const prepared = /\bget_dummies\(|\bLabelEncoder\(|\bOrdinalEncoder\(|\.fit_transform\(/.exec(text);
  const isWhole = /\b(?:make_pipeline|Pipeline)\(/.test(text) && !/\bget_dummies\(|\bLabelEncoder\(/.test(text);
  if (prepared !== null && !isWhole) {
    const line = text.slice(0, prepared.index).split('\n').length;
    return `line ${line} prepares the rows outside of the model that it saves (${prepared[0].replace(/[.(]/g, '')}); a Pipeline of scikit-learn keeps both`;
  }
  return isKnown ? undefined : 'nothing in it says whether it predicts classes or numbers';
}
