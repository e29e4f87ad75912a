/** A story that the demo tells on a stack. */
export interface Story {
  /** Tells it to the end. @throws StoryError where the cluster does not keep to it */
  tell(): Promise<void>;
  /** What was measured, as lines; of as much as was told. */
  report(): string[];
  /** What a person would look at afterwards, as arguments of `kubectl get`. */
  readonly shows: string;
  /** Ends what the story itself has started. */
  end?(): Promise<void>;
}

/** The cluster did something that the story does not allow. */
export class StoryError extends Error {
  override name = 'StoryError';
}
