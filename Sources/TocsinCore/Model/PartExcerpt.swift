/// What a dead letter keeps of a refused part of a message, so that it can be decoded alone.
public enum PartExcerpt: Sendable, Hashable {
    /// The part as it stands: it says everything itself.
    case itself
    /// Its message, once for all such parts: the part says too little alone.
    case whole
    /// The part, and around it what it takes its names from.
    case own([UInt8])
}
