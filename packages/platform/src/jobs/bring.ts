import { quoted } from './command.ts';
import type { ListFormat } from './dataset-list.ts';

/** What a container finds in the mounted storage of its cloud, to be brought to a channel. */
export interface Mounted {
  /** `list`: by `fileList`. */
  readonly kind: 'list' | 'folder' | 'file';
  /** Of a folder with a slash at its end. */
  readonly path: string;
}

/** The list of the files of a dataset: where they lie, below the folder of all mounts, then the path of each. */
export const fileList: ListFormat = {
  name: 'a list of files',
  maxBytes: 64_000_000,
  begin: (bucket, folder) => `${bucket}/${folder}\n`,
  item: (path) => `${path}\n`,
  end: '',
};

/** Lines of a script that bring it to a folder of the container's disk. */
export function bring({ kind, path }: Mounted, folder: string): readonly string[] {
  const to = quoted(folder);
  const how = {
    list: `bring ${quoted(path)} ${to}`,
    folder: `cp -R ${quoted(`${path}.`)} ${to}/`,
    file: `cp ${quoted(path)} ${to}/`,
  };
  return [`mkdir -p ${to}`, how[kind]];
}

/** The function that the lines of a list call; `mounts` is the folder of all mounts. */
export const bringer = (inputs: readonly Mounted[], mounts: string): readonly string[] =>
  inputs.some(({ kind }) => kind === 'list') ? bringList(mounts) : [];

/** Copies the files that a list names, many by each call of `cp`: a call for each would take a millisecond or two. */
const bringList = (mounts: string): readonly string[] => [
  'bring() {',
  '  list=$1 channel=$2 to=$2',
  '  shift 2',
  '  {',
  '    IFS= read -r from',
  '    while IFS= read -r path; do',
  '      case $path in',
  `        */*) folder=$channel/\${path%/*} ;;`,
  '        *) folder=$channel ;;',
  '      esac',
  '      if [ "$folder" != "$to" ] || [ $# -ge 200 ]; then',
  '        if [ $# -gt 0 ]; then cp "$@" "$to/"; fi',
  '        shift $#',
  '        to=$folder',
  '        mkdir -p "$to"',
  '      fi',
  `      set -- "$@" "${mounts}/$from$path"`,
  '    done',
  '    if [ $# -gt 0 ]; then cp "$@" "$to/"; fi',
  '  } < "$list"',
  '}',
];
