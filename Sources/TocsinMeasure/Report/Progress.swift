/// Told in a few words what is being measured: `decode, run 2 of 3`.
public typealias ProgressLine = @Sendable (String) -> Void
