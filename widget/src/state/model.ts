/** What views watch: a thing that says when it changed. */
export class Model extends EventTarget {
  protected changed(): void {
    this.dispatchEvent(new Event("change"));
  }

  /** Calls `listener` after every change; gives what ends that. */
  watch(listener: () => void): () => void {
    this.addEventListener("change", listener);
    return () => this.removeEventListener("change", listener);
  }
}
