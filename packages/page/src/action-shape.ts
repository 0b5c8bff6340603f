/** What the dialog of an action asks. */
export interface Field {
  /** In the body of the request. */
  readonly name: string;
  readonly label: string;
  /** Default: `text`. `list`: names apart by commas. `instant`: a date and time of this browser's zone, sent as RFC 3339. */
  readonly kind?: 'text' | 'long' | 'number' | 'choice' | 'flag' | 'list' | 'instant';
  readonly isRequired?: boolean;
  readonly hint?: string;
  readonly choices?: readonly (readonly [value: string, label: string])[];
  /** What the command says for it, such as `--because`; '' for one that stands alone. */
  readonly option?: string;
}

/** A change that a person may ask for: a button, and the dialog that it opens. */
export interface Action {
  /** On the button: a verb and what it is done to. */
  readonly label: string;
  /** What will happen, in a sentence or two. */
  readonly does: string;
  /** What the decision stands on, as the page says it now. When it has changed meanwhile, the person is asked again. */
  readonly seen?: string | undefined;
  /** Default: `POST`. */
  readonly method?: 'POST' | 'DELETE';
  /** Of the API, its segments percent-encoded. */
  readonly path: string;
  readonly body?: Readonly<Record<string, unknown>>;
  readonly fields?: readonly Field[];
  /** The same change on the command line; the dialog adds the options of the fields. */
  readonly command: string;
  /** What was looked at: the change is refused when it has moved on. */
  readonly revision?: number | undefined;
  readonly role: 'operator' | 'approver' | 'admin';
  /** A request about the whole project, which a token of some models may not send. */
  readonly isOfProject?: boolean;
  /** Why it cannot be done now, in words; absent: it can be. */
  readonly refused?: string | undefined;
  readonly tone?: 'main' | 'danger' | undefined;
  /** A field of the answer that is shown once, such as the text of a new token. */
  readonly showsOnce?: string;
}

/** The element that says why an action cannot be done. */
export const whyNotId = ({ method = 'POST', path }: Pick<Action, 'method' | 'path'>): string =>
  `why-not-${`${method}${path}`.replace(/[^\w-]+/g, '-')}`;
