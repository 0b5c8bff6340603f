/** Where the resources of Vertex AI are. */
export interface VertexPlace {
  /** The id of the Google project. */
  readonly googleProject: string;
  readonly region: string;
}

/** The path of a location of Vertex AI, below its host. */
export const locationPath = ({ googleProject, region }: VertexPlace): string =>
  `v1/projects/${googleProject}/locations/${region}`;

/** The last part of a resource's name, without its version: Vertex AI answers with the project's number for its id. */
export const lastOf = (resource: string): string => resource.replace(/^.*\//, '').replace(/@.*$/, '');
