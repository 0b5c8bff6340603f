export interface Page<Item> {
  readonly items: readonly Item[];
  /** Opaque; absent on the last page. A page may be empty and still have a next one. */
  readonly next?: string;
}
