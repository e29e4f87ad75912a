/**
 * Where a node stands with regard to what is rolled out:
 * * `ineligible`: it can never get it as things are (no slots, would be a downgrade, cannot be configured); it
 *   takes no place in a wave and counts nowhere.
 * * `succeeded`: it has it, and what judges it there is behind it.
 * * `failed`: it failed there, or was undone, as often as it may be tried.
 * * `accepted`: as `failed`, but somebody acknowledged that.
 * * `pending`: none of these yet; nodes that are not heard of are pending.
 *
 * A node has *tried* it when it succeeded or failed.
 */
export type Outcome = 'ineligible' | 'succeeded' | 'failed' | 'accepted' | 'pending';
